"""Valence and arousal of notes: a small regression on features, evaluated in numpy.

Three models ship (see docs/models/tagger.md): `tagger` labels the composer's corpus; `judge` and `judge_blind`
measure what was composed and were trained on other songs than the tagger.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoscore import resources
from videoscore.errors import InputError, NotFound, SetupError
from videoscore.music.features import NoteArrays, extract
from videoscore.music.score import PPQ, Role, Score, Section

OUTLIER = 3.0  # features are held within so many standard deviations of the training music


@dataclass(frozen=True)
class Affect:
    """Where music lies on the plane; each value in [-1, 1]."""

    valence: float
    arousal: float


@dataclass(frozen=True)
class Tagged:
    """One stretch of a score with its tag. start, end : ticks."""

    name: str
    start: int
    end: int
    affect: Affect


class Tagger:
    """Mean of a ridge regression and of an ensemble of networks with one tanh layer.

    names : the features, in order. weights : arrays `mean`, `scale` (F,); `linear` (F, 2), `bias` (2,);
    `hidden` (M, F, H), `hidden_bias` (M, H), `out` (M, H, 2), `out_bias` (M, 2); `centre`, `gain` (2,), which
    map the raw value to [-1, 1] by tanh(gain * (raw - centre)). The last axis is valence, arousal.

    ceiling : how often signs are right on real songs that the model did not see: `valence`, `arousal`,
    `quadrant`, each in 0..1; empty when never measured.
    """

    def __init__(
        self, names: tuple[str, ...], weights: dict[str, np.ndarray], ceiling: dict[str, float] | None = None
    ) -> None:
        self.names = names
        self.weights = weights
        self.ceiling = dict(ceiling or {})

    @classmethod
    def load(cls, name: str = "tagger", folder: Path | None = None) -> Tagger:
        """The shipped model `name`, or one from `folder`.

        Raises SetupError when its file is missing or isn't such a model.
        """
        from safetensors import SafetensorError, safe_open

        file = f"{name}.safetensors"
        path = resources.WEIGHTS / file if folder is None else Path(folder) / file
        try:
            with safe_open(path, framework="numpy") as data:
                about = data.metadata()
                weights = {key: data.get_tensor(key).astype(np.float64) for key in data.keys()}  # noqa: SIM118 - no mapping
                return cls(
                    tuple(json.loads(about["features"])), weights, json.loads(about.get("ceiling", "{}"))
                )
        except (OSError, SafetensorError, KeyError, TypeError) as why:
            raise SetupError(
                f"the music tagger's weights can't be read ({why})", path=path,
                remedy="Install videoscore again, or train them: videoscore train tagger.",
            ) from why  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the model as safetensors, beside the target first."""
        from safetensors.numpy import save_file

        part = path.with_name(path.name + ".part")
        tensors = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in self.weights.items()}
        about = {"format": "1", "features": json.dumps(self.names), "ceiling": json.dumps(self.ceiling)}
        try:
            save_file(tensors, part, metadata=about)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def raw(self, features: np.ndarray) -> np.ndarray:
        """Uncalibrated (valence, arousal) of feature rows: (n, F) -> (n, 2). Zero separates the signs."""
        w = self.weights
        x = np.clip((np.atleast_2d(features) - w["mean"]) / w["scale"], -OUTLIER, OUTLIER)
        straight = x @ w["linear"] + w["bias"]
        hidden = np.tanh(np.einsum("nf,mfh->mnh", x, w["hidden"]) + w["hidden_bias"][:, None])
        bent = np.einsum("mnh,mho->mno", hidden, w["out"]) + w["out_bias"][:, None]
        return 0.5 * straight + 0.5 * bent.mean(0)

    def predict_features(self, features: np.ndarray) -> np.ndarray:
        """Calibrated (valence, arousal) in (-1, 1) of feature rows: (n, F) -> (n, 2)."""
        return np.tanh(self.weights["gain"] * (self.raw(features) - self.weights["centre"]))

    def predict(self, notes: NoteArrays, span: float | None = None) -> tuple[float, float]:
        """(valence, arousal) of one passage; see `features.extract` for `span` and errors."""
        valence, arousal = self.predict_features(extract(notes, span, self.names))[0]
        return float(valence), float(arousal)


def note_arrays(score: Score) -> NoteArrays:
    """The pitched notes of a score in seconds; drums are left out, as in everything the models saw."""
    notes = [n for n in score.notes if n.role != Role.DRUMS]
    seconds = {
        tick: float(score.tempo.seconds(tick)) for n in notes for tick in (n.start, n.start + n.duration)
    }
    start = np.array([seconds[n.start] for n in notes])
    end = np.array([seconds[n.start + n.duration] for n in notes])
    pitch, velocity = np.array([n.pitch for n in notes], int), np.array([n.velocity for n in notes], int)
    return NoteArrays(start, end - start, pitch, velocity)


def midi_arrays(path: Path) -> NoteArrays:
    """The pitched notes of a MIDI file in seconds, drum tracks left out.

    Raises NotFound or InputError when the file is missing or is no MIDI file.
    """
    import pretty_midi

    from videoscore.music.midi_forms import standard_form

    if not Path(path).is_file():
        raise NotFound("no such file", path=path, remedy="Check the name.")
    try:
        midi = pretty_midi.PrettyMIDI(io.BytesIO(standard_form(Path(path).read_bytes())))
    except (OSError, ValueError, EOFError, KeyError, IndexError) as why:
        raise InputError(f"not a MIDI file ({why})", path=path, remedy="Give a standard MIDI file.") from why
    notes = [n for i in midi.instruments if not i.is_drum for n in i.notes]
    table = np.array([(n.start, n.end - n.start, n.pitch, n.velocity) for n in notes]).reshape(-1, 4)
    return NoteArrays(table[:, 0], table[:, 1], table[:, 2].astype(int), table[:, 3].astype(int))


def tag_score(score: Score, tagger: Tagger, window_bars: int = 8) -> list[Tagged]:
    """Tags of a score in windows of about `window_bars` bars that end with their section.

    A section is cut in equal windows of whole bars, none under half of `window_bars` unless the section is. A
    window in which no pitched note starts is left out.
    """
    if window_bars < 1:
        raise ValueError("a window has at least one bar")
    whole = note_arrays(score)
    tags: list[Tagged] = []
    for section in score.sections:
        for start, end in _windows(section, window_bars):
            a, b = float(score.tempo.seconds(start)), float(score.tempo.seconds(end))
            notes = whole.window(a - 1e-6, b - 1e-6)
            if len(notes):
                tags.append(Tagged(section.name, start, end, Affect(*tagger.predict(notes, b - a))))
    return tags


def tag_sections(score: Score, tagger: Tagger, window_bars: int = 8) -> dict[str, Affect]:
    """Mean tag of every section that sounds, its windows weighted by their ticks."""
    sums: dict[str, list[tuple[int, Affect]]] = {}
    for tag in tag_score(score, tagger, window_bars):
        sums.setdefault(tag.name, []).append((tag.end - tag.start, tag.affect))
    means = {}
    for name, parts in sums.items():
        total = sum(ticks for ticks, _ in parts)
        valence = sum(ticks * affect.valence for ticks, affect in parts) / total
        arousal = sum(ticks * affect.arousal for ticks, affect in parts) / total
        means[name] = Affect(valence, arousal)
    return means


def _windows(section: Section, window_bars: int) -> list[tuple[int, int]]:
    count = max(1, round(section.bars / window_bars))
    bar = section.beats * PPQ
    edges = [section.start + bar * (section.bars * k // count) for k in range(count)] + [section.end]
    return list(zip(edges, edges[1:]))
