"""Impulse responses of the spaces in which music is heard: early reflections by seat and a decaying tail.

Made here, not recorded: reflections are those of a shoe-box by image sources (Allen and Berkley 1979, "Image method
for efficiently simulating small-room acoustics"), the tail is noise that decays at a rate of its own in each octave
(Moorer 1979, "About this reverberation business"). The same for the same seat; nothing is drawn by chance.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SPEED = 343.0  # of sound, m/s
BANDS = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # Hz, in whose octaves the tail decays
ORDER = 3  # walls that a reflection has met at most
EARS = 0.35  # metres between the two microphones
NEAREST = 0.003  # seconds; a reflection (of the floor) that is nearer to the direct sound only colours it
DULL = 0.12  # what is left of a sample in the next, for each wall
STAGE = 0.6  # share of the width on which players sit
EARLIEST_TAIL = (
    0.6  # the tail grows from nothing over this share of the time in which sound crosses the space
)
SEED = 17  # of the tail's noise
REFERENCE = (
    0.3  # depth of the seat at which "reverb" is the level of the reverberation against the direct sound
)


@dataclass(frozen=True)
class Space:
    """A shoe-box.

    size : length, width and height in metres. decay : seconds until -60 dB, for each of `BANDS`.
    walls : share of the amplitude that a wall gives back. early : share of the reverberation's energy that is early
        reflections, for the reference seat.
    listener : distance of the microphones from the front of the stage; stage : its depth; both in metres.
    """

    size: tuple[float, float, float]
    decay: tuple[float, ...]
    walls: float
    early: float
    listener: float
    stage: float


SPACES = {
    "room": Space((9.0, 7.0, 3.6), (0.55, 0.5, 0.45, 0.42, 0.4, 0.34, 0.26), 0.7, 0.5, 2.5, 3.0),
    "hall": Space((38.0, 22.0, 15.0), (2.3, 2.2, 2.1, 2.0, 1.8, 1.4, 0.9), 0.8, 0.35, 7.0, 10.0),
    "church": Space((52.0, 20.0, 21.0), (4.4, 4.2, 3.9, 3.6, 3.0, 2.0, 1.1), 0.85, 0.22, 8.0, 9.0),
}
DRY = "dry"


def impulse_response(
    name: str, pan: int, depth: float, level: float, sample_rate: int
) -> NDArray[np.float32]:
    """(samples, 2): what comes after the direct sound, for a source of one channel; its first sample is the moment at
    which the direct sound arrives.

    Parameters
    ----------
    name : of `SPACES`. pan : of the seat, 0 left to 127 right. depth : 0 front of the stage to 1.
    level : amplitude of the reverberation against the direct sound at the seat in front, 0..1.
    """
    space = SPACES[name]
    source, reference = _seat(space, (pan - 64) / 64, depth), _seat(space, 0.0, REFERENCE)
    early, own = _early(space, source, sample_rate), _early(space, reference, sample_rate)
    early *= math.sqrt(space.early / max(1e-12, _energy(own)))
    # the tail is as loud wherever one plays, the direct sound isn't: against it the tail grows with the distance
    farther = _distance(space, source) / _distance(space, reference)
    tail = math.sqrt(1 - space.early) * farther * _tail(space, sample_rate)
    response = np.zeros((max(len(early), len(tail)), 2))
    response[: len(early)] += early
    response[: len(tail)] += tail
    return (level * response).astype(np.float32)


def _energy(response: NDArray[np.float64]) -> float:
    """Of both channels, as a direct sound of 1 in each of them has 1."""
    return float((response**2).sum()) / 2


def _seat(space: Space, across: float, depth: float) -> NDArray[np.float64]:
    width = space.size[1]
    return np.array([(1 - depth) * space.stage + 1.0, width / 2 * (1 + STAGE * across), 1.2])


def _ears(space: Space) -> NDArray[np.float64]:
    """(2, 3) places of the microphones, in front of the stage; lengths count from the wall behind it."""
    x = min(space.stage + space.listener, space.size[0] - 1.0)
    y = space.size[1] / 2
    height = min(2.5, space.size[2] - 0.5)
    return np.array([[x, y - EARS / 2, height], [x, y + EARS / 2, height]])


def _distance(space: Space, source: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(_ears(space).mean(axis=0) - source))


def _early(space: Space, source: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Reflections after the direct sound, by the number of walls each has met: every wall dulls it a little more."""
    ears, size = _ears(space), np.array(space.size)
    direct = float(np.linalg.norm(ears - source, axis=1).min())
    longest = round(rate * 2.5 * max(space.size) / SPEED)
    by_order = np.zeros((ORDER + 1, longest, 2))
    for image in itertools.product(range(-ORDER, ORDER + 1), repeat=3):
        order = sum(map(abs, image))
        if not 0 < order <= ORDER:
            continue
        # the k-th image of a point between two walls: beside them for odd k, moved by whole sizes for even k
        place = [k * s + (p if k % 2 == 0 else s - p) for k, s, p in zip(image, size, source)]
        for ear, sign in enumerate((-1.0, 1.0)):
            path = np.array(place) - ears[ear]
            distance = float(np.linalg.norm(path))
            at = round((distance - direct) / SPEED * rate)
            if NEAREST * rate <= at < longest:
                facing = 0.7 + 0.3 * sign * path[1] / distance  # microphones that look a little outwards
                by_order[order, at, ear] += facing * space.walls**order * direct / distance
    out = np.zeros((longest, 2))
    for order in range(1, ORDER + 1):
        dull = (DULL * order) ** np.arange(12)  # a low-pass of one pole, as far as it matters
        for ear in range(2):
            out[:, ear] += np.convolve(by_order[order, :, ear], dull / dull.sum())[:longest]
    return out


@lru_cache(maxsize=1)
def _tail(space: Space, rate: int) -> NDArray[np.float64]:
    """Noise, of its own in each channel, that decays in each octave at that octave's rate; its energy is 1."""
    count = round(max(space.decay) * rate)
    noise = np.fft.rfft(np.random.default_rng(SEED).standard_normal((2, count)))
    octave = np.log2(np.maximum(np.fft.rfftfreq(count, 1 / rate), 1.0) / BANDS[0])
    t = np.arange(count) / rate
    out = np.zeros((2, count))
    for k, decay in enumerate(space.decay):
        distance = octave - k
        if k == 0:
            distance = np.maximum(distance, 0.0)
        if k == len(BANDS) - 1:
            distance = np.minimum(distance, 0.0)
        weight = np.cos(
            0.5 * math.pi * np.clip(np.abs(distance), 0.0, 1.0)
        )  # neighbours' squares add up to 1
        out += np.fft.irfft(noise * weight, count) * 10 ** (-3 * t / decay)
    crossing = EARLIEST_TAIL * max(space.size) / SPEED
    out *= np.clip(t / crossing, 0.0, 1.0) ** 2
    # to nothing at the end, as the fade of a stem: a response that stops is heard as a click
    out *= np.clip((count - np.arange(count)) / (0.1 * count), 0.0, 1.0)
    return out.T / math.sqrt(_energy(out.T))
