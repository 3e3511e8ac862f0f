"""Choosing sections for cues, on catalogues made by hand or drawn: no files."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sheets import cue, sheets, two_cues

from videoscore.cues.keys import STEP, signature_and_mode
from videoscore.cues.sheet import CueSheet, HitPoint
from videoscore.library.select.beam import IN_A_ROW, SEMITONES, TRANSPOSE, search
from videoscore.library.select.match import match
from videoscore.library.select.material import STRETCH, bars_for, fit_meter, whole_bar
from videoscore.library.select.pick import Candidate
from videoscore.library.store.catalogue import Catalogue, Piece, assemble, section_rows
from videoscore.library.store.entry import SectionEntry
from videoscore.mood.circle import MOODS, centre
from videoscore.settings.fields import LibraryOptions

SELECT = LibraryOptions(music="select")
QUIET = dataclasses.replace(SELECT, chance=0.0)


def section(first=0, last=8, mood="Happy", key=0, bpm=110.0, beats=4.0, loop=0.9, point=None) -> SectionEntry:
    valence, arousal = centre(mood) if point is None else point
    length = beats * 60 / bpm
    return SectionEntry(
        first,
        last,
        round(first * beats * 480),
        round(last * beats * 480),
        first * length,
        last * length,
        valence,
        arousal,
        key,
        bpm,
        beats,
        4.0,
        first,
        min(last, first + 4),
        loop,
    )


def catalogue(*pieces: list[SectionEntry], recent: dict[int, int] | None = None) -> Catalogue:
    """One whose pieces are named a, b, c, ..., and how many films ago some were played."""
    names = [
        Piece(
            f"{k + 1:016x}{0:048x}", "abcdefghijklmnopqrstuvwxyz"[k], None, k + 1, s[-1].end, s[-1].last_bar
        )
        for k, s in enumerate(pieces)
    ]
    owner = np.repeat(np.arange(len(pieces)), [len(s) for s in pieces])
    ago = {names[k].content: n for k, n in (recent or {}).items()}
    return assemble(names, owner, section_rows([s for piece in pieces for s in piece]), ago)


def titles(picks) -> str:
    return "".join("-" if p is None else p.piece.title for p in picks)


# ---------------------------------------------------------------- what bars fill a cue


@given(
    st.fractions(Fraction(1, 10), 200),
    st.floats(30, 300),
    st.sampled_from([0.75, 1, 1.5, 2, 3, 3.5, 4, 4.5, 6]),
)
def test_bars_fill_a_cue_at_nearly_the_pieces_tempo(duration, bpm, beats):
    fitted = fit_meter(duration, bpm, beats)
    assert 60 * fitted.quarters / float(duration) == pytest.approx(bpm * fitted.stretch)
    assert 1 <= fitted.meter.beats <= 12
    if bpm * duration / 60 >= 7:
        assert 1 / (1 + STRETCH) - 1e-9 <= fitted.stretch <= 1 + STRETCH + 1e-9
    if fitted.meter.beats == whole_bar(beats) and fitted.quarters > 12 * fitted.meter.beats:
        assert abs(fitted.stretch - 1) < 0.09


def test_odd_bars_go_in_groups_and_those_of_no_quarters_never():
    assert [whole_bar(b) for b in (4, 3, 3.5, 1.5, 0.75, 0.25, 12, 13, 1 / 3, 6.5)] == [
        4,
        3,
        7,
        3,
        3,
        1,
        12,
        None,
        None,
        None,
    ]
    assert fit_meter(Fraction(20), 100, 1 / 3) is None


def test_beats_are_laid_on_hits_where_the_tempo_allows():
    free = fit_meter(Fraction(60), 120, 4)
    assert (free.meter.bars, free.stretch) == (30, 1.0)
    on_31 = [HitPoint(Fraction(60 * k, 31 * 4), "cut", 1.0) for k in (5, 50, 91)]
    assert fit_meter(Fraction(60), 120, 4, on_31).meter.bars == 31


@given(st.integers(1, 80), st.integers(0, 20), st.integers(1, 24), st.data())
def test_bars_come_in_order_and_jump_only_at_loops(count, first, length, data):
    run = first + length
    a = data.draw(st.integers(first, run - 1))
    b = data.draw(st.integers(a + 1, run))
    bars = bars_for(count, first, run, a, b)
    assert len(bars) == count
    assert bars[0] == first
    assert all(first <= bar < run for bar in bars)
    jumps = [(x, y) for x, y in zip(bars, bars[1:]) if y != x + 1]
    assert set(jumps) <= {(b - 1, a)}
    assert bool(jumps) <= (count > length)


# ---------------------------------------------------------------- what is chosen


def test_the_nearest_mood_wins():
    shelf = catalogue(*[[section(mood=mood, bpm=90)] for mood in MOODS])
    for k, mood in enumerate(MOODS):
        sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, mood, 8),))
        (pick,) = match(sheet, shelf, dataclasses.replace(QUIET, tempo=0.0))
        assert pick.piece.title == "abcdefgh"[k]
        assert pick.distance == pytest.approx(0, abs=1e-9)
        assert pick.cost == pytest.approx(sum(pick.terms.values()))


def test_a_section_inside_a_piece_is_found_and_the_piece_goes_on_from_there():
    calm, wild = [section(8 * k, 8 * k + 8, "Peaceful") for k in range(3)], section(24, 32, "Angry", bpm=140)
    rest = section(32, 40, "Angry", bpm=140)
    sheet = CueSheet("f", Fraction(24), (cue("1M1", 0, 24, "Angry", 14),))
    (pick,) = match(sheet, catalogue([*calm, wild, rest]), QUIET)
    assert pick.bars == tuple(range(24, 38))
    assert pick.terms["length"] == 0


def test_a_piece_that_changes_its_mood_is_looped_before_it_does():
    change = catalogue([section(0, 8, "Happy", bpm=120), section(8, 16, "Angry", bpm=120)])
    sheet = CueSheet("f", Fraction(24), (cue("1M1", 0, 24, "Happy", 12),))
    (pick,) = match(sheet, change, QUIET)
    assert pick.bars == (0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7)
    assert pick.terms["length"] > 0


def test_no_piece_plays_twice_in_a_row_unless_asked():
    shelf = catalogue([section()], [section(point=(0.0, 0.0))])
    sheet = CueSheet(
        "f", Fraction(60), tuple(cue(f"1M{k}", 20 * k, 20 * k + 20, "Happy", 8) for k in range(3))
    )
    assert titles(match(sheet, shelf, QUIET)) == "aba"
    again = dataclasses.replace(QUIET, same_piece=True, variety=0.0)
    assert titles(match(sheet, shelf, again)) == "aaa"
    only = match(sheet, catalogue([section()]), QUIET)
    assert titles(only) == "aaa"
    assert only[1].terms["variety"] == IN_A_ROW


def test_what_was_heard_earlier_in_the_film_is_a_little_dearer():
    shelf = catalogue([section()], [section(mood="Tired", bpm=60)], [section(point=(0.5, 0.25))])
    moods = ("Happy", "Tired", "Happy")
    sheet = CueSheet(
        "f", Fraction(60), tuple(cue(f"1M{k}", 20 * k, 20 * k + 20, m, 8) for k, m in enumerate(moods))
    )
    assert titles(match(sheet, shelf, dataclasses.replace(QUIET, variety=0.0, key=0.0))) == "aba"
    assert set(titles(match(sheet, shelf, dataclasses.replace(QUIET, variety=3.0, key=0.0)))) == set("abc")


def test_what_the_last_film_had_is_dearer_than_what_an_older_one_had():
    sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, "Happy", 8),))
    both = ([section()], [section()])
    assert titles(match(sheet, catalogue(*both, recent={0: 1}), QUIET)) == "b"
    assert titles(match(sheet, catalogue(*both, recent={0: 2, 1: 1}), QUIET)) == "a"
    (pick,) = match(sheet, catalogue(both[0], recent={0: 3}), QUIET)
    assert pick.terms["recency"] == pytest.approx(QUIET.recency / 4)


def test_a_tempo_that_does_not_suit_the_mood_costs():
    shelf = catalogue([section(bpm=60)], [section(bpm=110)])
    sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, "Happy", 8),))
    assert titles(match(sheet, shelf, QUIET)) == "b"


def test_what_was_played_without_a_beat_is_dearer():
    shelf = catalogue([section()], [section()])
    free = dataclasses.replace(shelf, pulse=np.array([0.25, 0.9]))
    sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, "Happy", 8),))
    assert titles(match(sheet, shelf, QUIET)) == "a"
    assert titles(match(sheet, free, QUIET)) == "b"
    (pick,) = match(sheet, dataclasses.replace(free, pulse=np.array([0.45, 0.0])), QUIET)
    assert pick.terms["beat"] == pytest.approx(QUIET.beat / 2)


def test_keys_of_neighbours_are_related_by_moving_pieces_a_little():
    # C major, then F# major: six steps apart, one semitone makes it one step
    shelf = catalogue([section(key=0)], [section(key=6, mood="Angry", bpm=140)])
    sheet = CueSheet("f", Fraction(40), (cue("1M1", 0, 20, "Happy", 9), cue("1M2", 20, 40, "Angry", 12)))
    near = match(sheet, shelf, dataclasses.replace(QUIET, key=1.0))
    a, b = (signature_and_mode(p.key)[0] for p in near)
    assert abs((a - b + 6) % 12 - 6) == 1
    assert sorted(abs(p.semitones) for p in near) == [0, 1]
    free = match(sheet, shelf, dataclasses.replace(QUIET, key=0.0))
    assert [p.key for p in free if p.semitones == 0] == [
        k for p, k in zip(free, ("C major", "F# major")) if p.semitones == 0
    ]


@given(sheets(), st.integers(0, 2**63 - 1))
@settings(max_examples=25, deadline=None)
def test_the_same_seed_chooses_the_same(sheet, seed):
    shelf = catalogue(*[[section(mood=m, key=k), section(8, 16, m, key=k)] for k, m in enumerate(MOODS * 2)])
    assert match(sheet, shelf, SELECT, seed=seed) == match(sheet, shelf, SELECT, seed=seed)


def test_another_seed_chooses_among_near_equals_only():
    shelf = catalogue(*[[section()] for _ in range(8)], [section(mood="Tired")])
    sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, "Happy", 8),))
    chosen = {titles(match(sheet, shelf, SELECT, seed=seed)) for seed in range(40)}
    assert len(chosen) > 4
    assert "i" not in chosen


def test_auto_leaves_cues_to_be_written_that_nothing_comes_close_to():
    shelf = catalogue([section()])
    auto = dataclasses.replace(QUIET, music="auto", near=0.3)
    assert titles(match(two_cues(), shelf, auto)) == "a-"
    assert titles(match(two_cues(), catalogue(), auto)) == "--"
    three = CueSheet("f", Fraction(40), (cue("1M1", 0, 20, "Happy", 8), cue("1M2", 20, 40, "Happy", 8)))
    assert sorted(titles(match(three, shelf, auto))) == ["-", "a"]  # not twice in a row


def test_pieces_whose_bars_are_no_quarters_or_that_are_left_out_are_never_chosen():
    shelf = catalogue([section(beats=1 / 3)], [section(mood="Tired")], [section()])
    sheet = CueSheet("f", Fraction(20), (cue("1M1", 0, 20, "Happy", 8),))
    assert titles(match(sheet, shelf, QUIET)) == "c"
    assert titles(match(sheet, shelf, QUIET, leave_out=frozenset({shelf.pieces[2].content}))) == "b"


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 3), st.integers(0, 2), st.integers(-6, 5)), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    )
)
@example([[(0.0, 0, 0), (0.0, 0, 0), (1.0, 1, 0)], [(0.0, 0, 0), (0.0, 1, 0), (0.0, 1, 0)], [(0.0, 1, 0)]])
@settings(max_examples=30, deadline=None)
def test_the_way_through_a_short_film_is_the_cheapest_of_all(drawn):
    meter = two_cues().cues[0].meter
    columns = [
        [
            Candidate(0, piece, signature, (0,), meter, 1.0, 0.0, {"mood": cost})
            for cost, piece, signature in col
        ]
        for col in drawn
    ]

    def cost(way) -> float:
        total, heard, before = 0.0, [], None
        for candidate, semitones in way:
            own = (candidate.signature + 7 * semitones + 6) % 12 - 6
            total += candidate.cost + SELECT.key * TRANSPOSE * abs(semitones)
            if before is not None:
                total += SELECT.key * STEP[abs((before - own + 6) % 12 - 6)]
                total += IN_A_ROW * (heard[-1] == candidate.piece) + SELECT.variety * (
                    candidate.piece in heard[:-1]
                )
            heard.append(candidate.piece)
            before = own
        return total

    found = search(columns, SELECT)
    way = [(column[k], semitones) for column, (k, semitones, _) in zip(columns, found)]
    told = sum(column[k].cost + sum(terms.values()) for column, (k, _, terms) in zip(columns, found))
    assert told == pytest.approx(cost(way))
    best = min(
        cost(w)
        for w in itertools.product(*[[(c, s) for c in column for s in SEMITONES] for column in columns])
    )
    assert cost(way) <= best + 0.05  # a beam may lose a hair
