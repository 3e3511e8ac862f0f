"""One film's session: what the user decided, undone and redone, and the takes. No files, no clock, no page.

Cues are counted from 0. Every method that changes something checks first and then changes, so an error (one of
`videoscore.errors`) leaves the session as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from videoscore.cues.conform import conform
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.errors import UsageError
from videoscore.mood.curve import MoodCurve
from videoscore.mood.smooth import smooth
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.pipeline.watch import Analysis
from videoscore.settings.build import build, check_seed
from videoscore.settings.fields import Options
from videoscore.studio import cue_edits
from videoscore.studio.respot import respot
from videoscore.studio.state import Composition, Mark, Request, State, Take

TAKES = 5  # that are kept
UNDOS = 200
CURVES = 8  # smoothed curves that are kept, by window
SNAP = Fraction(1, 50)


class Session:
    """analysis : its raw curve and cuts are what re-segmenting works on. options : as the film was watched
    with. settings : those that the user named, by name; they hold with any preset."""

    def __init__(self, analysis: Analysis, options: Options, settings: dict[str, Any] | None = None) -> None:
        self.analysis, self.options, self.settings = analysis, options, dict(settings or {})
        self.takes: list[Take] = []
        self.old_takes: list[Take] = []  # takes whose files may go
        self._next = 1
        self._curves: dict[float, MoodCurve] = {options.smooth.window: analysis.curve}
        self._past: list[State] = []
        self._future: list[State] = []
        self._loose = False  # the last change was one of a gesture that goes on
        self.state = State(
            options.smooth.window, options.spot.min_cue, analysis.sheet, _marks(analysis.sheet)
        )

    def go_on(self, sheet: CueSheet) -> None:
        """Go on with a cue sheet that was saved: the sliders leave its cues alone until they are freed; undo gives
        what was spotted. Raises CueSheetError for another film's."""
        fitted = conform(sheet, self.analysis.media.duration)
        fitted = replace(fitted, cuts=self.sheet.cuts)
        self._set(replace(self.state, sheet=fitted, marks=tuple(Mark(edited=True) for _ in fitted.cues)))

    # ------------------------------------------------------------ looking

    @property
    def sheet(self) -> CueSheet:
        return self.state.sheet

    @property
    def take(self) -> Take | None:
        """The one that is heard."""
        return next((t for t in self.takes if t.number == self.state.take), None)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def curve(self) -> MoodCurve:
        """The smoothed curve at the window of now."""
        window = self.state.window
        if window not in self._curves:
            if len(self._curves) >= CURVES:
                self._curves.pop(next(iter(self._curves)))
            options = replace(self.options.smooth, window=window)
            self._curves[window] = smooth(self.analysis.raw, self.analysis.cuts, options)
        return self._curves[window]

    def stale(self) -> tuple[bool, ...]:
        """A cue each: whether the take that is heard has other music for it than it asks for now."""
        by_name = {} if self.take is None else _sections(self.take)
        return tuple(not c.locked and _key(c, self.sheet) not in by_name for c in self.sheet.cues)

    @property
    def pending(self) -> bool:
        """Whether composing would change what is heard: cues, their places, or the preset."""
        take = self.take
        return take is None or [_key(c, self.sheet) for c in self.sheet.cues] != list(_sections(take))

    def play_options(self, sheet: CueSheet) -> Options:
        """The options that the command line has for this sheet and what the user gave."""
        return build(sheet.preset, sheet.seed, **self.settings)

    # ------------------------------------------------------------ changing

    def resegment(self, window: float, min_cue: Fraction, final: bool = True) -> CueSheet:
        """Smooth and spot again. Locked and edited cues and boundaries set by hand stay.

        final : False while a slider moves, so that one movement is one step to undo. Raises UsageError.
        """
        values = build(None, None, self.options, smooth=window, min_cue=str(min_cue))
        was, before = self.state, (self.state.window, self.state.min_cue)
        if (values.smooth.window, values.spot.min_cue) == before:
            self._loose = self._loose and not final
            return self.sheet
        self.state = replace(was, window=values.smooth.window)
        try:
            curve = self.curve()
        finally:
            self.state = was
        options = replace(self.options.spot, min_cue=values.spot.min_cue)
        marks_by_start = {c.start: m for c, m in zip(was.sheet.cues, was.marks) if m.edited or c.locked}
        fixed = [c.start for c, m in zip(was.sheet.cues, was.marks) if m.fixed]
        sheet = respot(
            curve,
            self.analysis.cuts,
            was.sheet,
            options,
            [c for c in was.sheet.cues if c.start in marks_by_start],
            fixed,
        )
        marks = tuple(marks_by_start.get(c.start, Mark(fixed=c.start in fixed)) for c in sheet.cues)
        self._set(
            replace(was, window=values.smooth.window, min_cue=values.spot.min_cue, sheet=sheet, marks=marks),
            gesture=True,
            loose=not final,
        )
        return sheet

    def set_mood(self, number: int, mood: str) -> None:
        self._edit(number, mood=mood)

    def set_key(self, number: int, key: str) -> None:
        self._edit(number, key=key)

    def set_bpm(self, number: int, bpm: float) -> None:
        """The whole number of bars that comes nearest to this tempo."""
        self._edit(number, bpm=float(bpm))

    def set_seed(self, number: int, seed: int | None) -> None:
        """The cue's own seed; None: the sheet's."""
        self._edit(number, seed=None if seed is None else check_seed(seed))

    def rename(self, number: int, name: str) -> None:
        name = " ".join(name.split())
        if not name:
            raise UsageError("a cue needs a name", remedy="Write one.")
        self._edit(number, name=name)

    def _edit(self, number: int, **fields: Any) -> None:
        cue = self.cue(number)
        if cue.locked and set(fields) != {"name"}:
            raise UsageError(f"{cue.name} is locked", remedy="Unlock it, then change it.")
        self._to(
            cue_edits.change(self.sheet, number, **fields),
            {number: replace(self.state.marks[number], edited=True)},
        )

    def move_boundary(self, number: int, t: Fraction, snap: Fraction = SNAP) -> None:
        """Start cue `number` at `t`, or on a cut within `snap` seconds of it."""
        self._to(
            cue_edits.move(self.sheet, number, t, snap),
            {number: replace(self.state.marks[number], fixed=True)},
        )

    def split(self, t: Fraction, snap: Fraction = SNAP) -> int:
        """Part the cue at `t`; the number of the new cue."""
        sheet = cue_edits.split(self.sheet, t, snap)
        number = next(
            n
            for n, c in enumerate(sheet.cues)
            if n == len(self.sheet.cues) or c.start != self.sheet.cues[n].start
        )
        marks = list(self.state.marks)
        marks.insert(number, Mark(fixed=True))
        self._set(replace(self.state, sheet=sheet, marks=tuple(marks)))
        return number

    def merge(self, number: int) -> None:
        """Take cue `number` away: the one before lasts on, or the next begins earlier if it was the first."""
        sheet = cue_edits.merge(self.sheet, number)
        marks = list(self.state.marks)
        del marks[number]
        heir = max(0, number - 1)
        marks[heir] = replace(marks[heir], edited=True, fixed=marks[heir].fixed and heir > 0)
        self._set(replace(self.state, sheet=sheet, marks=tuple(marks)))

    def release(self, number: int) -> None:
        """Forget that the cue was edited: the next re-segmenting may change it."""
        self._to(self.sheet, {number: Mark()})

    def set_preset(self, name: str) -> None:
        """Other instruments, for all cues. Raises PresetError, or UsageError where it wants the library's music."""
        load_preset(name)
        check_written(build(name, None, **self.settings))
        self._to(replace(self.sheet, preset=name), {})

    def lock(self, number: int) -> None:
        """Keep the notes that the take has for the cue, whatever changes around it."""
        cue, take = self.cue(number), self.take
        if cue.locked:
            return
        if take is None:
            raise UsageError("there are no notes to lock yet", remedy="Compose first.")
        notes = _sections(take).get(_key(cue, self.sheet))
        if notes is None:
            raise UsageError(
                f"{cue.name} was changed after it was composed", remedy="Compose it first, then lock it."
            )
        self._replace(number, _with_notes(cue, _locked_sheet(take), notes))

    def can_lock(self, number: int) -> bool:
        """Whether there are notes for the cue as it is now."""
        return self.take is not None and _key(self.cue(number), self.sheet) in _sections(self.take)

    def unlock(self, number: int) -> None:
        self._replace(number, cue_edits.unlock(self.cue(number)))

    def undo(self) -> None:
        if self._past:
            self._future.append(self.state)
            self.state, self._loose = self._past.pop(), False

    def redo(self) -> None:
        if self._future:
            self._past.append(self.state)
            self.state, self._loose = self._future.pop(), False

    # ------------------------------------------------------------ composing

    def ask_all(self, seed: int | None = None) -> Request:
        """Everything but the locked cues, written anew; with another seed, another take."""
        sheet = self.sheet if seed is None else replace(self.sheet, seed=check_seed(seed))
        return self._request(sheet, sheet, f"all cues, seed {sheet.seed}")

    def ask_changes(self) -> Request:
        """What isn't as in the take that is heard; all else keeps its notes."""
        stale = self.stale()
        if self.take is None or all(stale):
            return self.ask_all()
        names = [c.name for c, s in zip(self.sheet.cues, stale) if s]
        sheet = self._holding(self.sheet, stale) if self.pending else self.take.sheet
        return self._request(self.sheet, sheet, names[0] if len(names) == 1 else f"{len(names)} cues")

    def ask_one(self, number: int, seed: int | None = None) -> Request:
        """The cue anew with another seed; every other cue that was composed keeps its notes."""
        cue = self.cue(number)
        if cue.locked:
            raise UsageError(f"{cue.name} is locked", remedy="Unlock it, then regenerate it.")
        seeds = {t.sheet.cues[n].seed for t in self.takes for n in range(len(t.sheet.cues))}
        fresh = next(
            s for s in range(1, len(seeds) + 3) if s not in seeds and s != self.sheet.seed and s != cue.seed
        )
        sheet = cue_edits.change(self.sheet, number, seed=fresh if seed is None else check_seed(seed))
        loose = [s or n == number for n, s in enumerate(self.stale())]
        marks = list(self.state.marks)
        marks[number] = replace(marks[number], edited=True)
        request = self._request(
            sheet, self._holding(sheet, loose), f"{cue.name} anew, seed {sheet.cues[number].seed}"
        )
        return replace(request, state=replace(request.state, marks=tuple(marks)))

    def to_save(self) -> CueSheet:
        """The sheet to write to a file: the command line makes of it what is heard and, of what was changed since,
        what `ask_changes` would."""
        return self.ask_changes().sheet

    def add_take(self, request: Request, composition: Composition) -> Take:
        """Keep what was composed, and show it; what the user changed in the meantime stays changed."""
        number, self._next = self._next, self._next + 1
        take = Take(number, replace(request.state, take=number), request.sheet, composition, request.what)
        self.takes.append(take)
        now = self.state
        if (now.sheet, now.marks) == (request.before.sheet, request.before.marks):
            state = replace(take.state, window=now.window, min_cue=now.min_cue)
        else:
            state = replace(now, sheet=_caught_up(now.sheet, request), take=number)
        self._set(state)
        while len(self.takes) > TAKES:
            oldest = next(t for t in self.takes if t.number != number)
            self.takes.remove(oldest)
            self.old_takes.append(oldest)
        return take

    def choose_take(self, number: int) -> Take:
        """Hear another take and show its cues; undo brings back what was shown."""
        take = next((t for t in self.takes if t.number == number), None)
        if take is None:
            raise UsageError(f"take {number} is no longer kept", remedy=f"The last {TAKES} are.")
        if take.state != self.state:
            self._set(take.state)
        return take

    # ------------------------------------------------------------ within

    def cue(self, number: int) -> Cue:
        if not 0 <= number < len(self.sheet.cues):
            raise UsageError(f"there is no cue {number + 1}", remedy=f"There are {len(self.sheet.cues)}.")
        return self.sheet.cues[number]

    def _request(self, state_sheet: CueSheet, take_sheet: CueSheet, what: str) -> Request:
        return Request(self.state, replace(self.state, sheet=state_sheet), take_sheet, what)

    def _holding(self, sheet: CueSheet, loose: Sequence[bool]) -> CueSheet:
        """The sheet with the take's notes in all cues but the loose ones."""
        take = self.take
        if take is None:
            return sheet
        by_name, notes = _sections(take), _locked_sheet(take)
        cues = [
            c
            if free or c.locked or _key(c, sheet) not in by_name
            else _with_notes(c, notes, by_name[_key(c, sheet)])
            for c, free in zip(sheet.cues, loose)
        ]
        return replace(sheet, cues=tuple(cues))

    def _replace(self, number: int, cue: Cue) -> None:
        cues = list(self.sheet.cues)
        cues[number] = cue
        self._to(replace(self.sheet, cues=tuple(cues)), {})

    def _to(self, sheet: CueSheet, marks: dict[int, Mark]) -> None:
        new_marks = tuple(marks.get(n, m) for n, m in enumerate(self.state.marks))
        self._set(replace(self.state, sheet=sheet, marks=new_marks))

    def _set(self, state: State, gesture: bool = False, loose: bool = False) -> None:
        """gesture : one step of a movement, whose steps are undone as one; loose : it goes on."""
        if state == self.state:
            return
        if not (gesture and self._loose):
            self._past = [*self._past[-UNDOS:], self.state]
        self.state, self._loose, self._future = state, loose, []


