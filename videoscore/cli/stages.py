"""Each stage as a command of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from videoscore.cli.common import (
    MIXING,
    SOUNDING,
    WATCHING,
    WRITING,
    print_result,
    with_settings,
    with_voice,
)
from videoscore.cli.teller import Teller
from videoscore.errors import UsageError
from videoscore.text.tables import clock, cue_row, cue_table, table

if TYPE_CHECKING:
    from videoscore.cues.sheet import CueSheet
    from videoscore.settings.fields import Options

overwriting = click.option("--overwrite", is_flag=True, help="replace files that are already there")


@click.command()
@click.argument("input")
@with_voice
def probe(teller: Teller, input: str) -> None:
    """Streams, exact duration, rotation and start of the video INPUT."""
    from videoscore.stages import probe as stage

    media = stage(Path(input))
    video = dataclasses.asdict(media.video)
    facts = {
        "path": media.path,
        "container": media.container,
        "duration": media.duration,
        "duration_exact": str(media.duration),
        "video": video,
        "audio": [dataclasses.asdict(a) for a in media.audio],
    }
    v = media.video
    rows = [
        ["container", media.container],
        ["duration", f"{clock(media.duration)} (exactly {media.duration} s)"],
        [
            "picture",
            f"stream {v.index}, {v.codec}, {v.width} x {v.height}, {float(1 / v.frame_duration):.3f} "
            f"pictures/s, rotation {v.rotation}, first at {float(v.start):.3f} s",
        ],
    ]
    rows += [
        [
            "sound",
            f"stream {a.index}, {a.codec}, {a.channels} channels, {a.sample_rate} Hz, starts at "
            f"{float(a.start):.3f} s{', default' if a.default else ''}",
        ]
        for a in media.audio
    ]
    print_result(teller, facts, table(["", str(media.path)], rows))


@click.command()
@click.argument("input")
@click.option(
    "-o", "--output", metavar="FILE", help="write the curve there: .json or .csv  [default: to stdout]"
)
@click.option(
    "--format", "form", type=click.Choice(["json", "csv"]), help="by default as the suffix says, or json"
)
@click.option("--cues", metavar="FILE", help="write the cue sheet there, to be edited and composed from")
@click.option("--explain", is_flag=True, help="print why each cue is where it is and as it is")
@with_settings(*WATCHING)
@overwriting
@with_voice
def analyze(
    teller: Teller,
    input: str,
    output: str | None,
    form: str | None,
    cues: str | None,
    explain: bool,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Mood curve, cuts and cues of the video INPUT.

    JSON holds all of it. CSV holds one line a sample: t, valence, arousal, confidence, the eight moods, and the
    share of each source (scene, face, held) in them.
    """
    from videoscore.cues.file.sheet_file import save
    from videoscore.files import write_text
    from videoscore.pipeline.explain import explain as explain_cues
    from videoscore.pipeline.outputs import check_file
    from videoscore.pipeline.settle import settle
    from videoscore.pipeline.watch import analyze as watch
    from videoscore.text.curves import curve_csv, curve_json
    from videoscore.text.reasons import reasons_text

    for name in (output, cues):
        if name is not None:
            check_file(Path(name), overwrite, Path(input))
    options = settle(**settings)
    analysis = watch(input, options, progress=teller.progress)
    form = form or (Path(output).suffix.lower().lstrip(".") if output else "json")
    text = curve_csv(analysis) if form == "csv" else curve_json(analysis)
    if cues is not None:
        save(analysis.sheet, Path(cues), overwrite)
    if output is not None:
        write_text(Path(output), text, overwrite)
    facts: dict[str, Any] = {
        "output": output,
        "cues": cues,
        "samples": len(analysis.curve),
        "cuts": len(analysis.cuts),
        "seconds": analysis.seconds,
        "remarks": analysis.remarks,
    }
    teller.remarks(analysis.remarks)
    if explain:
        reasons = explain_cues(analysis.sheet, options, analysis)
        facts["reasons"] = [reason.facts() for reason in reasons]
        print_result(teller, facts, reasons_text(reasons, options))
    elif output is None and not teller.as_json and cues is None:
        print_result(teller, facts, text.rstrip("\n"))
    else:
        teller.result(
            facts,
            f"{input}: {len(analysis.curve)} samples, {len(analysis.cuts)} cuts\n{cue_table(analysis.sheet)}",
        )


