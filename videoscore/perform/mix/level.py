"""The gain at which a limited sound has the loudness that is asked for."""

from __future__ import annotations

from collections.abc import Callable

from videoscore.audio.loudness import Loudness

# Room for the overshoot of a lossy encoder (measured on AAC at 256 kbit/s, see docs/sound.md).
ENCODER_MARGIN = 1.3  # dB
CLOSE = 0.3  # LU from the target that is near enough
ATTEMPTS = 6
LEAST_SLOPE = 0.2  # LU that a dB more brings when the limiter eats most of it


def levelled(
    write: Callable[[float], tuple[Loudness, float]], measured: float, target: float, most: float
) -> tuple[Loudness, float, float]:
    """Write at the gain that brings `measured` to `target` (LUFS), again as long as the limiter takes too much of it.

    write : of a gain in dB; gives the loudness of what it wrote and the limiter's most reduction in dB.
    most : highest gain in dB.

    Returns (loudness of what was written last, its gain in dB, the limiter's most reduction in dB).
    """
    gain, slope = min(target - measured, most), 1.0
    attempt: tuple[float, float] | None = None
    for _ in range(ATTEMPTS):
        result, reduction = write(gain)
        written = gain
        reached = target if result.best is None else result.best
        if abs(target - reached) <= CLOSE or gain >= most and reached < target:
            break
        if attempt is not None and gain != attempt[0]:
            # the limiter gives back only part of what is added
            slope = min(1.0, max(LEAST_SLOPE, (reached - attempt[1]) / (gain - attempt[0])))
        attempt = gain, reached
        gain = min(gain + (target - reached) / slope, most)
    return result, written, reduction
