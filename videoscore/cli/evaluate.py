"""``videoscore evaluate``: does a model do what it is there for?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from videoscore.cli.common import WATCHING, print_result, training_log, with_rated, with_settings, with_voice
from videoscore.cli.teller import Teller

folder = click.Path(exists=True, file_okay=False, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)
with_pictures = click.option(
    "--pictures", type=click.Path(path_type=Path), metavar="FOLDER", help="draw what the figures say there"
)

with_run = click.option("--run", type=folder, required=True, help="what the training left")


@click.group()
def evaluate() -> None:
    """Measure a trained model."""


@evaluate.command()
@click.option(
    "--cues",
    type=click.IntRange(8),
    default=200,
    show_default=True,
    help="cues over the four corners of valence and arousal; .4 as many more over the eight moods",
)
@click.option(
    "--pieces", type=click.IntRange(1), default=32, show_default=True, help="longer pieces whose mood moves"
)
@click.option("--seconds", type=click.IntRange(4), default=30, show_default=True, help="length of a cue")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="seed of the cues")
@click.option("--corpus", type=file, help="compare with the music it was trained on, and look for copies")
@with_voice
def composer(teller: Teller, **settings: Any) -> None:
    """Whether the composer does what it is asked, follows, copies; how like real music it is; speed, memory."""
    from videoscore.research.composer.evaluate import Settings
    from videoscore.research.composer.evaluate import evaluate as stage
    from videoscore.research.composer.table import lines

    report = stage(Settings(**settings), teller.say)
    print_result(teller, report, "\n".join(lines(report)))


@evaluate.command()
@click.option(
    "--cues",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="cues for each of the seven emotions",
)
@click.option("--seconds", type=click.IntRange(4), default=30, show_default=True, help="length of a cue")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="seed of the cues")
@with_voice
def emotions(teller: Teller, cues: int, seconds: int, seed: int) -> None:
    """Which of five classes of music the judges hear in music that was asked for by a face's emotion."""
    from videoscore.research.composer.emotions import evaluate as stage
    from videoscore.research.composer.emotions import table

    report = stage(cues, seconds, seed, teller.say)
    print_result(teller, report, table(report))


@evaluate.command()
@click.option("--corpus", type=file, required=True, help="what `videoscore train corpus` wrote")
@click.option("--weights", type=file, help="other weights than the installed ones")
@click.option("--samples", type=click.IntRange(5), default=40, show_default=True, help="tunes a feeling")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="seed of the tunes")
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="draw eight tunes a feeling there"
)
@with_voice
def latent(
    teller: Teller, corpus: Path, weights: Path | None, samples: int, seed: int, picture: Path | None
) -> None:
    """What the latent composer keeps of held-out melodies, whether its tunes meet a feeling, how real they are."""
    from videoscore.research.latent.evaluate import evaluate as stage
    from videoscore.research.latent.evaluate import table

    report = stage(corpus, weights, samples, seed, picture, teller.say)
    print_result(teller, report, table(report))


@evaluate.command()
@with_rated
@with_run
@with_pictures
@click.option("--tenths", is_flag=True, help="OASIS in ten folds besides: twenty regressions, minutes each")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="with --tenths: the training's"
)
@with_voice
def scene(
    teller: Teller,
    oasis: Path,
    frames: Path,
    clips: Path,
    run: Path,
    pictures: Path | None,
    tenths: bool,
    seed: int,
) -> None:
    """Cross-validation of the scene model: what `videoscore train scene` left in RUN, folds by source."""
    from videoscore.research.scene.evaluate import evaluate as stage
    from videoscore.research.scene.evaluate import in_tenths, table
    from videoscore.research.scene.train import load_unseen, tables

    items = tables(oasis, frames, clips)
    report = stage(load_unseen(items, run), pictures)
    text = table(report)
    if tenths:
        report["OASIS in tenths"] = in_tenths(items, run, seed, teller.say)
        text += "\nOASIS in ten folds: " + ", ".join(
            f"{k} {v:.3f}" for k, v in report["OASIS in tenths"].items()
        )
    print_result(teller, report, text)