@click.command()
@click.argument("cues", required=False)
@click.option(
    "--mood",
    metavar="WORDS",
    help="instead of CUES: one of the eight moods (docs/cli.md), or several over time, "
    'as "0:00 Peaceful, 0:42 Dynamic"',
)
@click.option("--valence", metavar="X", help="instead of CUES, with --arousal: -1 (negative) to 1 (positive)")
@click.option("--arousal", metavar="X", help="-1 (calm) to 1 (agitated)")
@click.option(
    "--curve",
    metavar="FILE",
    help="instead of CUES: a CSV file with the columns t, valence, arousal, such "
    "as `videoscore analyze` writes",
)
@click.option(
    "--seconds", metavar="SECONDS", help="how long the music is  [default with --curve: to its end]"
)
@click.option("--key", metavar="KEY", help='as "D minor"; by default as it suits the mood')
@click.option(
    "--tempo", metavar="BPM", help="quarter notes a minute, nearly: whole bars fill the length exactly"
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="the MIDI file, or with the suffix .musicxml a lead sheet: "
    "tune, chords, tempi  [default: NAME.mid beside CUES]",
)
@click.option(
    "--cues",
    "sheet_file",
    metavar="FILE",
    help="without CUES: write the cue sheet of the music there, to be edited and composed from",
)
@with_settings("spot", *WRITING, without=("mood",))
@click.option("--played", is_flag=True, help="with the preset's instruments, as it is rendered")
@overwriting
@with_voice
def compose(
    teller: Teller,
    cues: str | None,
    output: str | None,
    sheet_file: str | None,
    played: bool,
    overwrite: bool,
    **words: Any,
) -> None:
    """Write the music of the cue sheet CUES, or of a mood or a curve of moods, as MIDI or MusicXML."""
    from videoscore.cues.file.sheet_file import save
    from videoscore.music import leadsheet
    from videoscore.music.midi import write_midi
    from videoscore.perform.played_midi import write_midi as write_played
    from videoscore.pipeline.clock import Clock
    from videoscore.pipeline.outputs import check_file
    from videoscore.pipeline.write import write

    wishes = {name: words.pop(name) for name in WISHES}
    if output is None and cues is None:
        raise UsageError("there is no name for the MIDI file", remedy="Give it with -o.")
    target = Path(output) if output is not None else _beside(str(cues), ".mid")
    sheet, options, remarks = _check_wishes(cues, {**wishes, "sheet_file": sheet_file}, words)
    check_file(target, overwrite)
    sheet_music = _is_lead_sheet(target, played)
    if sheet_file is not None:
        check_file(Path(sheet_file), overwrite)
    music = write(sheet, options, Clock(teller.progress), played=played)
    sheet, remarks = music.sheet, (*remarks, *music.remarks)
    if sheet_music:
        leadsheet.write_musicxml(music.score, target, Path(sheet.source).stem, overwrite)
    elif played:
        write_played(music.arrangement, target, overwrite)
    else:
        write_midi(music.score, target, overwrite)
    if sheet_file is not None:
        save(music.sheet_to_keep(), Path(sheet_file), overwrite)
    teller.remarks(remarks)
    teller.result(
        {
            "output": target,
            "cues": sheet_file,
            "notes": len(music.score.notes),
            "duration": sheet.duration,
            "seed": sheet.seed,
            "preset": sheet.preset,
            "plan": [cue_row(cue) for cue in sheet.cues],
            "remarks": remarks,
        },
        f"{target}: {len(music.score.notes)} notes, {clock(sheet.duration)}\n{cue_table(sheet)}",
    )


def _is_lead_sheet(target: Path, played: bool) -> bool:
    """Whether the music is to be written as a lead sheet, by the suffix; else as MIDI. Raises UsageError for another
    suffix, SetupError where the library is missing that writes lead sheets."""
    from videoscore.music import leadsheet

    sheet_music = target.suffix.lower() in LEAD_SHEETS
    if not sheet_music and target.suffix.lower() not in MIDI:
        raise UsageError(
            "music isn't written so",
            path=target,
            remedy=f"Name it {', '.join((*MIDI, *LEAD_SHEETS))}; `videoscore render` makes WAV files.",
        )
    if sheet_music and played:
        raise UsageError(
            "--played has no effect on a lead sheet", remedy="Leave it out, or name a .mid file."
        )
    if sheet_music:
        leadsheet.require()
    return sheet_music


