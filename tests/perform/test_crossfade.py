"""What happens where one palette gives way to another, and where lines lie in their registers."""

from __future__ import annotations

import bisect
import dataclasses
from fractions import Fraction

import mido
import numpy as np
import pytest
from handscore import hand_score
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.mood.circle import MOODS
from videoscore.music.score import PPQ, Note, Role, Score
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.orchestrate.palettes import Instrument, Voice
from videoscore.perform.orchestrate.registers import CLEAR, NEAREST, cleared, in_range
from videoscore.perform.parts import Arrangement, Part
from videoscore.perform.played_midi import to_bytes
from videoscore.settings.fields import RenderOptions
from videoscore.settings.preset_file import list_presets

BAR = 4 * PPQ


def part(arrangement: Arrangement, name: str) -> Part:
    return next(p for p in arrangement.parts if p.name == name)


def level(p: Part, tick: int) -> int:
    """Expression at a tick."""
    return next((value for at, value in reversed(p.expression) if at <= tick), 127)


def loudness(p: Part, boundary: int, bars: int = 6) -> list[float]:
    """Mean in each bar after the boundary of what is heard of velocities: expression has the same 40 log10 dB."""
    return [
        float(
            np.mean(
                [
                    n.velocity * level(p, n.start) / 127
                    for n in p.notes
                    if boundary + k * BAR <= n.start < boundary + (k + 1) * BAR
                ]
            )
        )
        for k in range(bars)
    ]


