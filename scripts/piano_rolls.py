"""Write one piece a mood and draw them: docs/pictures/piano_rolls_*.png, and their MIDI where asked.

python scripts/piano_rolls.py [--midi FOLDER] [--seed 1]
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from videoscore.compose.compose import compose_many
from videoscore.cues.meter import choose_meter
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint
from videoscore.cues.spot.spot import plan_keys
from videoscore.mood.circle import MOODS, centre
from videoscore.music.midi import to_bytes
from videoscore.music.score import Role, Score
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.research.composer.pianoroll import draw

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SECONDS = 40


def piece(mood: str, seed: int) -> CueSheet:
    """A film of one cue in the middle of a mood's octant."""
    length, (valence, arousal) = Fraction(SECONDS), centre(mood)
    meter = choose_meter(length, valence, arousal, seed, mood=mood)
    cue = Cue(
        "1M1",
        Fraction(0),
        length,
        "start",
        mood,
        (CurvePoint(length / 2, valence, arousal),),
        "C major",
        meter,
    )
    return CueSheet(mood, length, tuple(plan_keys([cue], seed)), seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--midi", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=PICTURES)
    options = parser.parse_args()
    preset = load_preset("cinematic")
    roles = {mood: frozenset(preset.palette(mood).roles) for mood in MOODS}
    scores: dict[str, Score] = {}
    sheets = [piece(mood, options.seed) for mood in MOODS]
    for mood, sheet, score in zip(MOODS, sheets, compose_many(sheets, roles=roles)):
        cue = sheet.cues[0]
        notes = sum(n.role != Role.DRUMS for n in score.notes)
        scores[
            f"{mood}: {cue.key}, {float(cue.bpm):.0f} quarters a minute, {cue.meter.bars} bars of "
            f"{cue.meter.beats}, {notes} notes"
        ] = score
        if options.midi:
            options.midi.mkdir(parents=True, exist_ok=True)
            (options.midi / f"{mood}.mid").write_bytes(to_bytes(score))
    titles = list(scores)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, part in (("aroused", titles[:4]), ("calm", titles[4:])):
        print(draw({t: scores[t] for t in part}, options.out / f"piano_rolls_{name}.png"))


if __name__ == "__main__":
    main()
