"""``videoscore train``: the models, from the data they were trained on."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from videoscore.cli.common import rated_options, training_log, with_rated, with_voice
from videoscore.cli.teller import Teller
from videoscore.errors import SetupError, UsageError

if TYPE_CHECKING:
    from videoscore.research.composer.labelled import Table

folder = click.Path(exists=True, file_okay=False, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)
anything = click.Path(exists=True, path_type=Path)
new = click.Path(path_type=Path)
with_run = click.option(
    "--run",
    type=new,
    required=True,
    metavar="FOLDER",
    help="state and log of the run; the same folder again goes on where it stopped",
)
with_seed = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run"
)


@click.group()
def train() -> None:
    """Train a model. Each model's card under docs/models says on what, and how well it does."""
    missing = [name for name in ("PIL", "sklearn", "symusic") if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"training needs more packages: {', '.join(missing)}",
            remedy="Run: python -m pip install 'videoscore[train]'",
        )


def with_labels(command: Callable[..., None]) -> Callable[..., None]:
    """Add --labels and --folder: a table of labels for MIDI files of one's own."""
    command = click.option("--folder", "own", type=folder, help="with --labels: the folder of these files")(
        command
    )
    return click.option(
        "--labels",
        type=file,
        help="CSV with the columns file (or path, or md5), valence and energy (0 to 1), such as "
        "Spotify's features of MetaMIDI's and Lakh's files",
    )(command)


def _table(labels: Path | None, own: Path | None, say: Callable[[str], None]) -> Table | None:
    if (labels is None) != (own is None):
        raise UsageError(
            "a table of labels and a folder of MIDI files belong together",
            remedy="Give both --labels and --folder, or neither.",
        )
    if labels is None or own is None:
        return None
    from videoscore.research.composer.labelled import read_labels

    table = read_labels(labels, own)
    for line in table.told():
        say(line)
    return table


@train.command()
@click.option("--music", type=folder, help="folder that holds the freely licensed sets' folders")
@with_labels
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="the corpus (.npz)"
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="processes")
@with_voice
def corpus(
    teller: Teller, music: Path | None, labels: Path | None, own: Path | None, out: Path, workers: int
) -> None:
    """Build the composer's corpus from the freely licensed sets, or from MIDI files with a table of labels."""
    from videoscore.research.composer.corpus import build

    if music is None and labels is None:
        raise UsageError(
            "nothing says what to read", remedy="Give --music, or --labels and --folder, or all three."
        )
    build(music, out, say=teller.say, workers=workers, table=_table(labels, own, teller.say))
    teller.result({"output": out}, f"{out}: written")


def _command() -> str:
    """The command as it was typed, for the facts beside the weights."""
    return "videoscore " + " ".join(shlex.quote(word) for word in sys.argv[1:])


@train.command()
@click.option(
    "--music", type=folder, required=True, help="folder that holds the freely licensed sets' folders"
)
@with_labels
@with_run
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="the stock (.json)"
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="processes")
@with_voice
def composer(
    teller: Teller, music: Path, labels: Path | None, own: Path | None, run: Path, out: Path, workers: int
) -> None:
    """Mine the figures, cells and grooves that the composer writes with."""
    from videoscore.research.composer.train import train as stage

    table = _table(labels, own, teller.say)
    numbers = stage(music, run, out, command=_command(), table=table, workers=workers, say=teller.say)
    summary = ", ".join(f"{count} {name}" for name, count in numbers.items())
    teller.result({"run": run, "output": out, **numbers}, f"{out}: {summary}")


@train.command()
@click.option("--corpus", type=file, required=True, help="what `videoscore train corpus` wrote")
@with_run
@click.option("--out", type=new, required=True, metavar="FILE", help="weights to write")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=45.0,
    show_default=True,
    help="training time of the autoencoder in all, over every resume; the actor takes some minutes more",
)
@with_seed
@with_voice
def latent(teller: Teller, corpus: Path, run: Path, out: Path, minutes: float, seed: int) -> None:
    """Train the latent composer: autoencoder of melodies, then the actor that moves its vectors toward feelings."""
    from videoscore.research.latent.train import train as stage

    figures = stage(corpus, run, out, minutes, seed, _command(), training_log(teller))
    teller.result(
        {"run": run, "output": out, **figures},
        f"{out}: written; of held-out melodies {figures['notes']:.2f} of the notes come back (F1)",
    )


@train.command()
@click.option(
    "--music",
    type=folder,
    required=True,
    help="folder that holds emopia_dev and vgmidi_dev, and the corpus's sets",
)
@with_labels
@click.option("--out", type=folder, required=True, help="folder for the weights")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the networks")
@click.option("--figures", is_flag=True, help="first measure all that docs/models/tagger.md tells (minutes)")
@with_voice
def tagger(
    teller: Teller, music: Path, labels: Path | None, own: Path | None, out: Path, seed: int, figures: bool
) -> None:
    """Train the tagger of music, and the judges that measure the composer."""
    from videoscore.research.tagger.train import figures as measure
    from videoscore.research.tagger.train import read
    from videoscore.research.tagger.train import train as stage

    table = _table(labels, own, teller.say)
    if figures:
        for line in measure(read(music, table), seed):
            teller.say(line)
    stage(music, out, seed, say=teller.say, table=table)
    teller.result({"output": out}, f"{out}: written")


