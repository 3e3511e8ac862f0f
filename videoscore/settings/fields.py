"""Every default of videoscore, in one place.

The CLI's options and help, the Python API, the presets and the docs read their
defaults from these dataclasses. A preset (TOML) may replace any field of any
group under the group's name; the command line replaces the preset's
(`videoscore.settings.build` does both). Each field's ``help`` is the text that ``--help``
shows; its flag is the field's own name unless ``flag`` says another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


def option(default: Any, help: str, **checks: Any) -> Any:
    """A dataclass field with its help text, its limits (``min``, ``max``, ``choices``) and its ``flag``."""
    return field(default=default, metadata={"help": help, **checks})


@dataclass(frozen=True)
class SampleOptions:
    every: Fraction = option(
        Fraction(1, 2),
        "seconds between sampled frames",
        min=Fraction(1, 30),
        max=Fraction(60),
        flag="sample-every",
    )
    size: int = option(384, "longest side of a sampled frame in pixels", min=32, max=1024, flag="frame-size")
    decoder: str = option(
        "auto",
        "what decodes the picture: pyav, decord, or auto (the faster one of those that are right)",
        choices=("auto", "pyav", "decord"),
    )


@dataclass(frozen=True)
class PerceiveOptions:
    perceiver: str = option("auto", "what reads the mood: auto (scenes and faces), scene, face or deep")
    face_model: str = option(
        "vgg16-fer", "the model that reads faces", choices=("vgg16-fer", "resnet34-va", "cnn-fer")
    )
    mood_weights: str | None = option(
        None,
        "weights of the deep perceiver, as `videoscore train deep` writes them; "
        "by default the installed ones",
    )
    fallback: str = option(
        "none",
        "what reads the mood where --perceiver face finds no face in the whole film",
        choices=("none", "scene"),
    )
    motion: float = option(1.0, "weight of motion in arousal", min=0.0, max=3.0)
    cutting: float = option(1.0, "weight of the cut rate in arousal", min=0.0, max=3.0)
    sound: float = option(1.0, "weight of the original sound's loudness in arousal", min=0.0, max=3.0)
    brightness: float = option(
        1.0, "weight of changes of brightness in valence and arousal", min=0.0, max=3.0
    )
    colour: float = option(1.0, "weight of changes of colourfulness in valence and arousal", min=0.0, max=3.0)


@dataclass(frozen=True)
class SmoothOptions:
    window: float = option(6.0, "smoothing window in seconds", min=0.0, max=600.0, flag="smooth")
    edge: float = option(
        0.3,
        "change of mood, as a distance on the plane, that smoothing leaves sharp (0: none)",
        min=0.0,
        max=3.0,
        flag="smooth-edge",
    )


@dataclass(frozen=True)
class SpotOptions:
    min_cue: Fraction = option(Fraction(8), "shortest cue in seconds", min=Fraction(1), max=Fraction(3600))
    max_cue: Fraction = option(
        Fraction(75),
        "longest cue in seconds (at least three times the shortest)",
        min=Fraction(10),
        max=Fraction(3600),
    )
    mood: str | None = option(
        None,
        "overrules what is read: a mood for the whole film, or moods from times on, as "
        '"0:00 Peaceful, 0:42 Dynamic, 1:10 read" (read: as the film shows)',
    )
    reference: str | None = option(
        None, "a MIDI file to be like: tempo, key and mood are taken from it, and no notes"
    )


@dataclass(frozen=True)
class ComposeOptions:
    composer: str = option(
        "passages",
        "what writes the music: passages (new tunes over real accompaniments), or latent (tunes of a network)",
    )
    feeling: str | None = option(
        None,
        "with --composer latent: fierce, bright, lively, peaceful, refreshing, mysterious, gloomy, clear or "
        'dismal, in English or Korean, or two between which the mood moves, as "gloomy, bright"; '
        "by default those nearest to the mood",
    )
    takes: int = option(1, "takes to write a cue, of which the judge keeps the best", min=1, max=64)
    intensity: float = option(
        1.0,
        "how strongly the music follows the mood: 0 not at all, 1 is as usual, 2 exaggerates",
        min=0.0,
        max=2.0,
    )
    roles: str | None = option(
        None,
        "the roles that are written, instead of those that the preset wants: melody, "
        "counter, accompaniment, bass, pad, drums, with commas between them",
    )


@dataclass(frozen=True)
class LibraryOptions:
    music: str = option(
        "generate",
        "where the music comes from: generate (it is written), select (from the library), "
        "or auto (selected where a close match is there, else written)",
        choices=("generate", "select", "auto"),
    )
    path: str | None = option(
        None, "the library's file; by default the one of the user (docs/library.md)", flag="library"
    )
    builtin: bool = option(
        True, "also select from the music that comes with videoscore", flag="builtin-music"
    )
    near: float = option(
        0.35,
        "with --music auto: a piece is close up to this distance on the valence-arousal plane",
        min=0.0,
        max=3.0,
        flag="match-near",
    )
    same_piece: bool = option(False, "allow one piece in two cues in a row", flag="same-piece")
    mood: float = option(
        5.0,
        "cost in selecting of a distance of 1 on the valence-arousal plane",
        min=0.0,
        max=100.0,
        flag="match-mood",
    )
    tempo: float = option(
        0.5,
        "cost in selecting of a tempo 10 % outside the range that suits the mood",
        min=0.0,
        max=100.0,
        flag="match-tempo",
    )
    stretch: float = option(
        0.6,
        "cost in selecting of a piece played 8 % faster or slower than it is written",
        min=0.0,
        max=100.0,
        flag="match-stretch",
    )
    length: float = option(
        1.0,
        "cost in selecting of a piece that has to be repeated for the whole cue",
        min=0.0,
        max=100.0,
        flag="match-length",
    )
    beat: float = option(
        0.5,
        "cost in selecting of a piece that was played without a beat",
        min=0.0,
        max=100.0,
        flag="match-beat",
    )
    key: float = option(
        0.3,
        "weight in selecting of the key's relation to the cue before",
        min=0.0,
        max=100.0,
        flag="match-key",
    )
    variety: float = option(
        0.5,
        "cost in selecting of a piece that was heard before in the film",
        min=0.0,
        max=100.0,
        flag="match-variety",
    )
    recency: float = option(
        0.8,
        "cost in selecting of a piece that was in the last film; half for the one before",
        min=0.0,
        max=100.0,
        flag="match-recency",
    )
    chance: float = option(0.2, "share of the seed in selecting", min=0.0, max=100.0, flag="match-chance")


@dataclass(frozen=True)
class RenderOptions:
    soundfont: str | None = option(None, "SoundFont file (SF2 or SF3); by default the best one found")
    sample_rate: int = option(48000, "sample rate of the music in Hz", choices=(44100, 48000))
    space: str = option("hall", "where the music is heard", choices=("dry", "room", "hall", "church"))
    reverb: float = option(
        0.4, "reverberation of the music against its direct sound, 0 is dry", min=0.0, max=1.0
    )
    fade: float = option(1.0, "fade-out at the end of the music in seconds", min=0.05, max=30.0)


@dataclass(frozen=True)
class MasterOptions:
    dynamics: float = option(
        9.0, "how much louder a cue of arousal 1 is than one of -1 in LU", min=0.0, max=20.0
    )
    low_cut: float = option(30.0, "frequency under which the music is cut, in Hz", min=10.0, max=200.0)
    mud: float = option(-2.0, "gain around 180 Hz, where many parts crowd, in dB", min=-12.0, max=6.0)
    presence: float = option(
        0.0, "gain around 2 kHz, where voices and solo instruments stand out, in dB", min=-12.0, max=6.0
    )
    air: float = option(0.0, "gain over 7 kHz in dB", min=-12.0, max=12.0)
    mono_below: float = option(
        120.0, "frequency under which left and right are one, in Hz (0: none)", min=0.0, max=500.0
    )
    compression: float = option(
        1.5, "ratio of the compression of what stands out of its cue (1: none)", min=1.0, max=10.0
    )
    saturation: float = option(0.0, "soft saturation of the music, 0 is none", min=0.0, max=1.0)


@dataclass(frozen=True)
class MixOptions:
    audio: str = option(
        "duck",
        "the original sound: keep, duck the music under it, or replace it",
        choices=("keep", "duck", "replace"),
    )
    loudness: float = option(-14.0, "integrated loudness of the result in LUFS", min=-40.0, max=-5.0)
    true_peak: float = option(-1.0, "highest true peak in dBTP", min=-12.0, max=0.0)
    balance: float = option(
        -4.0, "loudness of the music against the original sound in LU", min=-30.0, max=20.0
    )
    duck: float = option(-7.0, "gain of the music under speech in dB", min=-40.0, max=0.0)
    duck_band: float = option(
        -6.0, "gain of its speech band (1 to 4 kHz) beyond that, in dB", min=-24.0, max=0.0
    )
    duck_attack: float = option(0.15, "seconds in which the music goes down before a word", min=0.02, max=2.0)
    duck_release: float = option(
        1.2, "seconds in which it comes back; shorter pauses don't let it up", min=0.1, max=10.0
    )


@dataclass(frozen=True)
class SlideOptions:
    """Of `videoscore slideshow`."""

    order: str = option(
        "given",
        "order of the photographs: given (as they are named, those of a folder by name), name, time (when "
        "they were taken) or mood (so that each is followed by one of a like mood)",
        choices=("given", "name", "time", "mood"),
    )
    seconds: Fraction = option(
        Fraction(5),
        "about how long a photograph is shown in seconds; exactly it is whole bars of the music",
        min=Fraction(1),
        max=Fraction(60),
        flag="photo-seconds",
    )
    perceiver: str = option(
        "scene",
        "what reads the mood of photographs: scene, deep, or auto (scenes and faces)",
        choices=("scene", "deep", "auto"),
        flag="photo-perceiver",
    )
    dissolve: Fraction = option(
        Fraction(1),
        "seconds of a cross-dissolve; 0 cuts from one to the next",
        min=Fraction(0),
        max=Fraction(5),
    )
    zoom: float = option(
        1.12, "how far a photograph is zoomed into while it is shown; 1 stands still", min=1.0, max=1.5
    )
    height: int = option(1080, "height of the film in pixels, at 16:9", choices=(720, 1080, 2160))
    fps: int = option(25, "pictures a second of the film", choices=(24, 25, 30, 50, 60))
    title: str | None = option(None, "a title over the first photograph")
    captions: str = option(
        "none",
        "what stands under each photograph: none, name (of its file), date (when it was taken) or description "
        "(that it carries)",
        choices=("none", "name", "date", "description"),
    )
    font: str | None = option(
        None, "font file (TTF, OTF) of title and captions; by default one for Latin, Greek and Cyrillic"
    )


@dataclass(frozen=True)
class Options:
    """All groups together."""

    sample: SampleOptions = field(default_factory=SampleOptions)
    perceive: PerceiveOptions = field(default_factory=PerceiveOptions)
    smooth: SmoothOptions = field(default_factory=SmoothOptions)
    spot: SpotOptions = field(default_factory=SpotOptions)
    compose: ComposeOptions = field(default_factory=ComposeOptions)
    library: LibraryOptions = field(default_factory=LibraryOptions)
    render: RenderOptions = field(default_factory=RenderOptions)
    master: MasterOptions = field(default_factory=MasterOptions)
    mix: MixOptions = field(default_factory=MixOptions)
    slides: SlideOptions = field(default_factory=SlideOptions)
    preset: str = "cinematic"
    seed: int = 0
