"""Make the pictures of docs/preview.md from the demo's clips: docs/pictures/preview*.png, tune.png.

python scripts/preview_docs.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from demo import fetch

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"


def main() -> None:
    clips = fetch()
    for words in (
        ["preview", clips[0], "-o", PICTURES / "preview.png"],
        ["preview", *clips, "-o", PICTURES / "contact_sheet.png"],
        ["tune", clips[0], "--picture", PICTURES / "tune.png"],
    ):
        subprocess.run([sys.executable, "-m", "videoscore", *map(str, words), "--overwrite"], check=True)


if __name__ == "__main__":
    main()
