"""Convolves a stem with the response of its space, block by block in constant memory (overlap-add)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

LONGEST = 1 << 18  # samples of a transform: fits into a core's cache, and a rest of 3 s costs nothing
SILENCE = 1e-9  # amplitude under which a whole block is none


class Reverberation:
    """Adds to a stereo sound the reverberation of both its channels together.

    Parameters
    ----------
    response : (samples, 2) as `videoscore.perform.render.spaces.impulse_response` makes it.
    samples : length of the sound, so that a short one isn't given to a long transform.
    """

    def __init__(self, response: Block, samples: int) -> None:
        from scipy.fft import next_fast_len, rfft

        length = min(LONGEST, samples + len(response))
        self.size = next_fast_len(max(length, 2 * len(response)), real=True)
        self.step = self.size - len(response) + 1
        self.spectrum = rfft(
            response.T / 2, self.size
        )  # the channels are added, not averaged, which is quicker
        self.rest = np.zeros((2, len(response) - 1), np.float32)  # what the blocks before still sound
        self.ringing = False

    def run(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The sound with its reverberation, together exactly as long as `blocks`."""
        held: list[Block] = []
        count = 0
        for block in blocks:
            held.append(block)
            count += len(block)
            while count >= self.step:
                whole = np.concatenate(held)
                yield self._wet(whole[: self.step])
                held, count = [whole[self.step :]], count - self.step
        if count:
            yield self._wet(np.concatenate(held))

    def _wet(self, dry: Block) -> Block:
        from scipy.fft import irfft, rfft

        mono = dry[:, 0] + dry[:, 1]
        sounds = max(float(mono.max()), -float(mono.min())) > SILENCE
        if not sounds and not self.ringing:
            return dry
        overlap = self.rest.shape[1]
        if sounds:
            total = irfft(rfft(mono, self.size) * self.spectrum, self.size)[:, : len(dry) + overlap]
            total[:, :overlap] += self.rest
        else:
            total = np.concatenate((self.rest, np.zeros((2, len(dry)), np.float32)), axis=1)
        self.rest = total[:, len(dry) :].copy()
        self.ringing = sounds or bool(self.rest.any())
        wet = dry.copy()
        wet[:, 0] += total[0, : len(dry)]
        wet[:, 1] += total[1, : len(dry)]
        return wet
