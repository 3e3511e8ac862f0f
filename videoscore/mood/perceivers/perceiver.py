"""What a perceiver is, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videoscore.video.frames import Cut, Frame

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a perceiver sees in n pictures.

    valence, arousal : (n,) in [-1, 1]. moods : (n, 8), rows sum to 1. confidence : (n,) in [0, 1].
    seen : (n,) in [0, 1], how far there was anything in the picture for this perceiver to read.
    shares : of each source of the reading, by name, (n,) in [0, 1]; they sum to 1.
    remarks : what the user should know of it, one sentence each.
    """

    valence: Array
    arousal: Array
    moods: Array
    confidence: Array
    seen: Array
    shares: Mapping[str, Array] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.valence)


class Perceiver(Protocol):
    """Reads a film in two steps: it looks at the pictures as they come, then makes sense of all it saw.

    `look` gives one glimpse a frame, small enough to keep for a whole film; it may be called with any number of
    frames of any sizes, and a glimpse must not depend on the other frames. `read` gets all glimpses, their
    times (seconds, increasing) and the film's cuts.
    """

    name: str

    def look(self, frames: Sequence[Frame]) -> Sequence[Any]: ...

    def read(self, t: Array, glimpses: Sequence[Any], cuts: Sequence[Cut]) -> Reading: ...
