"""Where people speak in the original sound, for ducking the music under it.

Silero VAD (Silero Team 2024, https://github.com/snakers4/silero-vad, MIT): its weights come with the
package. It is trained on speech: singing is mostly not found, and a voice over loud music is found
only where it stands out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoscore.progress import Progress, silent
from videoscore.video.media import Media
from videoscore.video.sound import read_sound

Region = tuple[Fraction, Fraction]  # start and end, seconds from the first picture

RATE = 16_000  # Hz, the model's
THRESHOLD = 0.5
SHORTEST = 0.25  # seconds of speech that count
PAUSE = 0.3  # seconds of silence that end a region
PAD = 0.05  # seconds added on either side


def speech_regions(media: Media, progress: Progress = silent) -> tuple[Region, ...]:
    """Stretches of speech in a film's sound, in order and apart; none without sound.

    Reads the sound once in constant memory; about 1.5 s of work for 10 minutes on one core.

    Parameters
    ----------
    progress : gets ("speech", seconds done, duration).

    Raises
    ------
    NotFound, BrokenVideo : from reading the file.
    """
    if not media.audio:
        return ()
    # only the state machine is used of the package's code, and importing it sets torch's thread count
    import torch

    threads = torch.get_num_threads()
    try:
        from silero_vad import get_speech_timestamps_from_probs
    finally:
        torch.set_num_threads(threads)

    from videoscore.perform.mix.speech_network import speech_chances

    progress_count = [0]

    def counted() -> Iterator[NDArray[np.float32]]:
        for block in read_sound(media, RATE, channels=1):
            progress_count[0] += len(block)
            progress("speech", progress_count[0] / RATE, float(media.duration))
            yield np.nan_to_num(block[:, 0])

    chances = list(speech_chances(counted()))
    spans = get_speech_timestamps_from_probs(
        chances,
        RATE,
        threshold=THRESHOLD,
        min_speech_duration_ms=round(1000 * SHORTEST),
        min_silence_duration_ms=round(1000 * PAUSE),
        speech_pad_ms=round(1000 * PAD),
        audio_length_samples=progress_count[0],
    )
    return tuple(
        (Fraction(region["start"], RATE), min(Fraction(region["end"], RATE), media.duration))
        for region in spans
    )
