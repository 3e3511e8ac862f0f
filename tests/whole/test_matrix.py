"""What becomes of what a film carries, container by container: nothing is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from matrix import FEATURES, INTO, SAME, outcome

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("container", [c for c, _ in SAME])
def test_a_container_into_itself_keeps_everything(tmp_path: Path, container: str, name: str) -> None:
    assert outcome(FEATURES[name], tmp_path, container, container) in ("kept", "-")


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(("source", "target"), INTO)
def test_another_container_keeps_tells_or_refuses(
    tmp_path: Path, source: str, target: str, name: str
) -> None:
    folder = tmp_path / f"{source}-{target}"
    folder.mkdir()
    found = outcome(FEATURES[name], folder, source, target)
    assert not found.startswith("LOST"), found
    if found.startswith("refused"):
        assert "Name the output ." in found  # a remedy that was tried
