"""Names that are no text, long names, users without a home, terminals that can't write, readers that go away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import command_environment
from media import Clip
from sheets import two_cues

from videoscore.cues.file.sheet_file import load, save
from videoscore.errors import OutputError
from videoscore.file_names import LONGEST, as_text, shortened, shown, size
from videoscore.pipeline.outputs import KEEP, check_file, plan_targets
from videoscore.video.probe import probe

LATIN = os.fsdecode(b"caf\xe9")  # what Python makes of bytes that are no UTF-8
# a user whom the system doesn't know, as of a container that is run with --user 12345
STRANGER = """
import pwd, sys
def unknown(*_): raise KeyError
pwd.getpwuid = unknown
from videoscore.cli.main import main
main(sys.argv[1:])
"""


def as_stranger(*arguments: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The command for a user without an entry, a home, and a locale of UTF-8."""
    environment = command_environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", **more)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "VIDEOSCORE_CACHE", "VIDEOSCORE_NO_CACHE"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", STRANGER, *map(os.fsencode, arguments)],
        cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip


def unix(path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip(f"names of any bytes: {path}")


def test_a_name_of_other_bytes_with_a_long_stem_for_a_user_without_a_home(film: Clip, tmp_path: Path) -> None:
    unix(tmp_path)
    folder = tmp_path / f"{LATIN} ü"
    folder.mkdir()
    name = f"{LATIN} {'ü' * 119}x.mp4"
    assert size(name) == 248
    shutil.copy(film.path, folder / name)
    done = as_stranger("score", folder / name, "--keep", "midi,musicxml,wav,stems", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"Error" not in done.stderr and b"caf\\xe9" in done.stdout  # in ASCII
    made = sorted(p for p in folder.iterdir() if p.name != name)
    ends = ["cues.json", "mid", "mp4", "musicxml", "stems", "wav"]
    assert [p.name.rpartition(".scored.")[2] for p in made] == ends
    assert len({p.name.partition(".scored.")[0] for p in made}) == 1 and made[0].name.startswith(
        f"{LATIN} üüü"
    )
    assert not list(tmp_path.glob("**/*.part*"))
    sheet = load(made[0])
    assert sheet.source == as_text(name) == f"caf\\xe9 {'ü' * 119}x.mp4"
    made[0].read_bytes().decode("utf-8")


def test_markers_find_a_film_with_such_a_name(videoscore, film: Clip, tmp_path: Path) -> None:
    unix(tmp_path)
    shutil.copy(film.path, tmp_path / f"{LATIN}.mp4")
    from dataclasses import replace

    save(replace(two_cues(), source=as_text(f"{LATIN}.mp4")), tmp_path / "other.cues.json")
    assert videoscore("markers", tmp_path / "other.cues.json", "-o", tmp_path / "m.edl").code == 0
    assert "TITLE: caf\\xe9.mp4" in (tmp_path / "m.edl").read_text(encoding="utf-8")


@pytest.mark.slow
def test_pictures_and_pages_of_such_a_film(film: Clip, tmp_path: Path) -> None:
    unix(tmp_path)
    name = f"{LATIN}.mp4"
    shutil.copy(film.path, tmp_path / name)
    for made in ("p.html", "p.png"):
        done = as_stranger("preview", name, "-o", made, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "caf\\xe9.mp4" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_the_library_of_a_user_without_a_home(tmp_path: Path) -> None:
    done = as_stranger("library", "list", cwd=tmp_path)
    assert done.returncode == 5 and b"--library" in done.stderr and b"Error" not in done.stderr
    assert as_stranger("library", "list", "--library", "l.sqlite", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_encoding_of_the_terminal(videoscore, film: Clip, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "Fïlm 映画.mp4"
    shutil.copy(film.path, path)
    done = subprocess.run(
        [sys.executable, "-m", "videoscore", "preview", path], capture_output=True, check=False,
        env=command_environment(PYTHONIOENCODING=encoding), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    head, rows = text.splitlines()[0], text.splitlines()
    assert head.endswith("Fïlm 映画.mp4".encode(encoding, "backslashreplace").decode(encoding))
    valence = next(row for row in rows if row.startswith("valence"))[9:]
    assert set(valence) <= set("12345678")


@pytest.mark.parametrize(
    "command", [["presets", "list"], ["--help"], ["--version"], ["score", "--help"], ["doctor"]]
)
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_went_away(command: list[str], buffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = command_environment(PYTHONUNBUFFERED=buffered)
    done = subprocess.run(
        [sys.executable, "-m", "videoscore", *command], stdout=writing, stderr=subprocess.PIPE, env=environment,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("streams", "code"), [(">&-", 0), ("2>&-", 0), ("<&-", 0), ("2>/dev/full", 0), (">/dev/full", 4)]
)
def test_streams_that_are_closed_or_full(streams: str, code: int, tmp_path: Path) -> None:
    save(two_cues(), tmp_path / "a.cues.json")
    command = f'"{sys.executable}" -m videoscore markers a.cues.json -o a.csv --rate 25 {streams}'
    # buffered as for users: what is still to be said at exit may fail, too
    environment = {k: v for k, v in command_environment().items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == code
    assert (tmp_path / "a.csv").read_text().startswith("start,end,timecode")  # and no words of ours in it


def test_shown_names() -> None:
    assert as_text(LATIN) == shown(LATIN) == "caf\\xe9"
    assert as_text("\udcc3\udca9") == "é"  # UTF-8 that a C locale took for bytes
    assert as_text("a\nb é") == "a\nb é" and shown("a\nb é\x1b") == "a\\x0ab é\\x1b"
    assert as_text("\ud800").isascii()
    for text in (LATIN, "\ud800", "é\udcff"):
        as_text(text).encode("utf-8")


@pytest.mark.parametrize("length", [200, 241, 247, 248, 251, 255])
@pytest.mark.parametrize("letter", ["a", "é", "映", "\U0001d11e"])
def test_default_names_fit_whatever_the_film_s(film: Clip, tmp_path: Path, letter: str, length: int) -> None:
    stem = letter * ((length - 4) // size(letter))
    shutil.copy(film.path, tmp_path / f"{stem}.mp4")
    targets = plan_targets(probe(tmp_path / f"{stem}.mp4"), None, tuple(KEEP))
    for path in (targets.output, *targets.kept.values()):
        assert size(path.name) <= LONGEST
        path.touch()
    assert targets.output.name.startswith(letter * 10)
    if size(stem) < 200:
        assert targets.output.name == f"{stem}.scored.mp4"


def test_long_names_stay_apart() -> None:
    one, other = "a" * 300 + "b", "a" * 300 + "c"
    assert shortened(one, 100) != shortened(other, 100) and size(shortened(one, 100)) == 100
    assert shortened("short", 100) == "short"


def test_a_name_that_is_too_long_is_refused_before_the_work(film: Clip, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="300 bytes"):
        check_file(tmp_path / ("a" * 296 + ".mp4"), overwrite=False)
    with pytest.raises(OutputError, match="bytes, and 255"):  # the film's own fits, its cue sheet's doesn't
        plan_targets(probe(film.path), tmp_path / ("a" * 250 + ".mp4"))


def test_lone_surrogates_in_a_cue_sheet_are_written_and_read(tmp_path: Path) -> None:
    from dataclasses import replace

    sheet = replace(two_cues(), source="\ud83d.mp4", notes={"x": LATIN})
    save(sheet, tmp_path / "s.json")
    assert load(tmp_path / "s.json") == sheet
    json.loads((tmp_path / "s.json").read_bytes())


def test_the_studio_lists_and_finds_such_a_film(tmp_path: Path) -> None:
    unix(tmp_path)
    from videoscore.studio.allowed_files import Shelf

    (tmp_path / f"{LATIN}.mp4").write_bytes(b"x")
    shelf = Shelf(tmp_path)
    assert shelf.films() == ["caf\\xe9.mp4"]
    assert shelf.find("caf\\xe9.mp4") == tmp_path.resolve() / f"{LATIN}.mp4"
