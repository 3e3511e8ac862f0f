"""What a batch finds, and what it names the outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoscore.batch.jobs import BatchInputs, plan, read_names, read_size, read_suffixes
from videoscore.batch.ledger import Ledger
from videoscore.batch.output_names import LONGEST, SPARE, TEMPLATE, output_name
from videoscore.errors import UsageError, VideoscoreError

ODD = [
    "it's.mp4",
    'say "hi".mp4',
    "two\nlines.mp4",
    "-o.mp4",
    "--jobs 3.mp4",
    "zwölf 🎬.mp4",
    "a[1]*?.mp4",
    "{stem}.mp4",
    "%03d.mp4",
    "$(rm).mp4",
    "e\u0301.mp4",
]


def make(root: Path, *names: str, size: int = 10) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)


def jobs_of(root: Path, out: Path, *inputs: str | Path, **more) -> dict[str, str]:
    found = plan(BatchInputs(tuple(map(str, inputs or (root,))), out, **more))
    return {str(j.input.relative_to(root)): str(j.output.relative_to(out)) for j in found}


def test_a_folder_alone_and_with_those_below_mirrored(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, "b.mp4", "a.MOV", "notes.txt", ".hidden.mp4", "x/y/c.mkv", ".git/d.mp4")
    assert list(jobs_of(root, out).items()) == [("a.MOV", "a.scored.MOV"), ("b.mp4", "b.scored.mp4")]
    assert jobs_of(root, out, recursive=True)["x/y/c.mkv"] == "x/y/c.scored.mkv"
    assert len(jobs_of(root, out, recursive=True)) == 3


def test_what_another_batch_has_written_is_no_input(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, "a.mp4", "scored/a.scored.mp4", "scored/own.mp4")
    with Ledger(root / "scored") as ledger:
        ledger.queue([(root / "a.mp4", root / "scored" / "a.scored.mp4", "s", 0, "piano")])
        ledger.end(root / "a.mp4", "scored", made={root / "scored" / "a.scored.mp4": (10, 1)})
    assert list(jobs_of(root, out, recursive=True)) == ["a.mp4", "scored/own.mp4"]


def test_names_are_data(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, *ODD)
    assert jobs_of(root, out) == {name: name[:-4] + ".scored.mp4" for name in ODD}
    # a name that is there isn't read as a pattern
    assert list(jobs_of(root, out, root / "a[1]*?.mp4")) == ["a[1]*?.mp4"]
    assert jobs_of(root, out, str(root / "*o.mp4")) == {"-o.mp4": "-o.scored.mp4"}


def test_a_name_that_is_not_utf8(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    root.mkdir()
    name = os.fsencode(root) + b"/caf\xe9.mp4"
    try:
        Path(os.fsdecode(name)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system wants UTF-8")
    (job,) = plan(BatchInputs((str(root),), out))
    assert os.fsencode(job.output.name) == b"caf\xe9.scored.mp4"


def test_the_longest_names_stay_two(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, "é" * 125 + "a.mp4", "é" * 125 + "b.mp4")
    names = list(jobs_of(root, out).values())
    assert len(set(names)) == 2
    assert all(len(os.fsencode(n)) <= LONGEST - SPARE and n.endswith(".scored.mp4") for n in names)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_every_stem_gives_a_possible_name(stem):
    name = output_name(TEMPLATE, {"stem": stem, "ext": ".mp4", "parent": "", "preset": "", "seed": ""})
    assert len(os.fsencode(name)) <= LONGEST and "/" not in name


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("{stm}{ext}", "Did you mean stem?"),
        ("{stem", "can't be read"),
        ("{stem.__class__}", "no field"),
        ("{stem!r}{ext}", "no format"),
        ("{stem:>900}", "no format"),
        ("../{stem}{ext}", "no file name"),
        ("", "no file name"),
        ("{0}", "no field"),
        ("{}", "no field"),
    ],
)
def test_a_wrong_template_is_one_clear_error(tmp_path, template, hint):
    make(tmp_path / "in", "a.mp4")
    with pytest.raises(UsageError) as caught:
        jobs_of(tmp_path / "in", tmp_path / "out", name=template)
    assert hint in str(caught.value)


def test_the_fields_of_a_template(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, "x/a.mp4")
    template = "{parent}-{stem}-{preset}-{seed}.mkv"
    named = jobs_of(root, out, recursive=True, name=template, preset="my/piano.toml", seed=3)
    assert named == {"x/a.mp4": "x/x-a-piano-3.mkv"}


def test_never_two_inputs_onto_one_output(tmp_path):
    make(tmp_path, "one/a.mp4", "two/a.mp4")
    with pytest.raises(UsageError, match="both be written"):
        plan(BatchInputs((str(tmp_path / "one"), str(tmp_path / "two")), tmp_path / "out"))
    both = plan(
        BatchInputs(
            (str(tmp_path / "one"), str(tmp_path / "two")), tmp_path / "out", name="{parent}-{stem}{ext}"
        )
    )
    assert len(both) == 2
    once = plan(BatchInputs((str(tmp_path / "one"), str(tmp_path / "one/a.mp4")), tmp_path / "out"))
    assert len(once) == 1


def test_never_an_output_onto_an_input(tmp_path):
    make(tmp_path, "a.mp4")
    with pytest.raises(UsageError, match="over an input"):
        plan(BatchInputs((str(tmp_path),), tmp_path, name="{stem}{ext}"))
    out = tmp_path / "out"
    out.mkdir()
    os.link(tmp_path / "a.mp4", out / "a.scored.mp4")
    with pytest.raises(UsageError, match="over an input"):
        plan(BatchInputs((str(tmp_path),), out))


def test_what_a_run_wrote_is_no_input(tmp_path):
    make(tmp_path, "a.mp4", "a.scored.mp4", "out/b.scored.mp4")
    found = plan(BatchInputs((str(tmp_path),), tmp_path), frozenset({tmp_path / "a.scored.mp4"}))
    assert [j.input.name for j in found] == ["a.mp4"]
    found = plan(BatchInputs((str(tmp_path),), tmp_path / "out", recursive=True))
    assert [j.input.name for j in found] == ["a.mp4", "a.scored.mp4"]


def test_links_that_go_round(tmp_path):
    root = tmp_path / "in"
    make(root, "x/a.mp4")
    (root / "x" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "again").symlink_to(root / "x")
    found = plan(BatchInputs((str(root),), tmp_path / "out", recursive=True))
    assert [j.input for j in found] == [root / "x/a.mp4"]


def test_what_is_kept_beside_two_that_differ_in_the_suffix(tmp_path):
    make(tmp_path, "a.mp4", "a.mov", "b.gif", "c")
    jobs = {
        j.input.name: j for j in plan(BatchInputs((str(tmp_path), str(tmp_path / "c")), tmp_path / "out"))
    }
    named = {
        n: {k: p.name for k, p in j.files(".mkv" if n in ("b.gif", "c") else j.suffix, ["cues"]).items()}
        for n, j in jobs.items()
    }
    assert named == {
        "a.mp4": {"output": "a.scored.mp4", "cues": "a.scored.mp4.cues.json"},
        "a.mov": {"output": "a.scored.mov", "cues": "a.scored.mov.cues.json"},
        "b.gif": {"output": "b.scored.mkv", "cues": "b.scored.cues.json"},
        "c": {"output": "c.scored.mkv", "cues": "c.scored.cues.json"},
    }


def test_filters(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    make(root, "small.mp4", "s.mov", size=10)
    make(root, "big.mp4", size=2000)
    assert set(jobs_of(root, out, suffixes=read_suffixes("MP4"))) == {"small.mp4", "big.mp4"}
    assert set(jobs_of(root, out, min_size=read_size("1k", "--min-size"))) == {"big.mp4"}
    assert set(jobs_of(root, out, max_size=read_size("1999", "--max-size"))) == {"small.mp4", "s.mov"}
    for bad in ("", "x", "-1", "nan", "1e400", "5q"):
        with pytest.raises(VideoscoreError, match="--min-size"):
            read_size(bad, "--min-size")


def test_what_is_named_and_missing_is_a_job_that_will_fail_and_a_pattern_an_error(tmp_path):
    (job,) = plan(BatchInputs((str(tmp_path / "gone.mp4"),), tmp_path / "out"))
    assert job.input.name == "gone.mp4"
    with pytest.raises(UsageError, match="matches no file"):
        plan(BatchInputs((str(tmp_path / "*.mp4"),), tmp_path / "out"))


def test_names_from_a_list():
    assert read_names(b"a.mp4\r\nb c.mp4\n\n") == ["a.mp4", "b c.mp4"]
    assert read_names(b"\xef\xbb\xbfa.mp4\r\n") == ["a.mp4"]  # as some editors begin a text
    assert read_names(b"a\nb.mp4\0c.mp4\0") == ["a\nb.mp4", "c.mp4"]
    assert os.fsencode(read_names(b"\xff.mp4\n")[0]) == b"\xff.mp4"
