"""Change a cue sheet by program: one mood by name, one boundary to the nearest cut.

    python examples/edit_cues.py scored.cues.json 2 Peaceful edited.cues.json
    videoscore film.mp4 -o calmer.mp4 --cues edited.cues.json

It changes the file's JSON as one would by hand and lets videoscore settle the rest (curve, key, bars).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from videoscore.cues.file.sheet_file import dumps, load, loads, save
from videoscore.errors import VideoscoreError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet", type=Path)
    parser.add_argument("cue", type=int, help="number of the cue, from 1")
    parser.add_argument("mood")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    try:
        sheet = load(args.sheet)
        document = json.loads(dumps(sheet))
        if not 1 <= args.cue <= len(sheet.cues):
            parser.error(f"the sheet has cues 1 to {len(sheet.cues)}")
        changed = document["cues"][args.cue - 1]
        changed["mood"] = args.mood
        if args.cue > 1 and sheet.cuts:
            start = sheet.cues[args.cue - 1].start
            nearest = min(sheet.cuts, key=lambda cut: abs(cut - start))
            changed["start"] = f"{nearest.numerator}/{nearest.denominator}"
        edited = loads(json.dumps(document))
        save(edited, args.output)
    except VideoscoreError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.exit_code
    for cue in edited.cues:
        print(f"{cue.name:20} {float(cue.start):8.2f} s  {cue.key:9} {float(cue.bpm):6.1f} bpm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
