"""A piece of the library as sound: whole, as it is written, with the preset's instruments."""

from __future__ import annotations

import tempfile
from pathlib import Path

from videoscore.errors import InputError
from videoscore.files import read_start
from videoscore.library.read.read import MOST_BYTES, Music, Unusable, read
from videoscore.music.score import PPQ, Note, Role, Score, Section, TempoMap
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.soundtrack import master_stems, render_stems
from videoscore.progress import silent
from videoscore.settings.fields import Options

BEATS = 4  # quarters of a bar by which the piece is laid out, whatever its own bars are


def play_piece(path: Path, place: tuple[str, float, float], options: Options, target: Path) -> Path:
    """Write the piece at `path` as FLAC to `target`, which is returned; whole or not at all.

    place : its mood, valence and arousal. Raises InputError when it can't be read, SetupError without FluidSynth or a
    SoundFont, OutputError.
    """
    from videoscore.perform.orchestrate.orchestrate import orchestrate

    score = score_of(path, place)
    arrangement = orchestrate(score, load_preset(options.preset), options.seed)
    clock = Clock(silent)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        stems = render_stems(arrangement, folder / "stems", options.render, clock, workers=1)
        music = master_stems(stems, arrangement, folder / "music.wav", options, clock)
        _as_flac(music[0].path, folder / "music.flac")
        (folder / "music.flac").replace(target)
    return target


def score_of(path: Path, place: tuple[str, float, float]) -> Score:
    """The piece's notes at its own tempi, from its first bar; its length is that of its bars. Raises InputError."""
    remedy = "Remove it with `videoscore library remove`."
    try:
        music = read(read_start(path, MOST_BYTES, remedy))
    except Unusable as error:
        raise InputError(f"the piece can't be read ({error})", path=path, remedy=remedy) from error
    begin = int(music.bar_start[0])
    rows = zip(
        *(getattr(music, name).tolist() for name in ("onset", "role", "pitch", "duration", "velocity"))
    )
    notes = [Note(max(0, at - begin), Role(role), *rest) for at, role, *rest in rows]
    last = max(
        int(music.bar_start[-1] + music.bar_length[-1]) - begin, max(n.start + n.duration for n in notes)
    )
    bars = -(-last // (BEATS * PPQ))
    end = bars * BEATS * PPQ
    tempo = _tempo(music, begin)
    mood, valence, arousal = place
    section = Section(path.stem, mood, valence, arousal, "C major", 0, end, bars, BEATS)
    return Score(tuple(sorted(notes)), (section,), tempo, tempo.seconds(end))


def _tempo(music: Music, begin: int) -> TempoMap:
    changes: dict[int, int] = {}
    for tick, bpm in zip(music.tempo_at.tolist(), music.tempo.tolist()):
        changes[max(0, round(tick) - begin)] = round(60_000_000 / bpm)
    if 0 not in changes:
        changes[0] = round(60_000_000 / float(music.tempo[0]))
    return TempoMap(tuple(sorted(changes.items())))


def _as_flac(wav: Path, target: Path) -> None:
    import soundfile

    with (
        soundfile.SoundFile(wav) as sound,
        soundfile.SoundFile(
            target, "w", sound.samplerate, sound.channels, format="FLAC", subtype="PCM_16"
        ) as out,
    ):
        for block in sound.blocks(1 << 16, dtype="float32"):
            out.write(block)
