"""How the music sounds, in figures: tone, width, dynamics, reverberation; and what rendering costs.

    python benchmarks/sound.py play FOLDER [--preset cinematic] [--pieces 3] [--takes 3] [--seconds 12]
                                           [--ten-minutes] [--cues SHEET.json ...] [--midi FILE.mid ...]
                                           [--recordings FILE.ogg ...]
    python benchmarks/sound.py table NAME=FOLDER [NAME=FOLDER ...]
    python benchmarks/sound.py fonts REFERENCE.sf3 FONT.sf3

`play` makes WAV files with the videoscore that is imported (PYTHONPATH says which): `--pieces` of each mood, of
`--seconds`; one piece of all eight moods, `--takes` times, a cue of `--seconds` each; the music of each cue sheet,
alone; as anchors the first minute of each MIDI file through the same chain, with its own instruments, and of each
recording as it is; a click, for the reverberation. `table` measures what `play` left in one or more folders: before
and after, say. `fonts` tells how much louder each sound of the packaged presets is in one SoundFont than in another:
the `levels` of soundfonts/registry.toml.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile

from videoscore.audio.loudness import Meter
from videoscore.cues.file.sheet_file import load
from videoscore.cues.keys import plan_keys
from videoscore.cues.meter import choose_meter
from videoscore.cues.sheet import Cue, CueSheet, CurvePoint, HitPoint
from videoscore.mood.circle import centre
from videoscore.music.score import PPQ, Section, TempoMap
from videoscore.perform.mix.mix import mix
from videoscore.perform.parts import Arrangement, Part, Played
from videoscore.perform.render.render import render
from videoscore.pipeline.clock import Clock
from videoscore.pipeline.write import write
from videoscore.settings.build import build
from videoscore.settings.fields import Options
from videoscore.video.media import Media, VideoStream

OCTAVES = (63, 125, 250, 500, 1000, 2000, 4000, 8000)
APART = ("click", "moods", "ten minutes")  # files with figures of their own
ANCHOR = 60  # seconds of a MIDI file
ORDER = ("Peaceful", "Angry", "Tired", "Dynamic", "Depressed", "Happy", "Withered", "Anxiety")
EVEN = TempoMap(((0, 500_000),))  # 960 ticks a second
WIDE = 120.0  # Hz over which width is told


def moods(takes: int, seconds: int, preset: str) -> CueSheet:
    """All moods, calm and wild in turn, a cue of `seconds` each with a hit point in it."""
    cues = []
    for k, mood in enumerate(ORDER * takes):
        start, (valence, arousal) = Fraction(k * seconds), centre(mood)
        length = Fraction(seconds)
        hits = (HitPoint(start + length * 5 / 8, "cut", 0.8),)
        meter = choose_meter(length, valence, arousal, k, hits, start=start, mood=mood)
        curve = (CurvePoint(start, valence, arousal),)
        cues.append(Cue(f"c{k + 1}", start, start + length, "edit", mood, curve, "C major", meter, hits))
    return CueSheet("", Fraction(len(cues) * seconds), tuple(plan_keys(cues, 0)), (), 0, preset)


def pieces(count: int, seconds: int, preset: str) -> dict[str, CueSheet]:
    """`count` pieces of one cue for each mood, by name."""
    out = {}
    for cue in moods(1, seconds, preset).cues if count else ():
        by = cue.start
        alone = replace(
            cue,
            name="c1",
            start=Fraction(0),
            end=cue.end - by,
            curve=tuple(replace(point, t=point.t - by) for point in cue.curve),
            hits=tuple(replace(hit, t=hit.t - by) for hit in cue.hits),
        )
        for seed in range(count):
            out[f"{cue.mood} {seed + 1}"] = CueSheet("", alone.end, (alone,), (), seed, preset)
    return out


def from_midi(path: Path) -> Arrangement:
    """The first minute of a MIDI file, each instrument as it is."""
    import pretty_midi

    midi, parts = pretty_midi.PrettyMIDI(str(path)), []
    length = min(float(ANCHOR), midi.get_end_time())
    for k, one in enumerate(midi.instruments):
        notes = [
            Played(
                round(960 * n.start), max(1, round(960 * (min(n.end, length) - n.start))), n.pitch, n.velocity
            )
            for n in one.notes
            if n.start < length
        ]
        if notes:
            parts.append(Part(f"p{k}", int(one.program), one.is_drum, tuple(sorted(notes))))
    end = round(960 * length)
    section = Section("all", "Happy", 0.0, 0.0, "C major", 0, end, max(1, end // (4 * PPQ)), 4)
    return Arrangement(tuple(parts), (section,), EVEN, EVEN.seconds(end))


def sounded(music: Arrangement, out: Path, options: Options) -> dict[str, float]:
    """The music alone, mixed, at `out`. Returns seconds of wall and CPU, and the most memory of this process and of a
    worker in MB, where the tree can tell."""
    if not importlib.util.find_spec("videoscore.workers.memory"):
        return _sounded(music, out, options)
    from videoscore.workers.memory import PeakMemory, own_peak

    with PeakMemory() as memory:
        costs = _sounded(music, out, options)
        return costs | {"MB": (own_peak() or 0) / 1e6, "MB of a worker": memory.children / 1e6}


def _sounded(music: Arrangement, out: Path, options: Options) -> dict[str, float]:
    video = VideoStream(0, "h264", 64, 64, 0, Fraction(1, 90000), 0, music.duration, Fraction(1, 25))
    begin, used = time.monotonic(), _cpu()
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        stems = render(music, Path(folder) / "stems", options.render, 2)
        if importlib.util.find_spec("videoscore.perform.master"):
            from videoscore.perform.master.gain import passages
            from videoscore.perform.master.master import master

            stems = master(stems, passages(music), Path(folder) / "m.wav", options.master, options.mix)
        mix(stems, Media(out, "mp4", video, ()), replace(options.mix, audio="replace"), out)
    return {"wall": time.monotonic() - begin, "cpu": _cpu() - used}


def _cpu() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(one).ru_utime + resource.getrusage(one).ru_stime for one in who)


def click(options: Options, out: Path) -> None:
    """A clave on the downbeat, for the reverberation."""
    part = Part("click", 0, True, (Played(PPQ, 100, 75, 120),))
    section = Section("all", "Happy", 0.0, 0.0, "C major", 0, 16 * PPQ, 4, 4)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        music = Arrangement((part,), (section,), EVEN, Fraction(8))
        (stem,) = render(music, Path(folder), options.render, 1)
        stem.path.replace(out)


def play(arguments: argparse.Namespace) -> int:
    out: Path = arguments.folder
    out.mkdir(parents=True, exist_ok=True)
    options, costs = build(preset=arguments.preset), {}
    click(options, out / "click.wav")
    sheets = {
        path.name.partition(".")[0]: replace(load(path), preset=arguments.preset) for path in arguments.cues
    }
    sheets |= pieces(arguments.pieces, arguments.seconds, arguments.preset)
    if arguments.takes:
        sheets["moods"] = moods(arguments.takes, arguments.seconds, arguments.preset)
    if arguments.ten_minutes:
        sheets["ten minutes"] = moods(5, 15, arguments.preset)
    for name, sheet in sheets.items():
        print(name, file=sys.stderr, flush=True)
        music = write(sheet, options, Clock()).arrangement
        costs[name] = sounded(music, out / f"{name}.wav", options)
        cues = [[c.mood, float(c.start), float(c.end), c.at((c.start + c.end) / 2)[1]] for c in sheet.cues]
        (out / f"{name}.json").write_text(json.dumps(cues))
    for path in arguments.midi:
        print(path.name, file=sys.stderr, flush=True)
        sounded(from_midi(path), out / f"{path.stem}.wav", options)
    for path in arguments.recordings:
        sound, rate = soundfile.read(path, ANCHOR * soundfile.info(path).samplerate, always_2d=True)
        soundfile.write(out / f"{path.stem}.wav", sound[:, [0, -1]], rate)
    (out / "costs.json").write_text(json.dumps(costs))
    return 0


def sounds() -> dict[tuple[int, int], tuple[int, ...]]:
    """(bank, program) of all that the packaged presets play with, bank 128 for drum kits -> keys to hear it by."""
    from videoscore.perform.orchestrate.palette_file import load_preset
    from videoscore.settings.preset_file import list_presets

    out: dict[tuple[int, int], tuple[int, ...]] = {}
    for name in list_presets():
        for i in load_preset(name).instruments.values():
            keys = (
                (36, 38, 42, 49) if i.drums else tuple((i.low * (4 - k) + i.high * k) // 4 for k in (1, 2, 3))
            )
            out.setdefault((128 if i.drums else i.bank, i.program), keys)
            if i.held:
                out.setdefault(i.held, keys)
    return out


def sound_level(font: Path, sound: tuple[int, int], keys: tuple[int, ...], folder: Path) -> float:
    """LUFS of one sound of a SoundFont, its keys one after another, held for a second and a half each."""
    from videoscore.perform.render.render import job
    from videoscore.perform.render.soundfont import Font
    from videoscore.perform.render.stem import play

    bank, program = sound
    notes = tuple(Played(1920 * k, 1440, key, 85) for k, key in enumerate(keys))
    part = Part("one", program, bank == 128, notes, bank=0 if bank == 128 else bank)
    section = Section("all", "Happy", 0.0, 0.0, "C major", 0, 1920 * len(keys), 1, 4)
    music = Arrangement((part,), (section,), EVEN, Fraction(2 * len(keys)))
    options = replace(Options().render, reverb=0.0)
    play(job(part, music, folder / "one.wav", options, Font(font, "", "", "")))
    meter = Meter(48000)
    meter.add(soundfile.read(folder / "one.wav", dtype="float32")[0])
    level = meter.result().integrated
    return -100.0 if level is None else level


def fonts(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for sound, keys in sorted(sounds().items()):
            a, b = (sound_level(f, sound, keys, Path(folder)) for f in (arguments.reference, arguments.font))
            print(f"{sound[0]}/{sound[1]} {a:.1f} {b:.1f} {b - a:+.1f}")
    return 0


def figures(path: Path) -> dict[str, float]:
    """Tone, width and dynamics of one WAV file."""
    sound, rate = soundfile.read(path, dtype="float32")
    middle, side = sound.mean(axis=1), (sound[:, 0] - sound[:, 1]) / 2
    hertz, power = _spectrum(middle, rate)
    _, beside = _spectrum(side, rate)
    whole, wide = power[hertz < 16000].sum(), hertz > WIDE
    out = {"centroid, Hz": float((hertz * power)[hertz < 16000].sum() / whole)}
    for octave in OCTAVES:
        band = (hertz >= octave / 2**0.5) & (hertz < octave * 2**0.5)
        out[f"{octave} Hz, dB"] = 10 * float(np.log10(power[band].sum() / whole + 1e-9))
    out["crest, dB"] = 20 * float(np.log10(np.abs(sound).max() / np.sqrt((sound**2).mean())))
    out["side/middle, dB"] = 10 * float(np.log10(beside[wide].sum() / power[wide].sum() + 1e-9))
    levels = short_term(sound, rate)
    gated = levels[levels > max(-70.0, 10 * np.log10((10 ** (levels / 10)).mean()) - 20)]
    out["loudness range, LU"] = float(np.subtract(*np.percentile(gated, [95, 10]))) if len(gated) else 0.0
    return out


def _spectrum(sound: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy.signal import welch

    return welch(sound, rate, nperseg=8192)  # type: ignore[no-any-return]


def short_term(sound: np.ndarray, rate: int) -> np.ndarray:
    """LUFS of windows of 3 s (or all of a shorter sound), every 0.1 s (EBU Tech 3341)."""
    meter = Meter(rate)
    meter.add(sound)
    hops = np.array(meter.energies)
    size = min(30, len(hops))
    means = np.convolve(hops, np.full(size, 1 / size), "valid") if size else np.zeros(0)
    return -0.691 + 10 * np.log10(np.maximum(means, 1e-10))


def onset_strength(sound: np.ndarray, rate: int) -> float:
    """Mean rise of the magnitude in 24 bands between frames of 10 ms, against the sound's RMS of the whole file
    (spectral flux: Bello et al. 2005, "A tutorial on onset detection in music signals")."""
    from scipy.signal import stft

    hertz, _, frames = stft(sound.mean(axis=1), rate, nperseg=2048, noverlap=2048 - rate // 100)
    edges = np.geomspace(40, 16000, 25)
    bands = np.stack(
        [np.abs(frames[(hertz >= a) & (hertz < b)]).sum(axis=0) for a, b in zip(edges, edges[1:])]
    )
    return float(np.maximum(0, np.diff(np.sqrt(bands), axis=1)).sum(axis=0).mean())


def contrast(folder: Path) -> dict[str, float]:
    """Aroused minus calm cues of the piece of all moods: short-term loudness in LU, onset strength as a ratio, the same
    with each cue brought to one RMS."""
    sound, rate = soundfile.read(folder / "moods.wav", dtype="float32")
    groups: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
    for _, start, end, arousal in json.loads((folder / "moods.json").read_text()):
        part = sound[round(start * rate) : round(end * rate)]
        even = part * np.float32(0.1 / np.sqrt((part**2).mean()))
        figures = (
            float(np.median(short_term(part, rate))),
            onset_strength(part, rate),
            onset_strength(even, rate),
        )
        groups[arousal > 0].append(figures)
    wild, calm = (np.array(groups[one]).mean(axis=0) for one in (True, False))
    return {
        "aroused - calm, LU": float(wild[0] - calm[0]),
        "onsets, aroused/calm": float(wild[1] / calm[1]),
        "the same at one level": float(wild[2] / calm[2]),
    }


def reverberation_time(path: Path) -> float:
    """Seconds until -60 dB of a click: -5 to -25 dB of the backward integral after 20 ms (ISO 3382-1)."""
    sound, rate = soundfile.read(path, dtype="float32")
    power = (sound.astype(float) ** 2).sum(axis=1)
    power = power[int(np.argmax(power > 1e-6)) + rate // 50 :]
    left = 10 * np.log10(np.cumsum(power[::-1])[::-1] / max(power.sum(), 1e-12) + 1e-9)
    return 3 * float(np.argmax(left < -25) - np.argmax(left < -5)) / rate


def table(arguments: argparse.Namespace) -> int:
    columns: dict[str, dict[str, float]] = {}
    for word in arguments.folders:
        name, _, folder = word.partition("=")
        files = [p for p in sorted(Path(folder).glob("*.wav")) if p.stem not in APART]
        each = [figures(path) for path in files]
        columns[name] = {"pieces": float(len(files))}
        columns[name] |= {key: float(np.mean([one[key] for one in each])) for key in each[0]}
        if (Path(folder) / "moods.wav").exists():
            columns[name] |= contrast(Path(folder))
        columns[name]["reverberation of a click, s"] = reverberation_time(Path(folder) / "click.wav")
        costs = json.loads((Path(folder) / "costs.json").read_text())
        if costs:
            columns[name]["all: cpu"] = sum(cost["cpu"] for cost in costs.values())
        for piece in (one for one in APART if one in costs):
            columns[name] |= {f"{piece}: {key}": value for key, value in costs[piece].items()}
    keys = list(dict.fromkeys(key for column in columns.values() for key in column))
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for key in keys:
        cells = [f"{column[key]:.2f}" if key in column else "" for column in columns.values()]
        print(f"| {key} | " + " | ".join(cells) + " |")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    player = commands.add_parser("play")
    player.add_argument("folder", type=Path)
    player.add_argument("--preset", default="cinematic")
    player.add_argument("--pieces", type=int, default=3)
    player.add_argument("--takes", type=int, default=3)
    player.add_argument("--seconds", type=int, default=12)
    player.add_argument("--ten-minutes", action="store_true")
    player.add_argument("--cues", type=Path, nargs="*", default=[])
    player.add_argument("--midi", type=Path, nargs="*", default=[])
    player.add_argument("--recordings", type=Path, nargs="*", default=[])
    player.set_defaults(run=play)
    measuring = commands.add_parser("table")
    measuring.add_argument("folders", nargs="+", metavar="NAME=FOLDER")
    measuring.set_defaults(run=table)
    fonting = commands.add_parser("fonts")
    fonting.add_argument("reference", type=Path)
    fonting.add_argument("font", type=Path)
    fonting.set_defaults(run=fonts)
    arguments = parser.parse_args()
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
