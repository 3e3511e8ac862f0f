"""Music alone, as sound or notes of exact length: for a mood, a curve, or like a film; a loop if asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from videoscore.cues.intensity import Level, gain_at, read_levels, scaled
from videoscore.cues.sheet import CueSheet
from videoscore.errors import UsageError
from videoscore.files import write_text
from videoscore.music.score import Score, TempoMap
from videoscore.perform.parts import Arrangement
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.outputs import check_file, check_folder, publish
from videoscore.pipeline.settle import WATCHING, check_players, settle
from videoscore.pipeline.soundtrack import master_stems, render_stems
from videoscore.pipeline.watch import analyze
from videoscore.pipeline.without_film import sheet_for
from videoscore.pipeline.workspace import working_folder
from videoscore.pipeline.write import Music, write
from videoscore.progress import Progress, silent
from videoscore.settings.build import settings as all_settings
from videoscore.settings.fields import Options

# suffix -> format and subtype of libsndfile
SOUND = {".wav": ("WAV", "PCM_24"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
MIDI = (".mid", ".midi")
LEAD_SHEETS = (".musicxml", ".xml")
WISHES = ("mood", "valence", "arousal", "curve", "seconds", "key", "tempo")
LOOP_FILE = ".loop.json"  # beside what has no place for loop points
LEAST_LOOP = Fraction(4)  # seconds; what is shorter is a stinger, which ends


@dataclass(frozen=True)
class Bed:
    """What was written.

    output : the file. kept : further files by kind: "stems", "cues", "loop". samples : at `sample_rate` Hz.
    loudness : integrated, in LUFS. true_peak : in dBTP. gain : dB on the sum of the stems. All of these are None where
    notes were written, and no sound.
    """

    output: Path
    kept: Mapping[str, Path]
    music: Music
    sample_rate: int
    samples: int | None = None
    loudness: float | None = None
    true_peak: float | None = None
    gain: float | None = None
    remarks: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sound:
    samples: int
    loudness: float | None
    true_peak: float | None
    gain: float
    remarks: tuple[str, ...]


def write_bed(
    output: str | Path,
    options: Options | None = None,
    *,
    like: str | Path | None = None,
    intensity_curve: str | None = None,
    loop: bool = False,
    stems: bool = False,
    cues: str | Path | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    preset: str | None = None,
    seed: int | None = None,
    progress: Progress = silent,
    **words: Any,
) -> Bed:
    """Write music alone, of exact length.

    Parameters
    ----------
    output : a .wav, .flac or .ogg file; .mid, or .musicxml for a lead sheet.
    like : a film, whose cues, moods and length it has (`mood` overrules it, as in `videoscore.score`); else
    words : what is asked for, as `videoscore.cues.wishes.read` takes it (`mood`, `seconds`, `key` ...), and any
        settings, as for `videoscore.score`.
    intensity_curve : as "0:00 0.3, 1:00 1.0": levels from 0 to 1 over time. Mood and sound follow it.
    loop : so that the end leads into the beginning: nothing ends, what rings at the end rings on at the beginning. A
        WAV file holds the loop points; other sound gets ``NAME.loop.json`` beside it.
    stems : also one WAV an instrument in ``NAME.stems``, as long, shaped alike; `gain` dB make their sum the bed.
    cues : also write the cue sheet there.

    Raises
    ------
    UsageError, InputError, OutputError, SetupError : see `videoscore.errors`. Nothing half-written stays.
    """
    target = Path(output)
    own = WISHES if like is None else tuple(name for name in WISHES if name != "mood")
    wishes = {name: words[name] for name in own if words.get(name) is not None}
    settings = {name: value for name, value in words.items() if name not in own}
    sounding = _check_suffix(target, stems, intensity_curve, loop)
    _refuse(like, wishes, settings)
    options = settle(preset, seed, options, **settings)
    if sounding:
        check_players(options)
    kept = _kept(target, stems, cues, loop and sounding, overwrite, like)
    clock = Clock(progress)
    sheet, remarks = _sheet(like, wishes, options, progress)
    levels = None if intensity_curve is None else read_levels(intensity_curve, sheet.duration)
    _check_loop(loop, sheet, levels)
    music, twice = _write_music(scaled(sheet, levels) if levels else sheet, options, loop, clock)
    with working_folder(target) as folder:
        files = {"bed": folder / f"bed{target.suffix.lower()}"}
        files |= {kind: folder / kind for kind in ("cues", "stems", "loop")}
        sound = _sound(music, twice, options, levels, files, clock, workers, stems) if sounding else None
        if sound is None:
            _write_notes(music, files["bed"], target.stem)
        _write_beside(music, files, kept, sound, options.render.sample_rate)
        publish(files, {"bed": target, **kept}, overwrite)
    remarks += music.remarks
    bed = Bed(target, kept, music, options.render.sample_rate, remarks=remarks, seconds=clock.seconds)
    return bed if sound is None else _told(bed, sound)


def _told(bed: Bed, sound: _Sound) -> Bed:
    return replace(
        bed,
        samples=sound.samples,
        loudness=sound.loudness,
        true_peak=sound.true_peak,
        gain=sound.gain,
        remarks=bed.remarks + sound.remarks,
    )


def _kept(
    target: Path, stems: bool, cues: str | Path | None, loop: bool, overwrite: bool, like: str | Path | None
) -> dict[str, Path]:
    """The files beside the bed, by kind. Raises where one of them, or the bed, may not be written."""
    kept = {"stems": target.with_suffix(".stems")} if stems else {}
    kept |= {"cues": Path(cues)} if cues is not None else {}
    if loop and target.suffix.lower() != ".wav":
        kept["loop"] = target.with_suffix(LOOP_FILE)
    for kind, path in {"bed": target, **kept}.items():
        if kind == "stems":
            check_folder(path, overwrite)
        else:
            check_file(path, overwrite, None if like is None else Path(like))
    return kept


# ---------------------------------------------------------------- what is asked for


def _check_suffix(target: Path, stems: bool, intensity_curve: str | None, loop: bool) -> bool:
    """Whether it is to be sound. Raises UsageError, or SetupError where what writes lead sheets is missing."""
    suffix = target.suffix.lower()
    if suffix in SOUND:
        return True
    if suffix not in (*MIDI, *LEAD_SHEETS):
        raise UsageError(
            "music isn't written so",
            path=target,
            remedy=f"Name it {', '.join((*SOUND, *MIDI, *LEAD_SHEETS))}.",
        )
    if stems:
        raise UsageError(
            "--stems are sound, and this is notes", path=target, remedy="Name a .wav, or leave it out."
        )
    if suffix in LEAD_SHEETS:
        from videoscore.music import leadsheet

        leadsheet.require()
    return False


def _refuse(like: str | Path | None, wishes: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """What would have no effect is an error."""
    if like is not None:
        for name in wishes:
            raise UsageError(
                f"--{name} has no effect with --like: mood and length are the film's",
                remedy="Leave one of them out.",
            )
        return
    for name, value in settings.items():
        setting = all_settings().get(name)
        if value is not None and setting and setting.group in WATCHING and setting.group != "spot":
            raise UsageError(
                f"{setting.flag} has no effect without --like: no film is read", remedy="Leave it out."
            )


def _sheet(
    like: str | Path | None, wishes: Mapping[str, Any], options: Options, progress: Progress
) -> tuple[CueSheet, tuple[str, ...]]:
    if like is None:
        return sheet_for(options, **wishes)
    seen = analyze(like, options, progress=progress)
    return seen.sheet, seen.media.remarks + seen.remarks


def _check_loop(loop: bool, sheet: CueSheet, levels: Sequence[Level] | None) -> None:
    if not loop:
        return
    if sheet.duration < LEAST_LOOP:
        raise UsageError(
            f"--loop: music of {float(sheet.duration):g} s is a stinger, which ends",
            remedy=f"Ask for {LEAST_LOOP} s or more, or leave out --loop.",
        )
    if levels and levels[0].level != levels[-1].level:
        raise UsageError(
            "--loop: the intensity ends at another level than it begins with",
            remedy="End --intensity-curve where it began.",
        )


# ---------------------------------------------------------------- notes


def _write_music(sheet: CueSheet, options: Options, loop: bool, clock: Clock) -> tuple[Music, Arrangement]:
    """The music, and the arrangement to be rendered: of a loop, two passes of it."""
    if not loop:
        music = write(sheet, options, clock)
        return music, music.arrangement
    from videoscore.perform.orchestrate.orchestrate import orchestrate
    from videoscore.perform.orchestrate.palette_file import load_preset

    # written with its first cue once more at its end, which is left out then: so nothing comes to an end
    longer = write(_with_first_again(sheet), options, clock)
    score, preset = _first_pass(longer.score, len(sheet.cues), sheet), load_preset(options.preset)
    twice = orchestrate(_twice(score), preset, sheet.seed)
    # the end of the second pass is needed at full level, so the fade comes after it
    twice = replace(twice, duration=2 * sheet.duration + Fraction(options.render.fade) + 1)
    cues = longer.sheet.cues[: len(sheet.cues)]
    music = replace(
        longer,
        sheet=replace(longer.sheet, cues=cues, duration=sheet.duration),
        score=score,
        arrangement=orchestrate(score, preset, sheet.seed),
    )
    return music, twice


def _with_first_again(sheet: CueSheet) -> CueSheet:
    first, by = sheet.cues[0], sheet.duration
    again = replace(
        first,
        start=first.start + by,
        end=first.end + by,
        start_on="edit",
        curve=tuple(replace(p, t=p.t + by) for p in first.curve),
        hits=(),
        notes=None,
        performance=None,
    )
    return replace(sheet, cues=(*sheet.cues, again), duration=again.end)


def _first_pass(score: Score, cues: int, sheet: CueSheet) -> Score:
    sections = score.sections[:cues]
    end = sections[-1].end
    notes = tuple(n for n in score.notes if n.start < end)
    tempo = TempoMap(tuple(change for change in score.tempo.changes if change[0] < end))
    return Score(notes, sections, tempo, sheet.duration)


def _twice(score: Score) -> Score:
    by = score.sections[-1].end
    return Score(
        (*score.notes, *(replace(n, start=n.start + by) for n in score.notes)),
        (*score.sections, *(replace(s, start=s.start + by, end=s.end + by) for s in score.sections)),
        TempoMap((*score.tempo.changes, *((tick + by, us) for tick, us in score.tempo.changes))),
        2 * score.duration,
    )


def _write_notes(music: Music, path: Path, title: str) -> None:
    if path.suffix in LEAD_SHEETS:
        from videoscore.music.leadsheet import write_musicxml

        write_musicxml(music.score, path, title)
        return
    from videoscore.perform.played_midi import write_midi

    write_midi(music.arrangement, path)


# ---------------------------------------------------------------- sound


def _sound(
    music: Music,
    arrangement: Arrangement,
    options: Options,
    levels: Sequence[Level] | None,
    files: Mapping[str, Path],
    clock: Clock,
    workers: int | None,
    stems_kept: bool,
) -> _Sound:
    """Render, master, close and level: the bed in its format at ``files["bed"]``, and the stems where they are kept."""
    from videoscore.perform.mix.bed import closed, encode, level_evenly, samples_of
    from videoscore.perform.mix.mix import master

    rate, duration = options.render.sample_rate, music.sheet.duration
    folder = files["bed"].parent
    samples, loop = samples_of(duration, rate), arrangement is not music.arrangement
    # a loop is played twice, and its intensity ends where it began
    intensity = None if levels is None else (lambda t: gain_at(levels, t % float(duration)))
    stems = render_stems(
        arrangement, folder / "rendered" if loop else files["stems"], options.render, clock, workers
    )
    whole = master_stems(stems, arrangement, folder / "music.wav", options, clock, stems_kept, intensity)
    wav = folder / "sound.wav"
    with clock.stage("mix", float(duration)):
        if loop:
            files["stems"].mkdir()
            for stem in stems if stems_kept else ():
                closed(stem, files["stems"] / stem.path.name, samples)
            once = [closed(stem, folder / "once.wav", samples) for stem in whole]
            loudness, decibels, remarks = level_evenly(once, options.mix, wav, rate, samples)
        else:
            mixed = master(whole, duration, options.mix, wav, rate)
            loudness, decibels, remarks = mixed.loudness, mixed.gain, mixed.remarks
        form, subtype = SOUND[files["bed"].suffix]
        if form != "WAV":
            encode(wav, files["bed"], form, subtype)
        else:
            if loop:
                from videoscore.audio.loop_points import add_loop

                add_loop(wav, rate, samples, [(samples_of(c.start, rate), c.name) for c in music.sheet.cues])
            wav.replace(files["bed"])
    return _Sound(samples, loudness.integrated, loudness.true_peak, decibels, tuple(remarks))


def _write_beside(
    music: Music, files: Mapping[str, Path], kept: Mapping[str, Path], sound: _Sound | None, rate: int
) -> None:
    if "cues" in kept:
        from videoscore.cues.file.sheet_file import save

        save(music.sheet_to_keep(), files["cues"])
    if "loop" in kept and sound is not None:
        import json

        facts = {"format": "videoscore-loop", "sample_rate": rate, "start": 0, "end": sound.samples}
        write_text(files["loop"], json.dumps(facts) + "\n")
