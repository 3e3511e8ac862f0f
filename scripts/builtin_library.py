"""Writes the music that comes with videoscore: some pieces a mood, each the best of several by the judge.

    python scripts/builtin_library.py [--pieces 4] [--candidates 6] [--seconds 75] [--moods Happy,Angry] [--out FOLDER]

Run it again when the composer's weights change. Seeds, keys and figures of all candidates are in the manifest, so that
every piece can be written again; a piece is one MIDI file whose tracks are named by role.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import videoscore
from videoscore.library.read.content import digest
from videoscore.library.read.read import Unusable, read
from videoscore.library.read.tag import describe
from videoscore.library.store.builtin import MANIFEST, manifest
from videoscore.library.store.entry import PieceEntry
from videoscore.mood.circle import MOODS, centre, mood_index, mood_of
from videoscore.music.midi import to_bytes
from videoscore.music.score import Role, Score
from videoscore.music.tagger import Tagger, tag_sections
from videoscore.pipeline.without_film import write_music
from videoscore.resources import FIGURES, LIBRARY_PIECES, PASSAGES

STRONG = 0.75  # distance from neutral that is asked for; the judge hears less than is asked
CANDIDATES = 1000  # seeds that a piece has to itself
OPENING = 16  # notes of a bass that are compared


@dataclass(frozen=True)
class Candidate:
    """One take of a piece. judged : (valence, arousal) by the judge, which the composer never saw. off : its distance
    from the middle of the mood."""

    seed: int
    data: bytes
    entry: PieceEntry
    judged: tuple[float, float]
    off: float
    bass: tuple[int, ...]  # intervals of its opening, by which the same music in another key is told

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Low is good: first that the judge hears the mood, then that the tagger does, then how near it is."""
        return (
            not self.heard(*self.judged),
            not self.heard(self.entry.valence, self.entry.arousal),
            self.off,
        )

    def heard(self, valence: float, arousal: float) -> bool:
        return mood_of(valence, arousal) == self.entry.title.split()[0]

    def facts(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "judge": [round(x, 3) for x in self.judged],
            "tagger": [self.entry.valence, self.entry.arousal],
            "off": round(self.off, 3),
        }


def candidate(mood: str, number: int, seed: int, seconds: float, judge: Tagger) -> Candidate | None:
    """A take, or None when it isn't even usable."""
    valence, arousal = centre(mood, STRONG)
    music = write_music(valence=valence, arousal=arousal, seconds=seconds, seed=seed).score
    data = to_bytes(music)
    try:
        entry = describe(read(data), digest(data), f"{mood} {number}")
    except Unusable as why:
        print(f"  seed {seed}: {why}", flush=True)
        return None
    judged = heard_by(judge, music)
    off = math.dist(judged, centre(mood))
    bass = [n.pitch for n in music.notes if n.role == Role.BASS][:OPENING]
    return Candidate(seed, data, entry, judged, off, tuple(b - a for a, b in zip(bass, bass[1:])))


def heard_by(judge: Tagger, music: Score) -> tuple[float, float]:
    """Mean valence and arousal over the sections of a piece."""
    tags = tag_sections(music, judge)
    total = sum(s.end - s.start for s in music.sections if s.name in tags)
    weighted = [(s.end - s.start, tags[s.name]) for s in music.sections if s.name in tags]
    return (sum(w * t.valence for w, t in weighted) / total, sum(w * t.arousal for w, t in weighted) / total)


def best(
    mood: str, number: int, candidates: int, seconds: float, judge: Tagger, known: set[tuple[int, ...]]
) -> tuple[Candidate, list[Candidate]]:
    """The best take of a piece that is no other piece's music again, and all of them. known : basses of those."""
    first = (mood_index(mood) * 100 + number) * CANDIDATES
    takes = [
        t for k in range(candidates) if (t := candidate(mood, number, first + k, seconds, judge)) is not None
    ]
    if not takes:
        raise SystemExit(f"{mood} {number}: none of {candidates} takes can be used; ask for more")
    return min(takes, key=lambda t: (t.bass in known, t.rank)), takes


def write(out: Path, moods: list[str], pieces: int, candidates: int, seconds: float) -> None:
    """The whole folder, made beside its place and then put there."""
    judge = Tagger.load("judge")
    composer = hashlib.sha256(FIGURES.read_bytes() + PASSAGES.read_bytes()).hexdigest()
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.part", dir=out.parent))
    try:
        rows: list[tuple[PieceEntry, str, dict[str, Any]]] = []
        known: set[tuple[int, ...]] = set()
        for mood in moods:
            for number in range(1, pieces + 1):
                chosen, takes = best(mood, number, candidates, seconds, judge, known)
                known.add(chosen.bass)
                name = f"{mood.lower()}-{number}.mid"
                (folder / name).write_bytes(chosen.data)
                rows.append(
                    (
                        chosen.entry,
                        name,
                        {
                            "mood": mood,
                            "seed": chosen.seed,
                            "seconds": seconds,
                            "asked": list(centre(mood, STRONG)),
                            "videoscore": videoscore.__version__,
                            "composer": composer,
                            "takes": [t.facts() for t in takes],
                        },
                    )
                )
                mood_heard = mood_of(*chosen.judged)
                print(
                    f"{name}: seed {chosen.seed}, judged {mood_heard} "
                    f"({chosen.judged[0]:+.2f}, {chosen.judged[1]:+.2f}), "
                    f"{chosen.off:.2f} off, {chosen.entry.notes} notes",
                    flush=True,
                )
        (folder / MANIFEST).write_text(manifest(rows), encoding="utf-8")
        folder.chmod(0o755)
        if out.is_dir():
            shutil.rmtree(out)
        os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the built-in library.")
    parser.add_argument("--out", type=Path, default=LIBRARY_PIECES)
    parser.add_argument("--moods", default=",".join(MOODS))
    parser.add_argument("--pieces", type=int, default=4)
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=75.0)
    options = parser.parse_args()
    moods = [MOODS[mood_index(m)] for m in options.moods.split(",")]
    write(options.out, moods, options.pieces, options.candidates, options.seconds)


if __name__ == "__main__":
    main()
