"""Make what the composer writes with: ``videoscore train composer``, one command from the sets to its stocks.

The corpus is built first (or taken as it is, where it lies in the run's folder), then figures, cells and grooves are
mined from the pieces that aren't kept back, and passages are made of them. The same sets give the same files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from videoscore.errors import UsageError
from videoscore.files import write_text
from videoscore.research.composer.corpus import build
from videoscore.research.composer.figures import mine
from videoscore.research.composer.labelled import Table
from videoscore.research.composer.passages import mine_passages
from videoscore.research.weights import commit
from videoscore.resources import PASSAGES

CORPUS = "corpus.npz"
SETTINGS = "settings.json"
DRUMS = "groove_midi"  # folder of the drummers' grooves beside the sets


def train(
    music: Path,
    run: Path,
    out: Path,
    *,
    command: str = "",
    table: Table | None = None,
    workers: int = 2,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Write the composer's figures to `out`, its passages beside them as `PASSAGES`, and the facts by which both can be
    made again; their numbers.

    music : folder that holds the sets' folders, and `groove_midi`. run : folder that keeps the corpus, so that the
    same command goes on where it stopped.

    Raises
    ------
    UsageError : the run was begun with other sets. NotFound : there are none.
    """
    run.mkdir(parents=True, exist_ok=True)
    _same_settings(run, music)
    corpus = run / CORPUS
    if not corpus.is_file():
        part = run / f"part.{CORPUS}"
        build(music, part, say=say, workers=workers, table=table)
        part.replace(corpus)
    drums = music / DRUMS
    numbers = mine(corpus, out, drums if drums.is_dir() else None)
    stock = mine_passages(corpus, say)
    stock.save(out.with_name(PASSAGES.name))
    numbers |= {"passages": len(stock), "tunes": int(stock.table["tunes"].sum())}
    facts = {"command": command, "commit": commit(), "corpus": _digest(corpus), **numbers}
    write_text(out.with_suffix(".facts.json"), json.dumps(facts, indent=1) + "\n")
    return numbers


def _same_settings(run: Path, music: Path) -> None:
    """Remember what a run was begun with; refuse to go on with something else, which would be told as a fact."""
    path = run / SETTINGS
    settings = {"music": str(music.resolve())}
    if not path.is_file():
        write_text(path, json.dumps(settings) + "\n")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    for name, value in settings.items():
        if before.get(name) != value:
            raise UsageError(
                f"this run was begun with --{name} {before.get(name)}, not {value}",
                path=run,
                remedy=f"Give --{name} {before.get(name)}, or another --run.",
            )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