@evaluate.command("time")
@with_rated
@with_run
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the folds")
@with_voice
def time_model(teller: Teller, oasis: Path, frames: Path, clips: Path, run: Path, seed: int) -> None:
    """What each part of the reading of films adds: clips of sources that neither model learned from."""
    from videoscore.research.scene.time_fit import evaluate as stage
    from videoscore.research.scene.time_fit import scene_by_fold, table, watch
    from videoscore.research.scene.train import load_unseen, tables

    unseen = load_unseen(tables(oasis, frames, clips), run)
    report = stage(watch(clips, scene_by_fold(unseen, run), run / "clips", teller.say), seed)
    print_result(teller, report, table(report))


@evaluate.command()
@click.option("--data", type=folder, required=True, help="folder of rated pictures (rated.csv or oasis.csv)")
@with_pictures
@with_voice
def frames(teller: Teller, data: Path, pictures: Path | None) -> None:
    """The installed scene model on rated pictures; a measure only where it hasn't learned from them."""
    from videoscore.research.scene.evaluate import evaluate_frames, table
    from videoscore.research.scene.rated import frames as rated_frames
    from videoscore.research.scene.rated import oasis as rated_photographs

    items = rated_photographs(data) if (data / "oasis.csv").is_file() else rated_frames(data)
    report = evaluate_frames(items, pictures, teller.say)
    print_result(teller, report, table(report))


@evaluate.command()
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="fer2013 with FER+ votes as .npz, or the folder of AffectNet or AFEW-VA",
)
@click.option(
    "--model",
    type=click.Choice(["all", "vgg16-fer", "cnn-fer", "resnet34-va"]),
    default="all",
    show_default=True,
    help="which model",
)
@click.option("--weights", type=file, help="other weights than the installed ones, for one model")
@click.option("--check", type=folder, help="a second test set: a folder with labels.csv and images/")
@with_pictures
@with_voice
def face(
    teller: Teller, data: Path, model: str, weights: Path | None, check: Path | None, pictures: Path | None
) -> None:
    """Accuracy, and agreement on the plane, of the models that read faces."""
    from videoscore.research.faces.evaluate import evaluate as stage
    from videoscore.research.faces.evaluate import table

    report = stage(data, model, pictures, check, weights, teller.say)
    print_result(teller, report, table(report))


@evaluate.command("face-ways")
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="a set with valence and arousal, as for `evaluate face`",
)
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="keeps the runs; the same folder again goes on where it stopped",
)
@click.option(
    "--epochs",
    type=click.FloatRange(0, min_open=True),
    default=12.0,
    show_default=True,
    help="passes of each run",
)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="runs of each way")
@with_voice
def face_ways(teller: Teller, data: Path, run: Path, epochs: float, seeds: int) -> None:
    """resnet34-va trained plainly, under- and oversampled, and on drawn faces (takes hours)."""
    from videoscore.research.faces.ways import compare, table

    report = compare(data, run, epochs, range(seeds))
    print_result(teller, report, table(report))


@evaluate.command()
@with_rated
@click.option("--unlabelled", type=folder, required=True, help="folder of photographs that the teacher rates")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="what `videoscore train deep` left, or a new one; goes on where it stopped",
)
@click.option("--scratch", is_flag=True, help="train networks from scratch, too, deep and shallow (hours)")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="seed of the run")
@with_pictures
@with_voice
def deep(
    teller: Teller,
    oasis: Path,
    frames: Path,
    clips: Path,
    unlabelled: Path,
    run: Path,
    scratch: bool,
    seed: int,
    pictures: Path | None,
) -> None:
    """The eight-mood deep CNN beside its teacher, and, if asked to, networks from scratch."""
    from videoscore.research.deep.evaluate import compare, table
    from videoscore.research.scene.train import tables

    items = tables(oasis, frames, clips)
    report = compare(
        items,
        unlabelled,
        run,
        seed,
        scratch=scratch,
        say=teller.say,
        log=training_log(teller),
        pictures=pictures,
    )
    print_result(teller, report, table(report))


@evaluate.command()
@click.option("--data", type=folder, required=True, help="folder of clips with a clips.csv or manifest.csv")
@with_pictures
@with_settings(*WATCHING)
@with_voice
def clips(teller: Teller, data: Path, pictures: Path | None, **settings: Any) -> None:
    """What is read in clips beside the words of a viewer."""
    from videoscore.research.scene.clips import evaluate as stage
    from videoscore.research.scene.clips import table

    report = stage(data, pictures, teller.say, **settings)
    print_result(teller, report, table(report))