def even(*moods: str, role: Role, pitch: int = 64, bars: int = 8) -> Score:
    """The same quarter notes for one role all through: what changes in level is the orchestration's doing."""
    score = hand_score(moods, bars=bars, bpms=(120,), roles=(Role.BASS,))
    notes = tuple(Note(k * PPQ, role, pitch, PPQ, 80) for k in range(score.sections[-1].end // PPQ))
    return dataclasses.replace(score, notes=notes)


# ---------------------------------------------------------------- over a boundary


def test_who_enters_grows_over_the_first_bar():
    score = even("Angry", "Tired", role=Role.ACCOMPANIMENT)
    boundary = score.sections[1].start
    bars = loudness(part(orchestrate(score, load_preset("cinematic")), "harp"), boundary)
    assert bars[0] < 0.85 * bars[1] and bars[1] == pytest.approx(bars[2], rel=0.15)
    harp = part(orchestrate(score, load_preset("cinematic")), "harp")
    first = [
        n.velocity * level(harp, n.start) / 127 for n in harp.notes if boundary <= n.start < boundary + BAR
    ]
    assert first[0] < first[2] < first[3] * 1.15 and first[0] < 0.75 * bars[1]


def test_the_tune_enters_nearer_to_its_level_and_a_doubling_builds_over_a_phrase():
    tune = even("Tired", "Happy", role=Role.MELODY, pitch=74)
    arrangement = orchestrate(tune, load_preset("cinematic"))
    lead = loudness(part(arrangement, "flute"), tune.sections[1].start)
    doubling = loudness(part(arrangement, "violins"), tune.sections[1].start)
    assert lead[0] < lead[1] and lead[0] / lead[4] > doubling[0] / doubling[4] + 0.15
    assert doubling[0] < doubling[1] < doubling[2] * 1.02 and doubling[0] < 0.82 * doubling[4]


def test_a_much_livelier_cue_breaks_in():
    def entry(*moods: str) -> float:
        score = even(*moods, role=Role.PAD)
        bars = loudness(part(orchestrate(score, load_preset("cinematic")), "choir"), score.sections[1].start)
        return bars[0] / bars[4]

    assert entry("Happy", "Depressed") + 0.05 < entry("Peaceful", "Angry") < 1.0


def test_a_stinger_strikes_at_once():
    score = even("Happy", "Angry", role=Role.PAD, bars=1)
    pad = part(orchestrate(score, load_preset("cinematic")), "choir")
    full = part(orchestrate(even("Angry", role=Role.PAD, bars=1), load_preset("cinematic")), "choir")
    assert np.mean([n.velocity for n in pad.notes]) == pytest.approx(
        np.mean([n.velocity for n in full.notes]), abs=4
    )


def test_who_stays_changes_nothing_and_the_film_s_beginning_is_no_entry():
    score = even("Happy", "Dynamic", role=Role.BASS, pitch=40)
    arrangement = orchestrate(score, load_preset("cinematic"))
    assert part(arrangement, "basses").expression == ()
    alone = orchestrate(even("Dynamic", role=Role.PAD), load_preset("cinematic"))
    bars = loudness(part(alone, "strings"), 0)
    assert bars[0] == pytest.approx(bars[4], rel=0.1)
    assert all(p.expression == () for p in orchestrate(hand_score(MOODS), load_preset("piano")).parts)


def test_who_leaves_fades_and_is_there_in_full_when_it_comes_back():
    score = hand_score(("Peaceful", "Angry", "Peaceful"), bars=4)
    first, second = score.sections[1].start, score.sections[2].start
    oboe = part(orchestrate(score, load_preset("cinematic")), "oboe")
    fade = [value for tick, value in oboe.expression if first <= tick < second]
    assert fade == sorted(fade, reverse=True) and fade[0] > 100 and fade[-1] == 0
    ((down, up),) = oboe.pedal
    assert max(tick for tick, value in oboe.expression if value == 0) == up > first > down
    assert any(down <= n.start + n.duration <= first for n in oboe.notes), "something is held by the pedal"
    again = [value for tick, value in oboe.expression if tick >= second]
    assert (
        again == sorted(again)
        and 60 < again[0] < again[-1] == 127
        and any(n.start == second for n in oboe.notes)
    )


def test_the_fade_is_in_the_midi_file_before_the_next_note():
    score = hand_score(("Peaceful", "Angry", "Peaceful"), bars=2)
    arrangement = orchestrate(score, load_preset("cinematic"))
    file = mido.MidiFile(file=__import__("io").BytesIO(to_bytes(arrangement)))
    track = next(t for t in file.tracks if t.name == "oboe")
    now, seen = 0, []
    for message in track:
        now += message.time
        if message.type == "control_change" and message.control == 11:
            seen.append((now, message.value))
        if message.type == "note_on" and message.velocity and now == score.sections[2].start:
            assert seen[-1][0] == now and 60 < seen[-1][1] <= 127
    assert tuple(seen) == part(arrangement, "oboe").expression


def test_the_fade_is_heard(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    from videoscore.errors import SetupError
    from videoscore.perform.render.render import render

    score = hand_score(("Peaceful", "Angry"), bars=1, bpms=(120,), roles=(Role.PAD,))
    strings = part(orchestrate(score, load_preset("cinematic")), "strings")
    plain = dataclasses.replace(strings, expression=())
    levels = []
    for number, one in enumerate((strings, plain)):
        arrangement = Arrangement((one,), score.sections, score.tempo, score.duration)
        try:
            (stem,) = render(arrangement, tmp_path / str(number), RenderOptions(reverb=0.0), workers=1)
        except SetupError as error:
            pytest.skip(str(error))
        sound, rate = soundfile.read(stem.path)
        window = sound[round(2.5 * rate) : round(2.7 * rate)]  # half a second after the boundary
        levels.append(20 * np.log10(np.sqrt((window**2).mean()) + 1e-9))
    assert levels[0] < levels[1] - 8


@settings(max_examples=12, deadline=None)
@given(
    moods=st.lists(st.sampled_from(MOODS), min_size=2, max_size=5),
    name=st.sampled_from(list_presets()),
    bars=st.integers(1, 5),
    bpm=st.integers(30, 290),
)
def test_no_note_moves_and_none_passes_the_end(moods, name, bars, bpm):
    score = hand_score(moods, bars=bars, bpms=(bpm, 97))
    end = score.sections[-1].end
    starts = {note.start for note in score.notes}
    preset = load_preset(name)
    arrangement = orchestrate(score, preset)
    for p in arrangement.parts:
        ticks = [tick for tick, _ in p.expression]
        assert ticks == sorted(ticks) and all(
            0 <= value <= 127 and 0 <= tick <= end for tick, value in p.expression
        )
        # an entry begins with a section, a swell with its own note
        beginnings = {s.start for s in score.sections} | {note.start for note in p.notes}
        strokes = {accent.instrument for accent in preset.accents.values()}
        values = [127, *(value for _, value in p.expression)]
        for note in p.notes:
            assert note.start + note.duration <= end
            if p.name in strokes:  # a riser is no note of the score
                continue
            near = min(starts, key=lambda tick: abs(tick - note.start))
            half_a_tick = Fraction(60, min(bpm, 97) * 2 * PPQ)
            moved = abs(arrangement.tempo.seconds(note.start) - arrangement.tempo.seconds(near))
            assert moved <= Fraction(8, 1000) + half_a_tick
            # a note is never struck into a fade: what falls last before it is where an entry begins
            last = bisect.bisect_right(ticks, note.start) - 1
            assert last < 0 or values[last + 1] >= values[last] or ticks[last] in beginnings
            assert last < 0 or values[last + 1] > 60


# ---------------------------------------------------------------- dynamics inside a cue


def test_loudness_follows_the_curve_inside_a_cue():
    score = even("Happy", role=Role.MELODY, pitch=74)
    rising = tuple(-0.6 + 1.2 * k / 7 for k in range(8))
    section = dataclasses.replace(score.sections[0], arousal=0.0, arousals=rising)
    p = orchestrate(dataclasses.replace(score, sections=(section,)), load_preset("piano")).parts[0]
    bars = loudness(p, 0, 8)
    assert bars[7] > bars[0] + 25
    assert np.corrcoef(bars, rising)[0, 1] > 0.9


def test_a_section_without_a_curve_is_level():
    section = hand_score(("Happy",)).sections[0]
    assert section.arousal_in(2) == section.arousal
    curved = dataclasses.replace(section, arousals=(0.0, 0.5))
    assert [curved.arousal_in(bar) for bar in (-1, 0, 0.5, 1, 9)] == [0.0, 0.0, 0.25, 0.5, 0.5]


def test_the_composer_s_sections_carry_the_curve_and_its_true_mean():
    from videoscore.cues.grid import sections
    from videoscore.cues.sheet import CurvePoint
    from videoscore.cues.wishes import cue_sheet, read

    def point(t, valence, arousal):
        return CurvePoint(Fraction(t), valence, arousal)

    # crowded points at the end weigh no more than their time
    curve = (
        point(0, 0.4, 0.1),
        point(20, 0.4, 0.1),
        *(point(20 + k, 0.4, 0.1 + 0.03 * k) for k in range(1, 5)),
    )
    (section,) = sections(cue_sheet(read(curve=curve)))
    assert section.arousal == pytest.approx(0.11, abs=0.01)
    assert len(section.arousals) == section.bars and section.arousals[0] == pytest.approx(0.1)
    assert section.arousals[-1] > 0.12


# ---------------------------------------------------------------- registers


def test_single_notes_outside_are_folded_and_only_a_line_that_lies_outside_moves():
    cello = Instrument("cello", 42, low=36, high=72)
    line = [40, 43, 35, 45, 33, 47]
    assert in_range(line, Role.BASS, Voice("cello"), cello) == [40, 43, 47, 45, 45, 47]
    high = [pitch + 40 for pitch in line]
    assert in_range(high, Role.MELODY, Voice("cello"), cello) == [pitch - 24 for pitch in high]


def test_a_doubling_lies_where_its_leader_plays():
    """The accompaniment is too low for the tremolo, not for the strings that double it."""
    low = even("Angry", role=Role.ACCOMPANIMENT, pitch=45)
    arrangement = orchestrate(low, load_preset("cinematic"))
    assert {n.pitch for n in part(arrangement, "tremolo").notes} == {57}
    assert {n.pitch for n in part(arrangement, "strings").notes} == {57}
    under = orchestrate(even("Dynamic", role=Role.BASS, pitch=33), load_preset("chamber"))
    assert {n.pitch for n in part(under, "cello").notes} == {45}
    assert {n.pitch for n in part(under, "bass").notes} == {33}


def test_the_orchestra_s_drums_play_no_timpani_out_of_key():
    """Keys 41 to 53 of the orchestra kit are timpani."""
    score = even("Angry", role=Role.DRUMS)
    keys = tuple(Note(k * PPQ, Role.DRUMS, 35 + k, PPQ, 80) for k in range(30))
    kit = part(orchestrate(dataclasses.replace(score, notes=keys), load_preset("cinematic")), "percussion")
    assert len(kit.notes) == 30 and not any(41 <= n.pitch <= 53 for n in kit.notes)


def test_low_chords_are_opened():
    chord = [
        Note(0, Role.BASS, 36, PPQ, 80),
        *(Note(0, Role.PAD, p, PPQ, 80) for p in (40, 43, 48)),
        Note(PPQ, Role.ACCOMPANIMENT, 40, PPQ, 80),
    ]
    # E beside the bass goes up, G a fifth above it stays; an E without a neighbour stays
    assert [(n.start, n.pitch) for n in cleared(chord)] == [(0, 36), (0, 43), (0, 48), (0, 52), (PPQ, 40)]
    octave = [
        Note(0, Role.BASS, 33, PPQ, 80),
        Note(0, Role.PAD, 45, PPQ, 80),
        Note(0, Role.MELODY, 40, PPQ, 80),
    ]
    assert sorted(n.pitch for n in cleared(octave)) == [33, 40, 57]


NOTES = st.lists(
    st.builds(
        Note,
        st.integers(0, 4000),
        st.sampled_from(list(Role)),
        st.integers(24, 84),
        st.integers(1, 2000),
        st.just(80),
    ),
    max_size=40,
).map(sorted)


@settings(max_examples=60, deadline=None)
@given(notes=NOTES)
def test_clearing_moves_by_octaves_only_and_keeps_bass_and_melody(notes):
    out = cleared(notes)
    assert out == sorted(out) and len(out) == len(notes)

    def kinds(of):
        return sorted((n.start, n.role, n.duration, n.pitch % 12) for n in of)

    assert kinds(out) == kinds(notes)
    still = [[n for n in of if n.role in (Role.BASS, Role.MELODY, Role.DRUMS)] for of in (notes, out)]
    assert still[0] == still[1] and CLEAR > NEAREST


def test_every_preset_plays_every_role_it_asks_for_in_its_register():
    for name in list_presets():
        preset = load_preset(name)
        for mood in MOODS:
            palette = preset.palette(mood)
            score = hand_score((mood,), roles=palette.roles)
            parts = {p.name: p for p in orchestrate(score, preset).parts}
            for role in palette.roles:
                assert palette.players(role)[0].instrument in parts, (name, mood, role)
            assert any(p.drums for p in parts.values()) == (Role.DRUMS in palette.roles)
            # the bass is the lowest of the pitched, and nobody doubles it below C1
            lowest = {n: float(np.mean([x.pitch for x in p.notes])) for n, p in parts.items() if not p.drums}
            lead = palette.players(Role.BASS)[0].instrument
            if name != "piano":
                assert min(lowest, key=lowest.get) in {v.instrument for v in palette.players(Role.BASS)}, (
                    name,
                    mood,
                )
                assert lowest[lead] < 55, (name, mood)
