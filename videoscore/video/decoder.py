"""Which decoder gives a film's pictures: one interface over PyAV and decord.

"auto" is PyAV: where exact cuts need every picture both pay the same decoder, and in short GOPs PyAV leaves out what
lies between key frames; decord was faster in none of the films of benchmarks/decoders.py (docs/video.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from videoscore.errors import InputError
from videoscore.video import decord_walk
from videoscore.video.media import Media
from videoscore.video.walk import Picture, walk


def pictures(media: Media, every: Fraction, size: int, decoder: str) -> Iterator[Picture]:
    """Decoded pictures in order of time, as `videoscore.video.walk.walk` gives them.

    size : longest side of the pictures that are wanted; they may come larger. decoder : "auto", "pyav" or "decord".

    Raises InputError where decord was asked for and can't be trusted with the film, SetupError where it is missing.
    """
    if decoder != "decord":
        yield from walk(media, every)
        return
    decord_walk.library()
    if why := decord_walk.unfit(media):
        raise InputError(
            f"decord can't be trusted with it: {why}", path=media.path, remedy="Use --decoder auto or pyav."
        )
    last = Fraction(-1)
    try:
        for picture in decord_walk.walk(media, size):
            last = picture.look.t
            yield picture
    except decord_walk.Stopped:  # a damaged packet: PyAV passes it over
        yield from (picture for picture in walk(media, every) if picture.look.t > last)
