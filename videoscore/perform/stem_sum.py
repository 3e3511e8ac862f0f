"""The plain sum of stems on disk, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

import numpy as np
from numpy.typing import NDArray

from videoscore.audio.loudness import read_blocks
from videoscore.perform.parts import Stem


def summed(stems: Sequence[Stem]) -> Iterator[NDArray[np.float32]]:
    """(n, 2) blocks; none for no stems. All stems have one length."""
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(read_blocks(stem.path))) for stem in stems]
        for blocks in zip(*readers, strict=True):
            total = blocks[0].copy()
            for block in blocks[1:]:
                total += block
            yield total
