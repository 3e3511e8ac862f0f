"""What was perceived in a film, kept by its content, so that another preset needn't watch it again.

An entry is one NumPy archive (no pickle) named by a hash of the film's content, the settings for watching, and
the weights; the oldest by use go when the folder would grow over its bound.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.cache import FolderCache, cache_folder
from videoscore.mood.curve import MoodCurve
from videoscore.mood.perceive import Perception
from videoscore.resources import WEIGHT_SUMS
from videoscore.settings.fields import Options
from videoscore.video.frames import Cut

FORM = 1  # of the entries; another number forgets them all
LIMIT = 500_000_000  # bytes; an entry has about 15 kB a minute of film
LARGEST = 200_000_000  # bytes of one entry's arrays: more is no perception of a film
_CURVE = ("t", "valence", "arousal", "moods", "confidence")


def default_folder() -> Path | None:
    """``perception`` in $VIDEOSCORE_CACHE, else in ``videoscore`` in the user's cache folder, if there is one."""
    return cache_folder("perception")


def key(content: str, options: Options) -> str:
    """Name of the entry for a film with this SHA-256, watched with these options."""
    weights = options.perceive.mood_weights
    facts = [
        FORM,
        weights_digest(),
        content,
        _plain(options.sample),
        _plain(options.perceive),
        hashlib.sha256(Path(weights).read_bytes()).hexdigest() if weights else None,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@cache
def weights_digest() -> str:
    """Names the installed weights and the version of videoscore, short."""
    from videoscore import __version__

    return hashlib.sha256(__version__.encode() + WEIGHT_SUMS.read_bytes()).hexdigest()[:16]


@dataclass(frozen=True)
class PerceptionCache(FolderCache):
    """A bounded folder of perceptions: `limit` bytes of all together, 0 keeps none."""

    limit: int = LIMIT
    most: int = 100_000

    def find(self, name: str) -> Perception | None:
        """The entry, or None when there is none or it is damaged."""
        return self.get(name, _read)

    def keep(self, name: str, perception: Perception) -> None:
        """Keep an entry; the least recently used ones make room."""
        self.put(name, lambda file: np.savez_compressed(file, **_arrays(perception)))


@dataclass
class KnownPerceptions:
    """The perceptions of one film in a cache; hit : they were there."""

    cache: PerceptionCache
    name: str
    hit: bool = False

    def find(self) -> Perception | None:
        perception = self.cache.find(self.name)
        self.hit = perception is not None
        return perception

    def keep(self, perception: Perception) -> None:
        self.cache.keep(self.name, perception)


def _arrays(perception: Perception) -> dict[str, Any]:
    about = {
        "cuts": [[str(cut.t), cut.strength] for cut in perception.cuts],
        "remarks": list(perception.remarks),
        "shares": list(perception.shares),
    }
    arrays = {name: getattr(perception.curve, name) for name in _CURVE}
    arrays |= {f"share{k}": share for k, share in enumerate(perception.shares.values())}
    return arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}


def _read(path: Path) -> Perception:
    with zipfile.ZipFile(path) as whole:
        if sum(entry.file_size for entry in whole.infolist()) > LARGEST:
            raise ValueError("too large")
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        curve = MoodCurve(*(arrays[name] for name in _CURVE))
        shares = {name: arrays[f"share{k}"] for k, name in enumerate(about["shares"])}
    cuts = tuple(Cut(Fraction(t), float(strength)) for t, strength in about["cuts"])
    return Perception(curve, cuts, shares, tuple(about["remarks"]))


def _plain(group: Any) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in dataclasses.asdict(group).items()
    }
