"""The tree of errors: one line each, codes as documented, safe to send between processes."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore import errors
from videoscore.errors import (
    Cancelled,
    InputError,
    NoFace,
    NotFound,
    OutputError,
    SetupError,
    UsageError,
    VideoscoreError,
)

ROOT = Path(__file__).resolve().parents[2]


def all_kinds() -> list[type[VideoscoreError]]:
    return [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, VideoscoreError)]


@settings(max_examples=60)
@given(
    kind=st.sampled_from(all_kinds()),
    problem=st.text(max_size=60),
    remedy=st.text(max_size=60),
    path=st.none() | st.text(st.characters(exclude_characters="\0"), min_size=1),
)
def test_is_one_printable_line(kind, problem, path, remedy):
    line = str(kind(problem, path=path, remedy=remedy))
    assert len(line.splitlines()) <= 1
    assert all(c.isprintable() for c in line)


def test_names_the_file_then_the_problem_then_the_remedy():
    error = NotFound("no such file", path="a.mp4", remedy="Check the name.")
    assert str(error) == "a.mp4: no such file. Check the name."
    assert (error.problem, error.path, error.remedy) == ("no such file", Path("a.mp4"), "Check the name.")


@pytest.mark.parametrize("kind", all_kinds())
def test_survives_pickling(kind):
    error = kind("what is wrong", path="x", remedy="Do this.")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.problem, again.path, again.remedy) == (error.problem, error.path, error.remedy)


def test_codes_are_one_a_branch():
    branches = (VideoscoreError, UsageError, InputError, OutputError, SetupError, NoFace, Cancelled)
    codes = {kind.exit_code for kind in branches}
    assert codes == {1, 2, 3, 4, 5, 6, 130}
    for kind in all_kinds():
        branch = [b for b in kind.__mro__ if VideoscoreError in b.__bases__]
        if branch:
            assert kind.exit_code == branch[0].exit_code


def test_documentation_lists_every_kind_with_its_code():
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE))
    assert rows == {kind.__name__: str(kind.exit_code) for kind in all_kinds()}
