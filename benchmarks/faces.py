"""Speed and recall of the face finder, and what it finds in the real clips.

    python benchmarks/faces.py [--data ../shared/data] [--fer FER.npz] [--sizes 260 384] [--smallest 16]

Without data the speed is measured on drawn pictures; with --data on frames of real clips, of which the faces found
and the tracks made are counted, too, and recall is measured on muxspace; with --fer also on FER2013. Speeds are in
CPU seconds of one core, so other work on the machine hardly shows.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from videoscore.mood.faces.finder import SMALLEST, FaceFinder
from videoscore.mood.faces.tracks import track
from videoscore.video.probe import probe
from videoscore.video.sample import sample

Picture = NDArray[np.uint8]
FACES, FRAMES = 150, 8  # a set or size; a clip
SIDES, ROLLS = (20, 28, 40, 64, 128), (0, 20, 40)  # of the face's picture, pixels; degrees
LIMITS = (0.7, 0.9, 0.97)  # of confidence


class TimedFinder(FaceFinder):
    """Counts the CPU seconds of its three stages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(threads=1, **options)
        self.seconds = dict.fromkeys(("P", "R", "O"), 0.0)
        for name, method in (("P", "_propose"), ("R", "_refine"), ("O", "_decide")):
            setattr(self, method, self._timed(name, getattr(self, method)))

    def _timed(self, name: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            begin = time.thread_time()
            result = stage(*args)
            self.seconds[name] += time.thread_time() - begin
            return result

        return run


def speed(films: Sequence[list[Picture]], smallest: int) -> str:
    """Frames a second and the share of each stage."""
    finder = TimedFinder(smallest=smallest)
    finder.find(films[0][:1])  # warm up
    finder.seconds = dict.fromkeys(finder.seconds, 0.0)
    begin = time.process_time()
    for pictures in films:
        finder.find(pictures)
    whole = time.process_time() - begin
    shares = "  ".join(f"{name}-net {seconds / whole:.0%}" for name, seconds in finder.seconds.items())
    return f"{sum(map(len, films)) / whole:5.1f} frames/s   {shares}"


def drawn(size: int) -> list[list[Picture]]:
    """Two faces in noise."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from drawn import drawn_face  # type: ignore[import-not-found]

    height = size * 9 // 16
    picture = drawn_face(height, size, height / 2, size * 0.3, height * 0.4)
    picture[:, size * 6 // 10 :] = drawn_face(
        height, size - size * 6 // 10, height / 4, size * 0.2, height * 0.5
    )
    noise = np.random.default_rng(0).normal(0, 8, (FRAMES, *picture.shape))
    return [[(picture + n).clip(0, 255).astype(np.uint8) for n in noise]]


def clip_frames(clip: Path, size: int) -> tuple[list[float], list[Picture], list[float]]:
    """Times, pictures and cuts."""
    frames = list(sample(probe(clip), Fraction(1, 2), size))
    return [float(f.t) for f in frames], [f.rgb for f in frames], [float(c.t) for f in frames for c in f.cuts]


def count(clip: Path, size: int, finder: FaceFinder) -> str:
    """What is found in a clip, before and after tracking."""
    t, pictures, cuts = clip_frames(clip, size)
    faces_by_picture = finder.find(pictures)
    tracks = track(np.array(t), faces_by_picture, cuts)
    raw = [
        np.mean([any(f.confidence >= limit for f in faces) for faces in faces_by_picture]) for limit in LIMITS
    ]
    kept = len({int(i) for one in tracks for i in one.sample}) / len(t)
    return (
        f"{clip.stem:38s} {len(t):5d} frames, with a face "
        + " ".join(f"{share:.3f}" for share in raw)
        + f", in tracks {kept:.3f} ({len(tracks)})"
    )


def faces_of(data: Path | None, fer: Path | None) -> Iterator[tuple[str, list[Image.Image]]]:
    rng = np.random.default_rng(1)
    if fer:
        with np.load(fer) as file:
            sure = np.flatnonzero(file["votes"][:, 9] == 0)  # no vote for "not a face"
            yield (
                "FER2013",
                [Image.fromarray(p) for p in file["pixels"][rng.choice(sure, FACES, replace=False)]],
            )
    if data:
        with tarfile.open(data / "vision" / "muxspace_faces_112.tar") as tar:
            names = sorted(m.name for m in tar.getmembers() if m.name.endswith(".jpg"))
            read = (tar.extractfile(names[i]) for i in rng.choice(len(names), FACES, replace=False))
            yield "muxspace", [Image.open(io.BytesIO(f.read())).convert("L") for f in read if f]


def recall(faces: Sequence[Image.Image], side: int, roll: int, finder: FaceFinder) -> list[float]:
    """Share found, at each of `LIMITS`, about the middle of the picture, which is continued beyond its border."""
    pictures = []
    for face in faces:
        wide = np.pad(np.asarray(face.resize((side, side), Image.Resampling.LANCZOS)), side // 2, mode="edge")
        turned = Image.fromarray(wide).rotate(roll, Image.Resampling.BILINEAR, fillcolor=127)
        pictures.append(np.asarray(turned.convert("RGB")))
    best = np.zeros(len(faces))
    for i, faces_there in enumerate(finder.find(pictures)):
        near = [f.confidence for f in faces_there if np.hypot(*(f.landmarks.mean(0) - side)) < side / 3]
        best[i] = max(near, default=0)
    return [float((best >= limit).mean()) for limit in LIMITS]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the project's shared data")
    parser.add_argument("--fer", type=Path, help="fer2013_dev.npz")
    parser.add_argument("--sizes", type=int, nargs="+", default=[260, 384, 480, 640])
    parser.add_argument("--smallest", type=int, default=SMALLEST)
    parser.add_argument("--only", choices=("speed", "recall", "clips"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    clips = sorted((args.data / "video" / "clips").glob("*.mp4")) if args.data else []
    finder = FaceFinder(threads=1, smallest=args.smallest)
    if args.only in (None, "speed"):
        for size in args.sizes:
            films = drawn(size)
            if clips:
                names = ("friday", "chaplin", "woman", "city", "sintel")
                films = [clip_frames(c, size)[1][:FRAMES] for c in clips if any(n in c.stem for n in names)]
            print(f"{size} px, faces from {args.smallest} px: {speed(films, args.smallest)}", flush=True)
    if args.only in (None, "recall"):
        for name, faces in faces_of(args.data, args.fer):
            for side, roll in [(side, 0) for side in SIDES] + [(64, roll) for roll in ROLLS[1:]]:
                shares = "  ".join(
                    f"{limit:.2f}: {share:.2f}"
                    for limit, share in zip(LIMITS, recall(faces, side, roll, finder))
                )
                print(f"{name} at {side} px, rolled {roll} degrees, confidence over {shares}", flush=True)
    if args.only in (None, "clips"):
        for size in args.sizes:
            for clip in clips:
                print(size, count(clip, size, finder), flush=True)


if __name__ == "__main__":
    main()
