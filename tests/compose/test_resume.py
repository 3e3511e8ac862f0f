"""An edited sheet is composed from the edit on, and gives what composing everything gives, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sheets import cue

from videoscore.cache import Kept
from videoscore.compose.compose import compose_with_facts
from videoscore.compose.locked_notes import lock
from videoscore.compose.network.load import WEIGHTS
from videoscore.compose.resume import MOST_STATES, Composed, Trail, default
from videoscore.compose.write.hand import Written
from videoscore.cues.sheet import CueSheet
from videoscore.mood.circle import MOODS
from videoscore.music.score import Role, Score
from videoscore.pipeline import score as pipeline
from videoscore.settings.fields import ComposeOptions

FEW = dict.fromkeys(MOODS, frozenset({Role.MELODY, Role.BASS}))
PLAIN = ComposeOptions()


def film() -> CueSheet:
    return CueSheet(
        "film.mp4",
        Fraction(15),
        (
            cue("1m1 Happy", 0, 5, "Happy", 3, key="G major"),
            cue("1m2 Angry", 5, 10, "Angry", 3, key="E minor"),
            cue("1m3 Happy", 10, 15, "Happy", 3, key="G major"),
        ),
    )


def last_seed(sheet: CueSheet, seed: int) -> CueSheet:
    return replace(sheet, cues=(*sheet.cues[:-1], replace(sheet.cues[-1], seed=seed)))


def run(sheet: CueSheet, known: Composed | None, options: ComposeOptions = PLAIN) -> tuple[Score, int]:
    scores, facts = compose_with_facts([sheet], options, FEW, known=known)
    return scores[0], facts.steps


@pytest.fixture
def known(tmp_path: Path) -> Composed:
    return Composed(Kept(tmp_path / "kept", 10**9))


@pytest.mark.parametrize("options", [PLAIN, ComposeOptions(takes=2, guidance=1.0)])
def test_an_edit_at_the_end_costs_only_the_end(known: Composed, options: ComposeOptions) -> None:
    first, all_steps = run(film(), known, options)
    again, none = run(film(), known, options)
    assert again == first and none == 0
    edited = last_seed(film(), 9)
    fresh, whole = run(edited, None, options)
    resumed, some = run(edited, known, options)
    assert resumed == fresh != first
    assert 0 < some < whole / 2
    assert all_steps > some


def test_what_was_heard_is_known_when_it_is_locked(known: Composed) -> None:
    """As one regenerates a cue: all others locked."""
    first, all_steps = run(film(), known)
    locked = lock(film(), first, [1, 2])
    assert run(locked, known) == (run(locked, None)[0], 0)
    edited = last_seed(locked, 9)
    resumed, some = run(edited, known)
    fresh, whole = run(edited, None)
    assert resumed == fresh and some < whole / 2
    middle = lock(film(), first, [1, 3])
    again = replace(middle, cues=(middle.cues[0], replace(middle.cues[1], seed=9), middle.cues[2]))
    resumed, some = run(again, known)
    assert resumed == run(again, None)[0] and some < all_steps / 2


@pytest.mark.parametrize(
    "change", ["key after", "seed", "temperature", "mood before", "weights", "notes", "takes"]
)
def test_all_that_the_notes_come_from_is_in_the_name(known: Composed, change: str, tmp_path: Path) -> None:
    from videoscore.compose.network.load import load_composer
    from videoscore.compose.plan.guide import push
    from videoscore.compose.plan.plan import Planner
    from videoscore.compose.write.writing import Writing

    def names(
        sheet: CueSheet, about: tuple[object, ...] = (1.0,), weights: Path = WEIGHTS, takes: int = 1
    ) -> list[str]:
        """Of the notes of every cue, were those before it empty."""
        bars = Planner(load_composer(WEIGHTS)[1], FEW).sheet(sheet)
        trail, out = Trail(Writing(sheet, bars, push(bars, PLAIN), takes, True), about, weights), []
        before = trail.start
        for number in range(len(sheet.cues)):
            out.append(trail.notes(before, number))
            before = trail.read(before, number, [])
        return out

    sheet, usual = film(), names(film())
    one, two, three = sheet.cues
    assert names(film()) == usual
    if change == "key after":  # the cue before leads into it
        assert names(replace(sheet, cues=(one, replace(two, key="D major"), three)))[0] != usual[0]
    elif change == "seed":
        other = names(replace(sheet, cues=(one, replace(two, seed=4), three)))
        assert other[0] == usual[0] and other[1] != usual[1]
    elif change == "temperature":
        assert not {*names(sheet, (1.1,))} & {*usual}
    elif change == "mood before":
        other = names(replace(sheet, cues=(cue(one.name, 0, 5, "Tired", 3, key="G major"), two, three)))
        assert not {*other} & {*usual}
    elif change == "weights":
        (tmp_path / "w").write_bytes(WEIGHTS.read_bytes() + b" ")
        assert not {*names(sheet, weights=tmp_path / "w")} & {*usual}
    elif change == "takes":
        assert not {*names(sheet, takes=2)} & {*usual}
    else:  # what was read, not what was meant
        bars = Planner(load_composer(WEIGHTS)[1], FEW).sheet(sheet)
        trail = Trail(Writing(sheet, bars, push(bars, PLAIN), 1, True), (1.0,), WEIGHTS)
        read = [trail.read(trail.start, 0, [Written(0, 0, 0, pitch, 24)]) for pitch in (60, 60, 61)]
        assert read[0] == read[1] != read[2] and trail.notes(read[0], 1) != trail.notes(read[2], 1)


@pytest.mark.parametrize("damage", [b"nonsense", None])
def test_a_damaged_entry_is_composed_anew(known: Composed, damage: bytes | None) -> None:
    first, steps = run(film(), known)
    for path in known.entries.folder.iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1  # in the middle of an array: its checksum tells
        path.write_bytes(data if damage is None else damage)
    assert run(film(), known) == (first, steps)
    assert run(film(), known) == (first, 0)


def test_the_folder_is_bounded_and_needn_t_be_there(known: Composed, tmp_path: Path) -> None:
    small = Kept(tmp_path / "small", 3000)

    def write(k: int) -> None:
        small.put(str(k), lambda file: file.write(bytes(1000)) and None)
        os.utime(tmp_path / "small" / f"{k}.npz", ns=(k, k)) if (
            tmp_path / "small" / f"{k}.npz"
        ).exists() else None

    for k in range(1, 6):
        write(k)
    assert sorted(p.name for p in small.folder.iterdir()) == ["3.npz", "4.npz", "5.npz"]
    assert (
        small.get("4", lambda path: path.stat().st_size) == 1000
        and small.get("1", lambda path: path.stat()) is None
    )
    (tmp_path / "file").write_text("")
    nowhere = Composed(Kept(tmp_path / "file" / "sub", 10**6))
    assert run(film(), nowhere)[1] > 0
    with ThreadPoolExecutor(8) as pool:  # many at once: an entry is whole or not there
        list(pool.map(lambda k: small.put("same", lambda file: np.savez(file, a=np.full(50, k))), range(200)))
        found = list(pool.map(lambda _: small.get("same", lambda p: np.load(p)["a"].tolist()), range(50)))
    assert all(f is not None and len(set(f)) == 1 for f in found)
    assert not list(small.folder.glob(".part*"))


def test_a_long_film_keeps_few_states(known: Composed) -> None:
    assert sum(known.wanted(k, 300) for k in range(1, 301)) <= MOST_STATES
    assert [known.wanted(k, 3) for k in (1, 2, 3)] == [True, True, False]
    assert not replace(known, states=False).wanted(1, 3)


def test_who_keeps_what(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default() is None, "tests keep nothing"
    monkeypatch.delenv("VIDEOSCORE_NO_CACHE")
    monkeypatch.setenv("VIDEOSCORE_CACHE", str(tmp_path))
    assert pipeline.known_for(film()) is None
    for cues in ("x.json", None):
        found = pipeline.known_for(cues)
        assert found and found.states and found.entries.folder == tmp_path / "composed"


def test_loading_the_cache_loads_no_torch() -> None:
    code = "import sys, videoscore.compose.resume; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
