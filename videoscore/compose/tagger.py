"""Valence and arousal of notes: a small regression on features, evaluated in numpy.

Three models ship (see docs/models/tagger.md): `tagger` labels the composer's corpus; `judge` and `judge_blind`
measure what was composed and were trained on other songs than the tagger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from videoscore.compose.features import NoteArrays, extract
from videoscore.compose.score import PPQ, Role, Score, Section, TempoMap
from videoscore.errors import SetupError

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
    """

    def __init__(self, names: tuple[str, ...], weights: dict[str, np.ndarray]) -> None:
        self.names = names
        self.weights = weights

    @classmethod
    def load(cls, name: str = "tagger", folder: Path | None = None) -> Tagger:
        """The shipped model `name`, or one from `folder`.

        Raises SetupError when its file is missing or isn't such a model.
        """
        from safetensors import SafetensorError, safe_open

        file = f"{name}.safetensors"
        path = Path(str(resources.files("videoscore.weights") / file)) if folder is None else Path(folder) / file
        try:
            with safe_open(path, framework="numpy") as data:
                names = tuple(json.loads(data.metadata()["features"]))
                return cls(names, {key: data.get_tensor(key).astype(np.float64) for key in data.keys()})
        except (OSError, SafetensorError, KeyError, TypeError) as why:
            raise SetupError(
                f"the music tagger's weights can't be read ({why})", path=path,
                remedy="Install videoscore again, or train them: python -m videoscore.train.tagger.",
            ) from why  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the model as safetensors, beside the target first."""
        from safetensors.numpy import save_file

        part = path.with_name(path.name + ".part")
        tensors = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in self.weights.items()}
        try:
            save_file(tensors, part, metadata={"features": json.dumps(self.names), "format": "1"})
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
