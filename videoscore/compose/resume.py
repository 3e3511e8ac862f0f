"""What was composed of a film, kept cue by cue, so that an edited sheet is composed from the edit on.

The notes of a cue are found by what it was to be and by everything that was written before it; what the network
remembered after a cue, by everything that it had read. So a cue that was locked since, or unlocked, or comes from an
edited sheet is known where the music is the same. Going on gives the same notes, bit for bit, as composing everything:
the keys and values are those that were computed then, not computed again in another order.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videoscore import resources
from videoscore.cache import Kept, cache_folder
from videoscore.compose.locked_notes import dictation
from videoscore.compose.plan.plan import PlannedBar
from videoscore.compose.write.hand import Written
from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue

if TYPE_CHECKING:
    from videoscore.compose.network.decode import Decoder
    from videoscore.compose.network.memory import Memory, State
    from videoscore.compose.write.writing import Writing

LIMIT = 500_000_000  # bytes; what the network remembers takes up to 19 MB a cue, notes 20 bytes each
MOST_STATES = 20  # a film, evenly over its cues
FAR = 16  # bars before the end that the network can tell from more
OFF = "VIDEOSCORE_NO_CACHE"  # environment variable that turns it off


class Trail:
    """Names of the entries of one sheet, by what the network has read.

    about : settings of the sampling that hold for the whole film. weights : the composer's file.
    """

    def __init__(self, writing: Writing, about: Sequence[object], weights: Path) -> None:
        self.writing = writing
        tagger = "tagger" if writing.takes > 1 else ""
        self.start = _name([_program(weights, tagger), writing.takes, writing.mood, *about])
        ends = np.cumsum([0, *(cue.meter.bars for cue in writing.sheet.cues)]).tolist()
        self.bars = [slice(a, b) for a, b in zip(ends, ends[1:])]

    def notes(self, before: str, number: int) -> str:
        """Name of the notes of a cue that isn't locked, after what is named `before`."""
        w, cue, bars = self.writing, self.writing.sheet.cues[number], self.bars[number]
        facts = [
            number,
            w.sheet.seed if cue.seed is None else cue.seed,
            [_bar(b) for b in w.bars[bars]],
            mean(cue.curve, cue.start, cue.end) if w.takes > 1 else "",
        ]
        return _name([before, facts, w.push.mood[bars].tolist(), w.push.weight[bars].tolist()])

    def read(self, before: str, number: int, page: Sequence[Written]) -> str:
        """Name of what has been read when these notes of a cue have been."""
        bars, w = self.bars[number], self.writing
        # other takes, where longer, push more out of the network's memory: then how the notes came about counts too
        way = "" if w.takes == 1 else "locked" if w.sheet.cues[number].locked else self.notes(before, number)
        return _name(
            [before, [_plan(b) for b in w.bars[bars]], w.push.mood[bars].tolist(), _rows(page).tolist(), way]
        )