@train.command()
@with_rated
@with_run
@click.option("--out", type=new, required=True, metavar="FILE", help="weights to write")
@with_seed
@with_voice
def scene(teller: Teller, oasis: Path, frames: Path, clips: Path, run: Path, out: Path, seed: int) -> None:
    """Train the scene model that reads the mood of a picture, and a model for each fold to measure it by."""
    from videoscore.research.scene.train import tables
    from videoscore.research.scene.train import train as stage

    stage(tables(oasis, frames, clips), run, out, seed, command=_command(), say=teller.say)
    teller.result({"run": run, "output": out}, f"{out}: written")


@train.command("time")
@with_rated
@with_run
@click.option("--out", type=new, required=True, metavar="FILE", help="weights to write")
@with_seed
@with_voice
def time_model(
    teller: Teller, oasis: Path, frames: Path, clips: Path, run: Path, out: Path, seed: int
) -> None:
    """Fit what motion, cuts, light, sound, faces and a film's own level are worth, on rated clips (after `train
    scene`)."""
    from videoscore.research.scene.time_fit import scene_by_fold, watch
    from videoscore.research.scene.time_fit import train as stage
    from videoscore.research.scene.train import load_unseen, tables

    unseen = load_unseen(tables(oasis, frames, clips), run)
    watched = watch(clips, scene_by_fold(unseen, run), run / "clips", teller.say)
    stage(watched, out, command=_command(), say=teller.say)
    teller.result({"run": run, "output": out}, f"{out}: written")


@train.command()
@click.option("--data", type=folder, required=True, help="folder of photographs (oasis.csv)")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="weights to write"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run")
@with_voice
def titles(teller: Teller, data: Path, out: Path, seed: int) -> None:
    """Train the recogniser of title cards and credits, which carry no mood."""
    from videoscore.research.titles.train import train as stage

    figures = stage(data, out, seed, teller.say)
    teller.result(
        {"output": out, **figures},
        f"{out}: written. In a typeface that was left out {figures['found']:.3f} of the cards are found, "
        f"and {figures['false']:.3f} of the photographs taken for one",
    )


@train.command()
@rated_options(required=False)
@click.option("--unlabelled", type=folder, help="folder of photographs that the teacher rates")
@click.option(
    "--folders",
    type=folder,
    help="instead of those four: your own pictures, in a folder for each of the eight moods",
)
@click.option(
    "--model",
    type=click.Choice(["deep", "shallow"]),
    default="deep",
    show_default=True,
    help="with --folders: the network",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=60, show_default=True, help="with --folders: passes"
)
@with_run
@click.option("--out", type=new, required=True, metavar="FILE", help="weights to write, for --mood-weights")
@with_seed
@with_voice
def deep(
    teller: Teller,
    oasis: Path | None,
    frames: Path | None,
    clips: Path | None,
    unlabelled: Path | None,
    folders: Path | None,
    model: str,
    epochs: int,
    run: Path,
    out: Path,
    seed: int,
) -> None:
    """Train the eight-mood deep CNN, on a GPU where there is one."""
    data = (oasis, frames, clips, unlabelled)
    if folders is not None and not any(data):
        from videoscore.research.deep.folders import train_folder

        figures = train_folder(folders, out, run, model, epochs, seed, teller.say, training_log(teller))
        teller.result(
            figures,
            f"{out}: written; on {figures['held out']} held-out pictures {figures['accuracy']:.3f} "
            f"right (always the commonest mood: {figures['chance']:.3f})",
        )
        return
    if folders is not None or not (oasis and frames and clips and unlabelled):
        raise UsageError(
            "there are two ways to train it",
            remedy="Give --oasis, --frames, --clips and --unlabelled, or --folders alone.",
        )
    from videoscore.research.deep.train import train as stage
    from videoscore.research.scene.train import tables

    items = tables(oasis, frames, clips)
    stage(items, unlabelled, out, run, seed, command=_command(), say=teller.say, log=training_log(teller))
    teller.result({"output": out}, f"{out}: written")


@train.command()
@click.option(
    "--model", type=click.Choice(["vgg16-fer", "cnn-fer", "resnet34-va"]), required=True, help="which model"
)
@click.option(
    "--data",
    type=anything,
    required=True,
    help="fer2013 with FER+ votes as .npz, or the folder of AffectNet or AFEW-VA",
)
@with_run
@click.option("--out", type=new, metavar="FILE", help="weights to write at the end")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=90.0,
    show_default=True,
    help="training time in all, over every resume",
)
@click.option("--epochs", type=click.FloatRange(0), default=0.0, help="passes, instead of minutes")
@click.option(
    "--width",
    type=click.FloatRange(0, 4),
    default=0.0,
    help="of the network; 1 is as published  [default: as shipped]",
)
@click.option(
    "--way",
    type=click.Choice(["plain", "under", "over", "generated"]),
    default="plain",
    show_default=True,
    help="resnet34-va: how the plane is balanced",
)
@with_seed
@with_voice
def face(
    teller: Teller,
    model: str,
    data: Path,
    run: Path,
    out: Path | None,
    minutes: float,
    epochs: float,
    width: float,
    way: str,
    seed: int,
) -> None:
    """Train a model that reads faces, on a GPU where there is one."""
    from videoscore.research.faces.course import FaceOptions
    from videoscore.research.faces.train import train as stage

    options = FaceOptions(model=model, width=width, minutes=minutes, epochs=epochs, way=way, seed=seed)
    stage(data, run, out, options, command=_command(), log=training_log(teller))
    teller.result({"run": run, "output": out}, f"{out or run}: written")
