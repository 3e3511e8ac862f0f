"""What was perceived in a film, kept by its content, so that another preset needn't watch it again.

An entry is one NumPy archive (no pickle) named by a hash of the film's content, the settings for watching, and
the weights; the oldest by use go when the folder would grow over its bound.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.config import Options
from videoscore.mood.curve import MoodCurve
from videoscore.mood.perceive import Perception
from videoscore.video.frames import Cut

FORM = 1                # of the entries; another number forgets them all
LIMIT = 500_000_000     # bytes; an entry has about 15 kB a minute of film
LARGEST = 200_000_000   # bytes of one entry's arrays: more is no perception of a film
_CURVE = ("t", "valence", "arousal", "moods", "confidence")


def default_folder() -> Path:
    """$VIDEOSCORE_CACHE, else ``videoscore/perception`` in the user's cache folder (XDG Base Directory)."""
    if os.environ.get("VIDEOSCORE_CACHE"):
        return Path(os.environ["VIDEOSCORE_CACHE"]).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "videoscore" / "perception"


def key(content: str, options: Options) -> str:
    """Name of the entry for a film with this SHA-256, watched with these options."""
    weights = options.perceive.mood_weights
    facts = [FORM, weights_digest(), content, _plain(options.sample), _plain(options.perceive),
             hashlib.sha256(Path(weights).read_bytes()).hexdigest() if weights else None]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@cache
def weights_digest() -> str:
    """Names the installed weights and the version of videoscore, short."""
    from videoscore import __version__

    sums = Path(__file__).resolve().parents[1] / "weights" / "SHA256SUMS"
    return hashlib.sha256(__version__.encode() + sums.read_bytes()).hexdigest()[:16]


@dataclass(frozen=True)
class PerceptionCache:
    """folder : made at the first entry. limit : bytes of all entries together; 0 keeps none.

    Any number of processes may use one folder. A cache that can't be read or written only costs time, so its
    failures are no errors.
    """

    folder: Path
    limit: int = LIMIT

    def get(self, name: str) -> Perception | None:
        """The entry, or None when there is none or it is damaged (it is then removed)."""
        path = self._path(name)
        try:
            found = _read(path)
        except FileNotFoundError:
            return None
        except Exception:  # a damaged archive fails in a dozen ways (zipfile, zlib, NumPy's header, JSON, our types)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the time of the last use decides what goes
        return found

    def put(self, name: str, seen: Perception) -> None:
        """Keep an entry; the least recently used ones make room."""
        if self.limit <= 0:
            return
        part = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".part", delete=False) as file:
                part = Path(file.name)
                np.savez_compressed(file, **_arrays(seen))
            os.replace(part, self._path(name))
            self._bound()
        except OSError:
            if part is not None:
                with contextlib.suppress(OSError):
                    part.unlink()

    def _bound(self) -> None:
        entries = []
        for path in self.folder.glob("*.npz"):
            with contextlib.suppress(OSError):
                facts = path.stat()
                entries.append((facts.st_mtime_ns, facts.st_size, path))
        over = sum(size for _, size, _ in entries) - self.limit
        for _, size, path in sorted(entries):
            if over <= 0:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            over -= size

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npz"


def _arrays(seen: Perception) -> dict[str, Any]:
    about = {"cuts": [[str(cut.t), cut.strength] for cut in seen.cuts], "remarks": list(seen.remarks),
             "shares": list(seen.shares)}
    arrays = {name: getattr(seen.curve, name) for name in _CURVE}
    arrays |= {f"share{k}": share for k, share in enumerate(seen.shares.values())}
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
    return {name: str(value) if isinstance(value, Fraction) else value
            for name, value in dataclasses.asdict(group).items()}
