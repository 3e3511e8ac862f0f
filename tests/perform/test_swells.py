"""Long notes that grow and fall by expression."""

from __future__ import annotations

from handscore import hand_score

from videoscore.music.score import PPQ
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.orchestrate.swells import FULL, swelled
from videoscore.perform.parts import Played


def half_a_second(tick: int, seconds: float) -> int:
    """Ticks at 120 quarters a minute."""
    return round(seconds * 2 * PPQ)


def value_at(changes, tick: int) -> int:
    return next((value for at, value in reversed(changes) if at <= tick), FULL)


def test_a_long_note_grows_and_falls_and_a_short_one_is_left_alone():
    notes = [Played(0, 8 * PPQ, 60, 80), Played(8 * PPQ, PPQ, 62, 80), Played(9 * PPQ, 6 * PPQ, 64, 80)]
    changes = swelled(notes, (), 6.0, half_a_second)
    begin, top, end = (value_at(changes, tick) for tick in (0, 5 * PPQ, 8 * PPQ - 1))
    assert begin == round(FULL * 10 ** (-6 / 40)) and top > FULL - 3 and begin < end < top
    assert value_at(changes, 8 * PPQ) == FULL == value_at(changes, 9 * PPQ - 1)
    assert value_at(changes, 9 * PPQ) == begin
    assert [tick for tick, _ in changes] == sorted({tick for tick, _ in changes})
    assert swelled(notes, (), 0.0, half_a_second) == ()


def test_what_enters_or_leaves_by_expression_and_what_others_play_into_is_left_alone():
    note = [Played(0, 8 * PPQ, 60, 80)]
    rise = ((0, 60), (PPQ, 90), (4 * PPQ, 127))
    assert swelled(note, rise, 6.0, half_a_second) == rise
    faded = ((8 * PPQ, 100), (9 * PPQ, 0))
    assert swelled(note, faded, 6.0, half_a_second) == faded
    crossing = [Played(0, 8 * PPQ, 60, 80), Played(4 * PPQ, 8 * PPQ, 64, 80)]
    assert value_at(swelled(crossing, (), 6.0, half_a_second), 2 * PPQ) == FULL
    after = ((8 * PPQ, 60), (9 * PPQ, 127))
    later = [Played(0, 7 * PPQ, 60, 80), Played(8 * PPQ, PPQ, 60, 80)]
    assert value_at(swelled(later, after, 6.0, half_a_second), 8 * PPQ) == 60, (
        "the change that was there stays"
    )


def test_the_orchestra_s_strings_swell():
    score = hand_score(("Anxiety",), bars=8, bpms=(60,))
    long = tuple(
        n.__class__(n.start, n.role, n.pitch, 4 * PPQ, n.velocity)
        for n in score.notes
        if n.start % (4 * PPQ) == 0
    )
    music = orchestrate(
        score.__class__(long, score.sections, score.tempo, score.duration), load_preset("cinematic")
    )
    violins = next(p for p in music.parts if p.name == "violins")
    assert min(value for _, value in violins.expression) < 110 and max(v for _, v in violins.expression) > 124
