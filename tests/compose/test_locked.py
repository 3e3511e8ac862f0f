"""A locked cue keeps its notes, whatever is done around it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from cue_sheets import VALIDATOR, edited
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue

from videoscore.cli.main import commands
from videoscore.cli.teller import Teller
from videoscore.compose.compose import compose as compose_all
from videoscore.compose.locked_notes import fingerprint, heard, lock, notes_in, unlock
from videoscore.cues.conform import conform
from videoscore.cues.file.sheet_file import dumps, loads, save
from videoscore.cues.file.sheet_file import load as load_sheet
from videoscore.cues.lookup import cue_numbers
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, HitPoint, Meter
from videoscore.errors import CueSheetError
from videoscore.library.select.select import play, select
from videoscore.mood.circle import MOODS, centre
from videoscore.music.performance import LockedNote, Performance
from videoscore.music.score import Note, Role, Score, Section, TempoMap
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Arrangement, Part, Played
from videoscore.perform.played_midi import to_bytes
from videoscore.perform.render.render import render
from videoscore.pipeline.write import written_with
from videoscore.settings.build import build
from videoscore.settings.fields import ComposeOptions, LibraryOptions

FEW = dict.fromkeys(MOODS, frozenset({Role.MELODY, Role.BASS}))


def compose(sheet: CueSheet, options: ComposeOptions | None = None) -> Score:
    return compose_all(sheet, options, FEW)


def film(seed: int = 0) -> CueSheet:
    """Three cues of 8 s: Happy, Angry, Happy again."""
    return CueSheet(
        "film.mp4",
        Fraction(24),
        (
            cue("1m1 Happy", 0, 8, "Happy", 4, key="G major"),
            cue("1m2 Angry", 8, 16, "Angry", 4, key="E minor"),
            cue("1m3 Happy", 16, 24, "Happy", 4, key="G major"),
        ),
        cuts=(Fraction(8), Fraction(16)),
        seed=seed,
    )


@pytest.fixture(scope="module")
def score() -> Score:
    return compose(film())


@pytest.fixture(scope="module")
def middle(score: Score) -> CueSheet:
    """The film with its middle cue locked."""
    return lock(film(), score, [2])


def notes_of(score: Score, number: int) -> tuple[LockedNote, ...]:
    return notes_in(score, score.sections[number - 1])


def other_mood(c: Cue, mood: str = "Depressed") -> Cue:
    points = tuple(CurvePoint(p.t, *centre(mood)) for p in c.curve)
    return replace(c, name=c.name.replace(c.mood, mood), mood=mood, curve=points)


def with_cue(sheet: CueSheet, number: int, change: Callable[[Cue], Cue]) -> CueSheet:
    cues = [change(c) if k == number else c for k, c in enumerate(sheet.cues, 1)]
    return replace(sheet, cues=tuple(cues))


CHANGES: dict[str, Callable[[CueSheet], CueSheet]] = {
    "mood before": lambda s: with_cue(s, 1, other_mood),
    "mood after": lambda s: with_cue(s, 3, other_mood),
    "key before": lambda s: with_cue(s, 1, lambda c: replace(c, key="B minor")),
    "seed of the cue before": lambda s: with_cue(s, 1, lambda c: replace(c, seed=9)),
    "seed of the sheet": lambda s: replace(s, seed=7),
    "bars before": lambda s: with_cue(s, 1, lambda c: replace(c, meter=Meter(3, 4))),
    "no cue before": lambda s: replace(
        s,
        duration=Fraction(16),
        cuts=(Fraction(8),),
        cues=tuple(
            replace(c, start=c.start - 8, end=c.end - 8, curve=tuple(replace(p, t=p.t - 8) for p in c.curve))
            for c in s.cues[1:]
        ),
    ),
    "no cue after": lambda s: replace(s, duration=Fraction(16), cuts=(Fraction(8),), cues=s.cues[:2]),
    "its own length": lambda s: edited(s, (1, "end", 18)),
}


def test_locking_alone_changes_nothing(score: Score) -> None:
    for numbers in ([1, 2], [2]):
        locked = lock(film(), score, numbers)
        assert compose(loads(dumps(locked))).notes == score.notes, numbers


@pytest.mark.parametrize("change", CHANGES)
def test_a_locked_cue_keeps_its_notes(score: Score, middle: CueSheet, change: str) -> None:
    """In the score, and in the MIDI file that is heard: keys struck and let go, how hard, and on which instrument."""
    sheet = CHANGES[change](middle)
    again = compose(sheet)
    number = next(k for k, c in enumerate(sheet.cues, 1) if c.locked)
    assert notes_of(again, number) == notes_of(score, 2)
    others = [k for k in range(1, len(sheet.cues) + 1) if k != number]
    assert all(notes_of(again, k) for k in others), "the others are written"
    for name in ("cinematic", "band"):
        preset = load_preset(name)
        before = orchestrate(compose(middle), preset, middle.seed)
        after = orchestrate(again, preset, sheet.seed)
        assert struck(after, number) == struck(before, 2) != []


@pytest.mark.parametrize(
    "change", ["mood before", "mood after", "seed of the sheet", "no cue before", "no cue after"]
)
def test_a_locked_cue_keeps_what_marks_its_hits_and_boundaries(middle: CueSheet, change: str) -> None:
    preset = load_preset("trailer")
    with_hit = with_cue(
        middle, 2, lambda c: replace(c, hits=(HitPoint((c.start + 2 * c.end) / 3, "cut", 0.9),))
    )
    sheet = CHANGES[change](with_hit)
    number = next(k for k, c in enumerate(sheet.cues, 1) if c.locked)
    hit = next(c for c in sheet.cues if c.locked)
    assert hit.hits
    if change == "no cue before":  # all times of that change move by the cue that goes
        sheet = with_cue(
            sheet, number, lambda c: replace(c, hits=tuple(replace(h, t=h.t - 8) for h in c.hits))
        )
    before = orchestrate(compose(with_hit), preset, with_hit.seed, with_hit.cues)
    after = orchestrate(compose(sheet), preset, sheet.seed, sheet.cues)
    marks = {accent.instrument for accent in preset.accents.values()}
    assert marks & {part.name for part in before.parts}
    assert struck(after, number) == struck(before, 2) != []


def struck(music: Arrangement, number: int) -> list[tuple[int, ...]]:
    """(tick on and off from the cue's start, program, drums, pitch, velocity) of a cue's notes in the MIDI file."""
    section, out = music.sections[number - 1], []
    for track in mido.MidiFile(file=io.BytesIO(to_bytes(music))).tracks:
        now, program, sounding = 0, 0, {}
        for message in track:
            now += message.time
            if message.type == "program_change":
                program = message.program
            elif message.type == "note_on" and message.velocity:
                sounding[message.note] = (now, message.velocity, program)
            elif message.type in ("note_on", "note_off"):
                on, velocity, struck_by = sounding.pop(message.note)
                if section.start <= on < section.end:
                    out.append(
                        (
                            on - section.start,
                            now - section.start,
                            struck_by,
                            message.channel == 9,
                            message.note,
                            velocity,
                        )
                    )
    return sorted(out)


def test_nothing_tells_that_a_cue_was_locked(score: Score, middle: CueSheet) -> None:
    """Against the same music unlocked: the same file."""
    preset = load_preset("cinematic")
    free, locked = orchestrate(score, preset, 0), orchestrate(compose(middle), preset, 0)
    assert to_bytes(free) == to_bytes(locked)
    assert any(p.pedal for p in locked.parts), "who leaves is held by the pedal"
    ends = [section.end for section in score.sections]
    for part in locked.parts:
        for down, up in part.pedal:
            assert any(end - 480 < down < end < up for end in ends)
            assert (up, 0) in part.expression or any(tick < up for tick, v in part.expression if v == 127)


def test_the_pedal_sounds_as_the_longer_note_does(tmp_path: Path) -> None:
    from videoscore.settings.fields import RenderOptions

    section = Section("1m1", "Happy", 0.5, 0.5, "C major", 0, 1920, 1, 4)
    sounds = []
    for name, note, pedal in (
        ("pedal", Played(480, 960, 60, 80), ((1320, 1800),)),
        ("long", Played(480, 1320, 60, 80), ()),
    ):
        part = Part("strings", 48, False, (note,), pedal=pedal)
        music = Arrangement((part,), (section,), TempoMap(((0, 500_000),)), Fraction(2))
        stem = render(music, tmp_path / name, RenderOptions(), 1)[0]
        sounds.append(soundfile.read(stem.path)[0])
    assert np.abs(sounds[0]).max() > 0.01
    assert np.abs(sounds[0] - sounds[1]).max() < 1e-6


def test_a_locked_note_is_never_taken_for_its_neighbours() -> None:
    """The same key on the same instrument, struck within a hair of the boundary."""
    notes = [
        Note(1910, Role.MELODY, 72, 10, 64),
        Note(1920, Role.MELODY, 72, 480, 64),
        Note(3830, Role.MELODY, 72, 10, 64),
        Note(3840, Role.MELODY, 72, 480, 64),
    ]
    plain = [Section(f"c{k}", "Happy", 0.5, 0.5, "C major", 1920 * k, 1920 * (k + 1), 1, 4) for k in range(3)]
    sections = (plain[0], replace(plain[1], performance=Performance(0, 1, 500_000)), plain[2])
    tempo = TempoMap(((0, 500_000),))
    preset = load_preset("piano")
    middle = struck(orchestrate(Score(tuple(notes), sections, tempo, Fraction(6)), preset), 2)
    alone = struck(orchestrate(Score((notes[1], notes[2]), sections, tempo, Fraction(6)), preset), 2)
    assert middle == alone and middle[0][:2] == (0, 480) and middle[1][1] <= 1920


def test_the_others_hear_what_is_locked(score: Score) -> None:
    """A mood that comes back takes up its tune from the locked cue, be it the user's own."""
    sheet = lock(film(), score, [1])
    own = tuple(LockedNote(480 * k, Role.MELODY, 67 + 2 * (k % 3), 480, 64) for k in range(16))
    theirs = with_cue(sheet, 1, lambda c: replace(c, notes=own, performance=None))
    assert notes_of(compose(theirs), 1) == own
    assert notes_of(compose(theirs), 3) != notes_of(score, 3)
    assert notes_of(compose(sheet), 3) == notes_of(score, 3)


def test_takes_and_options_leave_it_alone(score: Score, middle: CueSheet) -> None:
    again = compose(middle, ComposeOptions(takes=3, intensity=0.6))
    assert notes_of(again, 2) == notes_of(score, 2) and notes_of(again, 1) != notes_of(score, 1)


def test_nothing_is_needed_where_all_is_locked(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = lock(film(), score, [1, 2, 3])
    monkeypatch.setattr(
        "videoscore.compose.compose.load_bank", lambda: pytest.fail("the figures were asked for")
    )
    assert compose(everything).notes == score.notes
    assert compose(everything).tempo == score.tempo


def test_unlocking_gives_it_back(score: Score, middle: CueSheet) -> None:
    assert (
        replace(unlock(middle, [2]), cues=tuple(replace(c, heard=None) for c in unlock(middle, [2]).cues))
        == film()
    )
    assert lock(middle, score, [2]) == middle
    for number in (0, 4):
        with pytest.raises(CueSheetError, match=f"no cue {number}"):
            lock(film(), score, [number])
    with pytest.raises(CueSheetError, match="other bars"):
        lock(with_cue(film(), 1, lambda c: replace(c, meter=Meter(5, 4))), score, [1])


# ---------------------------------------------------------------- in the file


def test_the_file_carries_it(middle: CueSheet) -> None:
    text = dumps(middle)
    assert loads(text) == middle
    rows = [line for line in text.splitlines() if line.lstrip().startswith("[")]
    assert len(rows) < len(middle.cues[1].notes or ()) / 3 and max(map(len, rows)) < 120
    marked = heard(middle, compose(middle), {"takes": 4, "intensity": 0.9, "roles": "melody"})
    again = loads(dumps(marked))
    assert again == marked and again.composed == {"takes": 4, "intensity": 0.9, "roles": "melody"}
    assert again.cues[1].heard == fingerprint(middle.cues[1].notes or ())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 7 * 480),
            st.integers(0, 5),
            st.integers(0, 127),
            st.integers(1, 480),
            st.integers(1, 127),
            st.integers(0, 9999),
        ),
        max_size=20,
        unique_by=lambda n: n[:3],
    ),
    st.none()
    | st.builds(
        Performance,
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 9),
        st.integers(1, 10**7),
        st.none() | st.floats(-1, 1),
        st.just((1, 36)) | st.just(()),
    ),
)
@settings(max_examples=50, deadline=None)
def test_any_notes_come_back_from_the_file(notes, performance) -> None:
    locked = replace(
        cue("x", 0, 4, "Happy", 2),
        notes=tuple(sorted(LockedNote(*n) for n in notes)),
        performance=performance,
    )
    sheet = CueSheet("f", Fraction(4), (locked,))
    assert loads(dumps(sheet)) == sheet


