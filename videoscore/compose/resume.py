"""What was composed of a sheet so far, kept cue by cue, so that an edited sheet is composed from the edit on.

An entry is named by all that the notes up to the end of its cue came from, and holds these notes and what the network
remembered there. Going on from it gives the same notes, bit for bit, as composing everything: the keys and values are
those that were computed then, not computed again in another order.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from videoscore.compose.hand import Written
from videoscore.compose.plan import PlannedBar
from videoscore.cues.contour import mean
from videoscore.kept import Kept, cache_folder

if TYPE_CHECKING:
    from videoscore.compose.memory import State
    from videoscore.compose.writing import Writing

LIMIT = 500_000_000  # bytes; what the network remembers takes up to 19 MB a cue, notes 20 bytes each
MOST_STATES = 20  # a film, evenly over its cues
FAR = 16  # bars before the end that the network can tell from more
OFF = "VIDEOSCORE_NO_CACHE"  # environment variable that turns it off


@dataclass(frozen=True)
class Composed:
    """Entries of composed cues. states : also keep what the network remembers after a cue, to go on from there; without
    it only whole films are kept, which takes next to no room or time."""

    entries: Kept
    states: bool = True

    def last(self, names: Sequence[str]) -> tuple[int, list[Written], State | None] | None:
        """How many cues are known, their notes, and the network's memory at their end (None: all are known)."""
        for count in range(len(names), 0, -1):
            found = self.entries.get(names[count - 1], _read)
            if found is not None and (found[1] is not None or count == len(names)):
                self.entries.touch(reversed(names[:count]))
                return count, *found
        return None

    def keep(self, names: Sequence[str], count: int, page: Sequence[Written], state: State | None) -> None:
        """Keep the first `count` cues."""
        self.entries.put(names[count - 1], lambda file: _write(file, page, state))

    def wanted(self, count: int, cues: int) -> bool:
        """Whether the memory after `count` of so many cues is to be kept."""
        return self.states and count < cues and count % -(-cues // MOST_STATES) == 0


def default(states: bool) -> Composed | None:
    """The user's own; None where the environment turns it off."""
    return None if os.environ.get(OFF) else Composed(Kept(cache_folder("composed"), LIMIT), states)


def names_of(writing: Writing, about: Sequence[object], weights: Path) -> list[str]:
    """Names of the entries after each cue that is to be written: a chain of digests of all that its notes come from.

    about : settings of the sampling that hold for the whole film.
    """
    sheet, tagger = writing.sheet, "tagger" if writing.takes > 1 else ""
    digest = hashlib.sha256(repr([_program(weights, tagger), writing.takes, writing.mood, *about]).encode())
    names, first = [], 0
    for number, cue in enumerate(sheet.cues[: writing.count]):
        stop = first + cue.meter.bars
        facts: list[object] = [number, sheet.seed if cue.seed is None else cue.seed,
                               [_bar(bar) for bar in writing.bars[first:stop]],
                               (cue.notes, cue.key) if cue.locked else "",
                               mean(cue.curve, cue.start, cue.end) if writing.takes > 1 else ""]
        digest.update(repr(facts).encode())
        digest.update(writing.push.mood[first:stop].tobytes() + writing.push.weight[first:stop].tobytes())
        names.append(digest.hexdigest())
        first = stop
    return names


def _bar(bar: PlannedBar) -> object:
    plan = replace(bar.plan, to_end=min(bar.plan.to_end, FAR), roles=frozenset())
    return replace(bar, plan=plan), sorted(bar.plan.roles)


@cache
def _program(weights: Path, tagger: str) -> str:
    """Digest of what computes: our code, the weights, the libraries and the machine."""
    import torch

    here = Path(__file__).parent
    digest = hashlib.sha256(repr([torch.__version__, np.__version__, platform.node(), platform.machine(),
                                  torch.backends.cpu.get_cpu_capability()]).encode())
    files = [weights, *sorted(here.glob("*.py"))]
    if tagger:
        files.append(here.parent / "weights" / f"{tagger}.safetensors")
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _write(file: BinaryIO, page: Sequence[Written], state: State | None) -> None:
    rows = np.array([(w.bar, w.position, w.role, w.pitch, w.duration) for w in page], np.int32).reshape(-1, 5)
    arrays: dict[str, Any] = {"page": rows}
    if state is not None:
        arrays |= {"keys": state.keys, "values": state.values, "facts": np.array([state.index, state.room], np.int64)}
    np.savez(file, **arrays)


def _read(path: Path) -> tuple[list[Written], State | None]:
    from videoscore.compose.memory import State

    with np.load(path, allow_pickle=False) as arrays:
        page = [Written(*row) for row in arrays["page"].tolist()]
        if "keys" not in arrays:
            return page, None
        index, room = arrays["facts"].tolist()
        return page, State(arrays["keys"], arrays["values"], index, room)
