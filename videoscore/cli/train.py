"""``videoscore train``: the models, from the data they were trained on."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import with_voice
from videoscore.cli.telling import Teller
from videoscore.errors import SetupError

folder = click.Path(exists=True, file_okay=False, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def train() -> None:
    """Train a model. Each model's card under docs/models says on what, and how well it does."""
    missing = [name for name in ("PIL", "sklearn", "symusic") if find_spec(name) is None]
    if missing:
        raise SetupError(f"training needs more packages: {', '.join(missing)}",
                         remedy="Run: python -m pip install 'videoscore[train]'")


@train.command()
@click.option("--music", type=folder, required=True, help="folder that holds the sets' folders")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="the corpus (.npz)")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="processes")
@with_voice
def corpus(teller: Teller, music: Path, out: Path, workers: int) -> None:
    """Build the composer's corpus from the freely licensed sets."""
    from videoscore.train.corpus import build

    build(music, out, say=teller.say, workers=workers)
    teller.result({"output": out}, f"{out}: written")


@train.command()
@click.option("--corpus", type=file, required=True, help="what `videoscore train corpus` wrote")
@click.option("--run", type=click.Path(path_type=Path), required=True, metavar="FOLDER",
              help="state and log of the run; the same folder again goes on where it stopped")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="weights to write at the end")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=90.0, show_default=True,
              help="training time in all, over every resume")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run")
@click.option("--threads", type=click.IntRange(0), default=0, show_default=True, help="CPU threads, 0 is all")
@with_voice
def composer(teller: Teller, corpus: Path, run: Path, out: Path | None, minutes: float, seed: int,
             threads: int) -> None:
    """Train the composer, on a GPU where there is one."""
    from videoscore.compose.model import ComposerConfig
    from videoscore.train.composer import TrainOptions
    from videoscore.train.composer import train as stage

    def log(entry: dict[str, Any]) -> None:
        if teller.as_json:
            teller.result({"event": "log", **entry}, "")
        else:
            teller.say("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()))

    options = TrainOptions(minutes=minutes, seed=seed, threads=threads)
    command = "videoscore " + " ".join(shlex.quote(word) for word in sys.argv[1:])
    stage(corpus, run, out, ComposerConfig(), options, command=command, log=log)
    teller.result({"run": run, "output": out}, f"{out or run}: written")


@train.command()
@click.option("--music", type=folder, required=True, help="folder that holds the labelled sets' folders")
@click.option("--out", type=folder, required=True, help="folder for the weights")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the split")
@with_voice
def tagger(teller: Teller, music: Path, out: Path, seed: int) -> None:
    """Train the tagger of music, and the judges that measure the composer."""
    from videoscore.train.tagger import train as stage

    stage(music, out, seed, say=teller.say)
    teller.result({"output": out}, f"{out}: written")


@train.command()
@click.option("--data", type=folder, required=True, help="folder of the labelled photographs (oasis.csv)")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="weights to write")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run")
@with_voice
def scene(teller: Teller, data: Path, out: Path, seed: int) -> None:
    """Train the scene model that reads the mood of a picture."""
    from videoscore.train.scene import train as stage

    stage(data, out, seed)
    teller.result({"output": out}, f"{out}: written")


@train.command()
@click.option("--data", type=folder, required=True, help="folder of photographs (oasis.csv)")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="weights to write")
@click.option("--cache", type=click.Path(path_type=Path), help="folder that keeps the features between runs")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run")
@with_voice
def titles(teller: Teller, data: Path, out: Path, cache: Path | None, seed: int) -> None:
    """Train the recogniser of title cards and credits, which carry no mood."""
    from videoscore.train.titles import train as stage

    figures = stage(data, out, seed, cache, teller.say)
    teller.result({"output": out, **figures},
                  f"{out}: written. In a typeface that was left out {figures['found']:.3f} of the cards are found, "
                  f"and {figures['false']:.3f} of the photographs taken for one")