@pytest.mark.parametrize(
    "row, word",
    [
        ([0, 0, 60, 480], "five or six"),
        ("0,0,60,480,64", "five or six"),
        ([0, 6, 60, 480, 64], "role"),
        ([0, 0, 128, 480, 64], "pitch"),
        ([0, 0, 60, -1, 64], "duration"),
        ([0, 0, 60, 0, 64], "no duration"),
        ([0, 0, 60, 480, 0], "velocity"),
        ([-1, 0, 60, 480, 64], "start"),
        ([0.5, 0, 60, 480, 64], "start"),
        ([True, 0, 60, 480, 64], "start"),
        ([7680, 0, 60, 1, 64], "past the end"),
        ([0, 0, 60, 7681, 64], "past the end"),
    ],
)
def test_notes_that_cant_be_are_refused(middle: CueSheet, row: object, word: str) -> None:
    document = json.loads(dumps(middle))
    document["cues"][1]["locked"]["notes"] = [row]
    with pytest.raises(CueSheetError, match=word) as caught:
        loads(json.dumps(document))
    assert "1m2" in str(caught.value) and caught.value.remedy
    if word not in ("past the end", "no duration"):
        assert not VALIDATOR.is_valid(document) or isinstance(row[0], bool)


@pytest.mark.parametrize(
    "field, value",
    [
        ("mood", "Happy"),
        ("valence", 0.5),
        ("arousal", 0.1),
        ("key", "A minor"),
        ("bars", 5),
        ("beats", 3),
        ("bpm", 90),
        ("curve", [{"t": 10, "valence": 0, "arousal": 0}]),
        ("key", None),
        ("curve", None),
    ],
)
def test_what_a_locked_cue_came_from_cant_be_changed(middle: CueSheet, field: str, value: object) -> None:
    with pytest.raises(CueSheetError, match=f"1m2 Angry.*is locked, and its {field}") as caught:
        edited(middle, (1, field, value))
    assert "--unlock" in caught.value.remedy
    free = edited(middle, (1, "locked", None), (1, field, value))
    assert not free.cues[1].locked


