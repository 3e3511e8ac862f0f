"""Writes the eight moods of examples/moods/ from their seeds: `videoscore bed`, a few bars each, as Ogg Vorbis.

python scripts/example_sounds.py [MOOD ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

from videoscore.mood.circle import MOODS
from videoscore.pipeline.bed import write_bed

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "moods"
SECONDS, SEED, PRESET = 14, 7, "cinematic"
MOST = 3_000_000  # bytes of all together


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for mood in sys.argv[1:] or MOODS:
        bed = write_bed(
            FOLDER / f"{mood.lower()}.ogg",
            mood=mood,
            seconds=SECONDS,
            seed=SEED,
            preset=PRESET,
            sample_rate=44100,
            overwrite=True,
        )
        cue = bed.music.sheet.cues[0]
        print(f"{bed.output.name}: {cue.key}, {float(cue.bpm):.1f} quarters a minute, {bed.loudness} LUFS")
    size = sum(path.stat().st_size for path in FOLDER.glob("*.ogg"))
    print(f"{size} bytes in all")
    return 0 if size <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
