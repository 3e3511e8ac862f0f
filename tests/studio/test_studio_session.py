"""The studio's session: what the user decided, whatever the sliders do; undo; takes that keep what they should."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from studio_stubs import compose, made, notes_of, score_of, seen, session

from videoscore.cues.check import check
from videoscore.cues.file.sheet_file import dumps, loads
from videoscore.cues.spot.spot import spot
from videoscore.errors import UsageError, VideoscoreError
from videoscore.mood.circle import MOODS
from videoscore.mood.smooth import smooth
from videoscore.settings.fields import Options, SmoothOptions
from videoscore.studio import cue_edits, view
from videoscore.studio.session import TAKES, Session


def test_without_edits_the_sliders_do_what_the_command_line_does() -> None:
    at_work = session()
    for window, shortest in ((2.0, 4), (12.0, 8), (20.0, 15)):
        sheet = at_work.resegment(window, Fraction(shortest))
        film = at_work.analysis
        curve = smooth(film.raw, film.cuts, SmoothOptions(window=window))
        options = replace(Options().spot, min_cue=Fraction(shortest))
        assert sheet == spot(curve, film.cuts, film.media.duration, options, source="film.mp4")


def test_the_sliders_leave_what_was_edited_and_respect_the_shortest_cue_around_it() -> None:
    at_work = session(seconds=240, scenes=12)
    number = len(at_work.sheet.cues) // 2
    at_work.set_mood(number, "Tired")
    kept = at_work.sheet.cues[number]
    for window, shortest in ((1.0, 3), (30.0, 20), (6.0, 8)):
        sheet = at_work.resegment(window, Fraction(shortest))
        found = [c for c in sheet.cues if c.start == kept.start]
        assert [cue_edits.bare(c) for c in found] == [cue_edits.bare(kept)]
        lengths = [c.duration for c in sheet.cues if c.start != kept.start]
        # only a stretch between the edited cue and the film's ends may be shorter
        assert all(d >= shortest for d in lengths) or min(kept.start, sheet.duration - kept.end) < shortest
        check(sheet)


def test_a_boundary_set_by_hand_stays() -> None:
    at_work = session()
    at_work.move_boundary(1, at_work.sheet.cues[1].start + Fraction(3, 2), Fraction(0))
    t = at_work.sheet.cues[1].start
    for window in (1.0, 25.0):
        assert t in [c.start for c in at_work.resegment(window, Fraction(10)).cues]
    at_work.release([c.start for c in at_work.sheet.cues].index(t))
    at_work.resegment(6.0, Fraction(8))
    assert [c.start for c in at_work.sheet.cues] == [c.start for c in at_work.analysis.sheet.cues]


def test_boundaries_snap_to_cuts_exactly_and_stay_between_their_neighbours() -> None:
    at_work = session()
    before, after = at_work.sheet.cues[0], at_work.sheet.cues[1]
    cut = next(
        c.t for c in at_work.analysis.cuts if before.start + 1 < c.t < after.end - 1 and c.t != after.start
    )
    at_work.move_boundary(1, cut + Fraction(3, 100), Fraction(1, 10))
    assert at_work.sheet.cues[1].start == cut and at_work.sheet.cues[1].start_on == "cut"
    at_work.move_boundary(1, cut + Fraction(3, 100), Fraction(0))
    assert at_work.sheet.cues[1].start == cut + Fraction(3, 100) and at_work.sheet.cues[1].start_on == "edit"
    at_work.move_boundary(1, Fraction(10**6), Fraction(0))
    assert at_work.sheet.cues[1].start == after.end - cue_edits.SHORTEST
    with pytest.raises(UsageError, match="first cue"):
        at_work.move_boundary(0, Fraction(3))


def test_an_edit_is_what_the_same_edit_of_the_file_is() -> None:
    at_work = session()
    text = dumps(at_work.sheet).replace(f'"mood": "{at_work.sheet.cues[1].mood}"', '"mood": "Dynamic"', 1)
    at_work.set_mood(0 if at_work.sheet.cues[0].mood == at_work.sheet.cues[1].mood else 1, "Dynamic")
    assert at_work.sheet == loads(text)


def test_split_and_merge_give_back_the_boundaries() -> None:
    at_work = session()
    starts = [c.start for c in at_work.sheet.cues]
    middle = (at_work.sheet.cues[1].start + at_work.sheet.cues[1].end) / 2
    new = at_work.split(middle, Fraction(0))
    assert new == 2 and at_work.sheet.cues[2].start == middle and at_work.state.marks[2].fixed
    # the curve is that of the pictures, on both sides
    assert at_work.sheet.cues[2].curve[0].t == middle
    at_work.merge(new)
    assert [c.start for c in at_work.sheet.cues] == starts
    assert [c.name.split()[0] for c in at_work.sheet.cues] == [f"1m{n}" for n in range(1, len(starts) + 1)]


def test_a_saved_sheet_is_gone_on_with() -> None:
    first = session()
    compose(first)
    first.set_mood(1, "Tired")
    compose(first)
    saved = loads(dumps(first.to_save()))
    at_work = session()
    spotted = at_work.sheet
    at_work.go_on(saved)
    assert at_work.sheet == saved and at_work.resegment(30.0, Fraction(20)) == saved
    assert notes_of(compose(at_work), 0) == notes_of(first.takes[-1], 0)
    while at_work.can_undo:
        at_work.undo()
    assert at_work.sheet == spotted
    with pytest.raises(VideoscoreError, match="for a film of"):
        session(seconds=60).go_on(saved)


def test_one_movement_of_a_slider_is_one_step_to_undo() -> None:
    at_work = session()
    first = at_work.state
    for window in (7.0, 9.0, 15.0, 22.0):
        at_work.resegment(window, Fraction(8), final=False)
    at_work.resegment(22.0, Fraction(8), final=True)
    moved = at_work.state
    at_work.resegment(22.0, Fraction(16), final=True)
    at_work.undo()
    assert at_work.state == moved
    at_work.undo()
    assert at_work.state == first and not at_work.can_undo
    at_work.redo()
    assert at_work.state == moved


def test_an_edit_in_the_middle_of_a_movement_is_a_step_of_its_own() -> None:
    at_work = session()
    at_work.resegment(9.0, Fraction(8), final=False)
    loose = at_work.state
    at_work.set_mood(0, "Happy")
    at_work.undo()
    assert at_work.state == loose


def test_an_error_changes_nothing() -> None:
    at_work = session()
    before = at_work.state
    for wrong in (
        lambda: at_work.set_mood(99, "Happy"),
        lambda: at_work.set_mood(0, "Jolly"),
        lambda: at_work.set_key(0, "H major"),
        lambda: at_work.set_bpm(0, 5000),
        lambda: at_work.lock(0),
        lambda: at_work.set_preset("no-such"),
        lambda: at_work.resegment(-1.0, Fraction(8)),
        lambda: at_work.resegment(6.0, Fraction(0)),
        lambda: at_work.split(Fraction(1, 10)),
        lambda: at_work.rename(0, "  "),
        lambda: at_work.set_seed(0, -1),
        lambda: at_work.choose_take(3),
    ):
        with pytest.raises(VideoscoreError):
            wrong()
        assert at_work.state == before and not at_work.can_undo


# ---------------------------------------------------------------- takes


def test_only_what_was_changed_is_written_anew() -> None:
    at_work = session()
    first = compose(at_work)
    assert not at_work.pending and not any(at_work.stale())
    at_work.set_mood(1, "Tired" if at_work.sheet.cues[1].mood != "Tired" else "Angry")
    assert at_work.stale() == tuple(n == 1 for n in range(len(at_work.sheet.cues)))
    request = at_work.ask_changes()
    assert [c.locked for c in request.sheet.cues] == [n != 1 for n in range(len(at_work.sheet.cues))]
    second = compose(at_work, request)
    same = [notes_of(first, n) == notes_of(second, n) for n in range(len(at_work.sheet.cues))]
    assert same == [n != 1 for n in range(len(same))]
    assert not any(c.locked for c in at_work.sheet.cues), "only the user locks"


def test_regenerating_a_cue_changes_that_cue_and_nothing_else() -> None:
    at_work = session()
    takes = [compose(at_work)]
    for _ in range(3):
        takes.append(compose(at_work, at_work.ask_one(2)))
    seeds = [t.sheet.cues[2].seed for t in takes]
    assert len(set(seeds)) == 4
    for take in takes[1:]:
        assert notes_of(take, 2) != notes_of(takes[0], 2)
        others = [n for n in range(len(take.sheet.cues)) if n != 2]
        assert all(notes_of(take, n) == notes_of(takes[0], n) for n in others)
    at_work.choose_take(takes[0].number)
    assert at_work.sheet.cues[2].seed is None and at_work.take == takes[0]


def test_the_saved_sheet_gives_the_take_that_is_heard() -> None:
    at_work = session()
    compose(at_work)
    at_work.set_mood(0, "Withered")
    compose(at_work)
    take = compose(at_work, at_work.ask_one(1))
    assert at_work.to_save() == take.sheet
    assert score_of(loads(dumps(at_work.to_save()))) == take.composition.score


def test_a_locked_cue_keeps_its_notes_whatever_is_around_it() -> None:
    at_work = session()
    first = compose(at_work)
    at_work.lock(2)
    cue = at_work.sheet.cues[2]
    with pytest.raises(UsageError, match="locked"):
        at_work.set_mood(2, "Happy")
    with pytest.raises(UsageError, match="locked"):
        at_work.ask_one(2)
    at_work.split((at_work.sheet.cues[0].start + at_work.sheet.cues[0].end) / 2)
    at_work.resegment(14.0, Fraction(12))
    second = compose(at_work, at_work.ask_all(77))
    number = [c.start for c in at_work.sheet.cues].index(cue.start)
    assert notes_of(second, number) == notes_of(first, 2)
    at_work.unlock(number)
    assert not at_work.pending, "unlocking alone asks for nothing new"


def test_a_cue_can_be_locked_only_as_it_was_composed() -> None:
    at_work = session()
    compose(at_work)
    at_work.set_mood(1, "Tired" if at_work.sheet.cues[1].mood != "Tired" else "Angry")
    assert at_work.can_lock(0) and not at_work.can_lock(1)
    with pytest.raises(UsageError, match="changed"):
        at_work.lock(1)


def test_another_preset_asks_for_everything_but_locked_notes() -> None:
    at_work = session()
    first = compose(at_work)
    at_work.lock(0)
    at_work.set_preset("piano")
    assert at_work.pending and at_work.stale() == (False, *(True for _ in at_work.sheet.cues[1:]))
    second = compose(at_work)
    assert second.sheet.preset == "piano" and notes_of(second, 0) == notes_of(first, 0)


def test_what_is_changed_while_it_composes_stays_changed() -> None:
    at_work = session()
    compose(at_work)
    request = at_work.ask_one(1)
    at_work.set_mood(0, "Angry" if at_work.sheet.cues[0].mood != "Angry" else "Happy")
    mood = at_work.sheet.cues[0].mood
    take = compose(at_work, request)
    assert at_work.take == take
    assert at_work.sheet.cues[0].mood == mood and at_work.sheet.cues[1].seed == take.sheet.cues[1].seed
    assert at_work.stale() == tuple(n == 0 for n in range(len(at_work.sheet.cues)))


def test_takes_are_few_numbered_and_reversible() -> None:
    at_work = session()
    takes = [compose(at_work, at_work.ask_all(n)) for n in range(TAKES + 2)]
    assert [t.number for t in at_work.takes] == list(range(3, TAKES + 3))
    assert [t.number for t in at_work.old_takes] == [1, 2]
    shown = at_work.state
    at_work.choose_take(4)
    assert at_work.sheet.seed == 3 and at_work.take == takes[3]
    at_work.undo()
    assert at_work.state == shown


def test_the_session_of_an_odd_film() -> None:
    for seconds, scenes in ((1, 1), (3, 1), (17, 2)):
        film = seen(seconds=max(seconds, 8), scenes=scenes)
        at_work = Session(film, Options())
        at_work.resegment(0.0, Fraction(1))
        compose(at_work)
        check(at_work.sheet)


def test_the_page_is_told_numbers_only_and_little_of_them() -> None:
    import json

    at_work = session(seconds=600, scenes=24)
    compose(at_work)
    told = json.dumps(view.now(at_work))
    assert len(told) < 120_000 and "NaN" not in told
    assert len(json.dumps(view.film(at_work.analysis, ()))) < 120_000


def test_ink_on_every_mood_is_legible() -> None:
    from videoscore.preview.timeline import COLOURS

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        return sum(
            w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
            for w, c in zip((0.2126, 0.7152, 0.0722), parts)
        )

    for colour in COLOURS.values():
        low, high = sorted(luminance(c) + 0.05 for c in (colour, view.ink(colour)))
        assert high / low >= 4.5, colour


# ---------------------------------------------------------------- whatever a user does


class Anything(RuleBasedStateMachine):
    """Any sequence of edits leaves a sound sheet; undoing all of them leaves the beginning."""

    @initialize(seconds=st.sampled_from([12, 60, 200]), scenes=st.integers(1, 8), seed=st.integers(0, 3))
    def open(self, seconds: int, scenes: int, seed: int) -> None:
        self.work = Session(seen(seconds=seconds, scenes=scenes, seed=seed), Options())
        self.first = self.work.state

    def number(self, share: float) -> int:
        return min(len(self.work.sheet.cues) - 1, int(share * len(self.work.sheet.cues)))

    def attempt(self, what: str, *values: object) -> None:
        before = self.work.state
        try:
            getattr(self.work, what)(*values)
        except VideoscoreError as error:
            assert self.work.state == before and str(error).endswith((".", "?"))

    shares = st.floats(0, 0.999)

    @rule(window=st.floats(0, 40), shortest=st.integers(1, 40), final=st.booleans())
    def slide(self, window: float, shortest: int, final: bool) -> None:
        self.attempt("resegment", round(window, 1), Fraction(shortest), final)

    @rule(share=shares, mood=st.sampled_from(MOODS))
    def mood(self, share: float, mood: str) -> None:
        self.attempt("set_mood", self.number(share), mood)

    @rule(share=shares, to=shares, snap=st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(2)]))
    def move(self, share: float, to: float, snap: Fraction) -> None:
        t = Fraction(round(to * float(self.work.sheet.duration) * 1000), 1000)
        self.attempt("move_boundary", self.number(share), t, snap)

    @rule(to=shares)
    def split(self, to: float) -> None:
        self.attempt("split", Fraction(round(to * float(self.work.sheet.duration) * 1000), 1000))

    @rule(share=shares)
    def merge(self, share: float) -> None:
        self.attempt("merge", self.number(share))

    @rule(share=shares, what=st.sampled_from(["lock", "unlock", "release"]))
    def lock(self, share: float, what: str) -> None:
        self.attempt(what, self.number(share))

    @rule(share=shares, bpm=st.floats(30, 200))
    def tempo(self, share: float, bpm: float) -> None:
        self.attempt("set_bpm", self.number(share), bpm)

    @rule(share=shares)
    def compose(self, share: float) -> None:
        request = self.work.ask_changes()
        take = compose(self.work, request)
        assert not self.work.pending and self.work.take == take
        assert loads(dumps(take.sheet)) == take.sheet
        again, score = score_of(loads(dumps(take.sheet))), take.composition.score
        assert (again.notes, again.tempo, again.duration) == (score.notes, score.tempo, score.duration)

    @rule(share=shares)
    def again(self, share: float) -> None:
        number = self.number(share)
        before = self.work.take
        if before is not None and not self.work.sheet.cues[number].locked and not self.work.pending:
            take = compose(self.work, self.work.ask_one(number))
            for n in range(len(take.sheet.cues)):
                assert n == number or notes_of(take, n) == notes_of(before, n)

    @rule()
    def undo(self) -> None:
        self.work.undo()

    @rule()
    def redo(self) -> None:
        self.work.redo()

    @invariant()
    def sound(self) -> None:
        sheet, marks = self.work.sheet, self.work.state.marks
        check(sheet)
        assert len(marks) == len(sheet.cues)
        assert all(a.end == b.start for a, b in pairwise(sheet.cues))

    def teardown(self) -> None:
        if hasattr(self, "work"):
            while self.work.can_undo:
                self.work.undo()
            assert self.work.state == self.first


TestAnything = Anything.TestCase
TestAnything.settings = hypothesis_settings(max_examples=40, stateful_step_count=14, deadline=None)


@given(st.integers(1, 40), st.floats(0, 40))
@hypothesis_settings(max_examples=10, deadline=None)
def test_the_curve_of_respotted_stretches_lies_on_the_smoothed_one(shortest: int, window: float) -> None:
    at_work = session()
    at_work.set_mood(1, "Tired")
    sheet = at_work.resegment(round(window, 1), Fraction(shortest))
    curve = at_work.curve()
    for cue, mark in zip(sheet.cues, at_work.state.marks):
        if not mark.edited:
            for point in cue.curve[1:-1]:
                valence, arousal = curve.at(float(point.t))
                assert abs(point.valence - valence) < 0.05 and abs(point.arousal - arousal) < 0.05


def test_stub_scores_hold_what_is_locked() -> None:
    at_work = session()
    first = compose(at_work)
    request = at_work.ask_one(0)
    again = made(request.sheet)
    assert again.score.sections[1].start == first.composition.score.sections[1].start