def test_a_moved_boundary_moves_the_tempo(middle: CueSheet) -> None:
    longer = edited(middle, (1, "end", 18)).cues[1]
    old = middle.cues[1]
    assert (longer.meter, longer.notes, longer.key) == (old.meter, old.notes, old.key)
    assert (longer.start, longer.end) == (8, 18) and longer.bpm == old.bpm * 8 / 10
    assert [(p.t - 8) / 10 for p in longer.curve] == [(p.t - 8) / 8 for p in old.curve]
    with pytest.raises(CueSheetError, match="is locked: its 4 bars in 1.000 s"):
        edited(middle, (1, "end", 9))
    assert conform(lock_last(middle), Fraction(47, 2)).cues[2].meter == Meter(4, 4)


def lock_last(sheet: CueSheet) -> CueSheet:
    return with_cue(sheet, 3, lambda c: replace(c, notes=(LockedNote(0, 0, 60, 480, 64),)))


# ---------------------------------------------------------------- beside the library, and the command


def test_music_of_the_library_leaves_it_alone(score: Score, middle: CueSheet, tmp_path: Path) -> None:
    for music in ("select", "auto"):
        chosen = select(middle, LibraryOptions(music=music, near=3.0))
        assert chosen.picks[1] is None and chosen.picks[0] and chosen.picks[2]
        assert chosen.sheet.cues[1] == middle.cues[1] and "locked" in chosen.remarks[1]
        played = play(chosen, lambda _: pytest.fail("nothing is to be written"))
        assert notes_of(played, 2) == notes_of(score, 2) and notes_of(played, 1)
        again = lock(chosen.sheet, played, [1])
        assert notes_of(compose(again), 1) == notes_of(played, 1)


