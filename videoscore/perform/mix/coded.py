"""How loud the peaks of a sound track are once it is coded: a lossy coder's are higher than what it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from videoscore.audio.loudness import Meter
from videoscore.video.probe import probe
from videoscore.video.sound import read_sound

RATE = 48000
_NEAR = 0.9  # peaks between samples are seldom more than 1 dB above the samples


def peak_remark(film: Path, limit: float) -> str:
    """A sentence where the first sound track of `film` has peaks above `limit` dBTP; "" where it has none."""
    media = probe(film)
    if not media.audio:
        return ""
    near = 10 ** (limit / 20) * _NEAR
    if not any(
        np.abs(block).max(initial=0) > near for block in read_sound(media, RATE, stream=media.audio[0])
    ):
        return ""
    meter = Meter(RATE)
    for block in read_sound(media, RATE, stream=media.audio[0]):
        meter.add(block)
    peak = meter.result().true_peak
    if peak is None or peak <= limit:
        return ""
    return f"coding brings peaks to {peak:.1f} dBTP, over the {limit:.1f} allowed; ask for less loudness"
