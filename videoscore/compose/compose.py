"""The compose stage: a cue sheet in, a score out.

Cue by cue, and no cue's notes hang on another's: a mood's theme is drawn from the film's seed and the mood, so that it
returns wherever the mood does. So editing, locking or leaving out one cue leaves every other as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from videoscore.compose.bank import Bank, Cell, load_bank
from videoscore.compose.best_take import best_take
from videoscore.compose.cue import Page, TuneWriter, Wish, write_cue
from videoscore.compose.form import UNITS
from videoscore.compose.gesture import write_gesture
from videoscore.compose.locked_notes import assembled, standing
from videoscore.compose.marks import build_up, gesture_of, marks_of
from videoscore.compose.motif import motif_of
from videoscore.compose.passages import Stock, load_passages
from videoscore.compose.realise import realise, released
from videoscore.compose.setting import can_set, write_setting
from videoscore.cues.grid import bar_time, sections, tempo_map
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.cues.wishes import read_roles
from videoscore.music.score import Note, Role, Score, Section
from videoscore.music.theory import parse_key, shift_of
from videoscore.progress import Progress, silent
from videoscore.settings.fields import ComposeOptions

Roles = Mapping[str, frozenset[Role]]
DEFAULT_ROLES = frozenset({Role.MELODY, Role.ACCOMPANIMENT, Role.BASS})


def compose(
    sheet: CueSheet,
    options: ComposeOptions | None = None,
    roles: Roles | None = None,
    progress: Progress = silent,
    tune_writer: TuneWriter | None = None,
) -> Score:
    """Write the music of a cue sheet.

    roles : the roles that may play in each mood (by name); moods left out get melody, accompaniment and bass.
    tune_writer : writes the tunes, and `videoscore.compose.cue.write_cue` all else; None: most cues are set from
    passages.
    Deterministic: the same sheet (with its seed), options and roles give the same notes. With ``options.takes`` > 1
    every cue is written that many times and the take whose tagged mood lies nearest to the wanted one is kept. Locked
    cues keep their notes.

    Raises SetupError when the composer's figures, or with several takes the tagger, are missing.
    """
    options = options or ComposeOptions()
    if all(cue.locked for cue in sheet.cues):
        return assembled(sheet)
    bank, stock = load_bank(), load_passages()
    parts, tempo = list(sections(sheet)), tempo_map(sheet)
    notes: list[Note] = []
    total = float(sheet.duration)
    progress("compose", 0.0, total)
    for number, cue in enumerate(sheet.cues):
        if cue.locked:
            continue
        wish = wish_for(sheet, number, options, roles or {})
        pages = _takes(wish, cue, options.takes, bank, stock, tune_writer)
        page, written = _best(pages, cue, parts[number])
        parts[number] = replace(parts[number], chords=_chords(page, cue))
        notes += written
        progress("compose", float(cue.end), total)
    notes = released(notes, parts[-1], tempo)
    for cue, section in zip(sheet.cues, parts):
        notes += standing(cue, section.start)
    return Score(tuple(sorted(notes)), tuple(parts), tempo, sheet.duration)


def compose_many(
    sheets: Sequence[CueSheet],
    options: ComposeOptions | None = None,
    roles: Roles | None = None,
    progress: Progress = silent,
) -> list[Score]:
    """Write many cue sheets, one after the other."""
    return [compose(sheet, options, roles, progress) for sheet in sheets]


def _takes(
    wish: Wish, cue: Cue, takes: int, bank: Bank, stock: Stock, tune_writer: TuneWriter | None
) -> list[Page]:
    """So many pages of a cue; one where it is a gesture."""
    gesture = gesture_of(cue)
    if gesture is not None:
        return [write_gesture(wish, gesture)]
    drafts = [replace(wish, take=take) for take in range(takes)]
    if tune_writer is None and can_set(wish, stock):
        return [write_setting(draft, stock) for draft in drafts]
    return [write_cue(draft, bank, tune_writer) for draft in drafts]


def _best(pages: Sequence[Page], cue: Cue, section: Section) -> tuple[Page, list[Note]]:
    """The page whose music is nearest to the wish, and its notes."""
    marks = {} if gesture_of(cue) else marks_of(cue)
    scored = [realise(cue, section, page, marks) for page in pages]
    best = best_take(cue, section, scored) if len(scored) > 1 else 0
    return pages[best], scored[best]


def wish_for(sheet: CueSheet, number: int, options: ComposeOptions, roles: Roles) -> Wish:
    """What is asked of the writer for a cue: its mood bar by bar, with the build-up to its hits."""
    cue = sheet.cues[number]
    bars = cue.meter.bars
    following = sheet.cues[number + 1] if number + 1 < len(sheet.cues) else None
    goes_on = following is not None and following.key == cue.key and gesture_of(following) is None
    marks = marks_of(cue)
    curve = [cue.at(bar_time(cue.start, cue.end, bars, bar)) for bar in range(bars)]
    push = options.intensity
    return Wish(
        bars,
        cue.meter.beats,
        float(cue.bpm),
        cue.mood,
        parse_key(cue.key)[1],
        tuple(_within(push * v) for v, _ in curve),
        tuple(_within(push * a + build_up(marks, bar, bars)[0]) for bar, (_, a) in enumerate(curve)),
        goes_on,
        sheet.seed,
        sheet.seed_of(cue),
        number,
        roles.get(cue.mood, DEFAULT_ROLES),
        final=following is None,
        motif=own_motif(sheet, cue),
        required=read_roles(options.roles) if options.roles else frozenset(),
        shift=shift_of(cue.key),
    )


def own_motif(sheet: CueSheet, cue: Cue) -> tuple[Cell, ...]:
    """The first bars of a tune that the user put into a locked cue of the same mood, metre and mode."""
    minor = parse_key(cue.key)[1]
    for other in sheet.cues:
        own = other.locked and other.performance is None
        if (
            own
            and (other.mood, other.meter.beats) == (cue.mood, cue.meter.beats)
            and parse_key(other.key)[1] == minor
        ):
            return motif_of(other)
    return ()


def _within(value: float) -> float:
    return max(-1.0, min(1.0, value))


def _chords(page: Page, cue: Cue) -> tuple[int, ...]:
    """The chord of every bar, as `videoscore.music.theory` numbers them in the normalised key: that which lasts
    longest in it."""
    length = cue.meter.beats * UNITS
    out = []
    for bar in range(cue.meter.bars):
        begin, end = bar * length, (bar + 1) * length
        here = [
            (min(end, h.start + h.length) - max(begin, h.start), -h.start, h.chord.label) for h in page.chords
        ]
        out.append(max(here)[2])
    return tuple(out)