def run(*words: object) -> None:
    commands.main([str(w) for w in words], standalone_mode=False, obj=Teller(quiet=True))


def test_the_command(score: Score, tmp_path: Path) -> None:
    path, copy = tmp_path / "film.cues.json", tmp_path / "copy.json"
    scored = heard(film(), score, {"roles": "melody, bass"})
    save(scored, path)
    run("lock", path, "1m2", "-o", copy)
    assert load_sheet(copy) == lock(scored, score, [2]) and load_sheet(path) == scored
    run("lock", path, 1, "1m3 Happy")
    assert load_sheet(path) == lock(scored, score, [1, 3])
    run("lock", path, "all", "--unlock")
    assert load_sheet(path) == scored
    save(with_cue(scored, 1, other_mood), path)
    before = path.read_bytes()
    with pytest.raises(CueSheetError, match="cue 1 .* isn't what was heard any more"):
        run("lock", path, "all")
    assert path.read_bytes() == before
    run("lock", path, 1, "--unheard")
    assert load_sheet(path).cues[0].locked and load_sheet(path).cues[0].notes != notes_of(score, 1)


@pytest.mark.parametrize("word", ["0", "4", "1m4", "Happy", "1", ""])
def test_cues_are_named_by_number_or_name(word: str) -> None:
    if word == "1":
        assert cue_numbers(film(), ["1m2 Angry", "1", "1m3", "1m1 H"]) == [1, 2, 3]
        return
    with pytest.raises(CueSheetError, match="there is no cue") as caught:
        cue_numbers(film(), [word])
    assert "1 to 3" in caught.value.remedy
    with pytest.raises(CueSheetError, match="'1m' is the name of 3 cues"):
        cue_numbers(film(), ["1m"])


def test_what_the_sheet_remembers_is_what_was_set() -> None:
    options = build(takes=3, roles="melody", match_near=0.2, preset="piano")
    assert written_with(options) == {"takes": 3, "roles": "melody"}
    assert written_with(build(music="auto", match_near=0.2)) == {"music": "auto", "match_near": 0.2}
    assert build(preset="piano", **written_with(options)).compose == options.compose