LEAD_SHEETS = (".musicxml", ".xml")
MIDI = (".mid", ".midi")
WISHES = ("mood", "valence", "arousal", "curve", "seconds", "key", "tempo")


def _check_wishes(
    cues: str | None, wishes: dict[str, Any], words: dict[str, Any]
) -> tuple[CueSheet, Options, Sequence[str]]:
    """What `compose` is to write: the cue sheet of a file, or that of what is asked for; and how."""
    from videoscore.pipeline.settle import load_sheet, settle, settle_sheet
    from videoscore.settings.build import settings

    if cues is None:
        from videoscore.pipeline.without_film import sheet_for

        del wishes["sheet_file"]
        options = settle(**words)
        sheet, remarks = sheet_for(options, **wishes)
        return sheet, options, remarks
    spotting = [name for name, setting in settings().items() if setting.group == "spot"]
    for name in (*wishes, *spotting):
        if (wishes | words).get(name) is not None:
            flag = "--cues" if name == "sheet_file" else "--" + name.replace("_", "-")
            raise UsageError(
                f"{flag} has no effect with the cue sheet {cues}",
                remedy="Leave one of them out, or edit the cue sheet.",
            )
    return *settle_sheet(load_sheet(cues), **words), ()


@click.command()
@click.argument("cues")
@click.option(
    "-o", "--output", metavar="FOLDER", help="where the stems go  [default: NAME.stems beside CUES]"
)
@with_settings(*WRITING, *SOUNDING)
@overwriting
@with_voice
def render(teller: Teller, cues: str, output: str | None, overwrite: bool, **settings: Any) -> None:
    """Play the music of the cue sheet CUES: one WAV file an instrument, mastered; together they are the music."""
    from videoscore.pipeline.clock import Clock
    from videoscore.pipeline.outputs import check_folder, replace_folder
    from videoscore.pipeline.settle import load_sheet, settle_sheet
    from videoscore.pipeline.soundtrack import master_stems, render_stems
    from videoscore.pipeline.workspace import working_folder
    from videoscore.pipeline.write import write

    target = Path(output) if output else _beside(cues, ".stems")
    check_folder(target, overwrite)
    sheet, options = settle_sheet(load_sheet(cues), **settings)
    tell = Clock(teller.progress)
    music = write(sheet, options, tell)
    teller.remarks(music.remarks)
    with working_folder(target) as folder:
        stems = render_stems(music.arrangement, folder / "stems", options.render, tell)
        master_stems(stems, music.arrangement, folder / "music.wav", options, tell, finish=True)
        replace_folder(folder / "stems", target)
    names = [stem.path.name for stem in stems]
    teller.result(
        {"output": target, "stems": names, "seconds": tell.seconds},
        f"{target}: {len(names)} stems ({', '.join(names)}), {clock(sheet.duration)}",
    )


@click.command()
@click.argument("input")
@click.argument("music", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="a .wav file for the sound alone; any other suffix makes a video",
)
@with_settings(*MIXING)
@overwriting
@with_voice
def mix(
    teller: Teller, input: str, music: tuple[str, ...], output: str, overwrite: bool, **settings: Any
) -> None:
    """Mix the sound files MUSIC (stems, or your own piece) with the sound of the video INPUT.

    They begin with the picture; what is longer is cut, what is shorter is followed by silence.
    """
    from videoscore.pipeline.own_music import mix_files

    mix_result = mix_files(input, music, output, overwrite=overwrite, progress=teller.progress, **settings)
    loudness = mix_result.loudness.integrated
    loud = "too short or silent to measure" if loudness is None else f"{loudness:.1f} LUFS"
    teller.remarks(mix_result.remarks)
    facts = {
        "output": output,
        "loudness": loudness,
        "true_peak": mix_result.loudness.true_peak,
        "remarks": mix_result.remarks,
    }
    teller.result(facts, f"{output}: {loud}")


def _beside(cues: str, suffix: str) -> Path:
    path = Path(cues)
    return path.with_name(path.name.removesuffix(".json").removesuffix(".cues") + suffix)