@dataclass(frozen=True)
class Composed:
    """Entries of composed cues. states : also keep what the network remembers after a cue, to go on from there; notes
    alone take next to no room or time, and are enough where nothing is edited."""

    entries: Kept
    states: bool = True

    def known(self, trail: Trail) -> list[tuple[str, list[Written]]]:
        """The first cues as far as their notes are known: the name of what has been read after each, and its notes."""
        out: list[tuple[str, list[Written]]] = []
        before, writing = trail.start, trail.writing
        for number, cue in enumerate(writing.sheet.cues[: writing.count]):
            if cue.locked:
                by_bar = dictation(cue, trail.bars[number].start)
                page: list[Written] | None = [w for bar in sorted(by_bar) for w in by_bar[bar]]
            else:
                page = self.entries.get(trail.notes(before, number), _read_page)
            if page is None:
                break
            before = trail.read(before, number, page)
            out.append((before, page))
        return out

    def state(self, names: Sequence[str]) -> tuple[int, State | None]:
        """The last of these, counted from 1, after which what the network remembered is known; 0 and None for none."""
        for count in range(len(names), 0, -1):
            found = self.entries.get(names[count - 1], _read_state)
            if found is not None:
                self.entries.touch(reversed(names[:count]))
                return count, found
        return 0, None

    def keep_notes(self, name: str, page: Sequence[Written]) -> None:
        self.entries.put(name, lambda file: np.savez(file, page=_rows(page)))

    def keep_state(self, name: str, state: State) -> None:
        facts = np.array([state.index, state.room], np.int64)
        self.entries.put(name, lambda file: np.savez(file, keys=state.keys, values=state.values, facts=facts))

    def wanted(self, count: int, cues: int) -> bool:
        """Whether what is remembered after `count` of so many cues is to be kept."""
        return self.states and count < cues and count % -(-cues // MOST_STATES) == 0


def default() -> Composed | None:
    """The user's own; None where the environment turns it off, or there is no home folder."""
    folder = None if os.environ.get(OFF) else cache_folder("composed")
    return None if folder is None else Composed(Kept(folder, LIMIT))


def go_on(
    writing: Writing, decoder: Decoder, composed: Composed, trail: Trail, closed: Callable[[Cue], None]
) -> None:
    """Write a sheet from where it isn't known; what is written is kept."""
    from videoscore.compose.network.memory import Cached

    known = composed.known(trail)
    if len(known) == writing.count:
        writing.resume(len(known), [w for _, page in known for w in page], 0)
        for cue in writing.sheet.cues[: writing.count]:
            closed(cue)
        return
    count, state = composed.state([name for name, _ in known])
    if state is not None:
        writing.resume(count, [w for _, page in known[:count] for w in page], state.index)
        for cue in writing.sheet.cues[:count]:
            closed(cue)
    names = [trail.start, *(name for name, _ in known[:count])]

    def turned(memory: Memory, rows: int) -> None:
        number = len(names) - 1  # of the cue that was closed just now
        bars = trail.bars[number]
        page = [w for w in writing.page if bars.start <= w.bar < bars.stop]
        if not writing.sheet.cues[number].locked:
            composed.keep_notes(trail.notes(names[-1], number), page)
        names.append(trail.read(names[-1], number, page))
        if rows and composed.wanted(number + 1, writing.count) and isinstance(memory, Cached):
            first_takes = [copy * rows for copy in range(decoder.copies)]
            composed.keep_state(names[-1], memory.state(first_takes, writing.index))

    decoder.write([writing], closed, state, turned)


def _name(facts: Sequence[object]) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _plan(bar: PlannedBar) -> object:
    """A bar as the network hears it."""
    return replace(bar.plan, to_end=min(bar.plan.to_end, FAR), roles=frozenset()), sorted(bar.plan.roles)


def _bar(bar: PlannedBar) -> object:
    """A bar as it is written."""
    return replace(bar, plan=replace(bar.plan, to_end=0, roles=frozenset())), _plan(bar)


@cache
def _program(weights: Path, tagger: str) -> str:
    """Digest of what computes: our code, the weights, the libraries and the machine."""
    import torch

    digest = hashlib.sha256(
        repr(
            [
                torch.__version__,
                np.__version__,
                platform.node(),
                platform.machine(),
                torch.backends.cpu.get_cpu_capability(),
            ]
        ).encode()
    )
    code = [resources.PACKAGE / "cues" / "grid.py"]
    for folder in ("compose", "music"):
        code += sorted((resources.PACKAGE / folder).rglob("*.py"))
    files = [weights, *code, *([resources.weight_file(tagger)] if tagger else [])]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _rows(page: Sequence[Written]) -> NDArray[np.int32]:
    return np.array([(w.bar, w.position, w.role, w.pitch, w.duration) for w in page], np.int32).reshape(-1, 5)


def _read_page(path: Path) -> list[Written]:
    with np.load(path, allow_pickle=False) as arrays:
        return [Written(*row) for row in arrays["page"].tolist()]


def _read_state(path: Path) -> State:
    from videoscore.compose.network.memory import State

    with np.load(path, allow_pickle=False) as arrays:
        index, room = arrays["facts"].tolist()
        return State(arrays["keys"], arrays["values"], index, room)