def check_written(options: Options) -> None:
    """Raises UsageError where the music would come from the library: the studio composes."""
    if options.library.music != "generate":
        raise UsageError(
            f"the preset {options.preset} takes music from the library, and the studio composes",
            remedy="Choose another preset, or use `videoscore score`.",
        )


def _marks(sheet: CueSheet) -> tuple[Mark, ...]:
    return tuple(Mark() for _ in sheet.cues)


def _key(cue: Cue, sheet: CueSheet) -> tuple[Cue, int, str]:
    """What a cue's notes were written from, as far as the cue itself says."""
    return cue_edits.bare(replace(cue, seed=None)), sheet.seed if cue.seed is None else cue.seed, sheet.preset


def _sections(take: Take) -> dict[tuple[Cue, int, str], int]:
    """What each cue of a take was written from -> its number."""
    return {_key(cue, take.sheet): n for n, cue in enumerate(take.sheet.cues)}


def _locked_sheet(take: Take) -> CueSheet:
    """The take's sheet with the notes of every cue."""
    from videoscore.compose.locked_notes import lock

    return lock(take.sheet, take.composition.score, range(1, len(take.sheet.cues) + 1))


def _with_notes(cue: Cue, notes: CueSheet, number: int) -> Cue:
    """The cue with the notes of cue `number` of another sheet."""
    source = notes.cues[number]
    return replace(cue, notes=source.notes, performance=source.performance, heard=source.heard)


def _caught_up(now: CueSheet, request: Request) -> CueSheet:
    """The sheet of now with the request's cues wherever they weren't changed since it was made."""
    new = dict(zip(request.before.sheet.cues, request.state.sheet.cues))
    seed = request.state.sheet.seed if now.seed == request.before.sheet.seed else now.seed
    return replace(now, seed=seed, cues=tuple(new.get(c, c) for c in now.cues))
