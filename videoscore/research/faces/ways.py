"""Four ways of training resnet34-va, as the study behind it compares them, on the faces at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.research.agreement import MEASURES, four_measures
from videoscore.research.faces.course import FaceOptions, outputs
from videoscore.research.faces.data import TEST, FaceSet
from videoscore.research.faces.evaluate import chance
from videoscore.research.faces.face_sets import read_faces
from videoscore.research.faces.valence_arousal import PointCourse

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"way": "plain"},
    "undersampled": {"way": "under"},
    "oversampled": {"way": "over"},
    "generated": {"way": "generated", "real": 0.0},
    "generated + real": {"way": "generated", "real": 0.5},
}
# The study's figures on AffectNet (docs/models/face.md): valence, arousal
STUDY: dict[str, dict[str, tuple[float, float]]] = {
    "plain": {"RMSE": (0.406, 0.359), "CORR": (0.612, 0.533), "CCC": (0.573, 0.501), "SAGR": (0.742, 0.752)},
    "generated": {
        "RMSE": (0.400, 0.355),
        "CORR": (0.614, 0.538),
        "CCC": (0.575, 0.502),
        "SAGR": (0.746, 0.755),
    },
}


def compare(
    data: Path,
    run: Path,
    epochs: float = 3.0,
    seeds: Sequence[int] = (0, 1, 2),
    width: float = 0.0,
    variants: Sequence[str] = tuple(VARIANTS),
    autoencoder: Path | None = None,
    autoencoder_epochs: float = 10.0,
    log: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> dict[str, Any]:
    """Train every variant with every seed for equally many updates, and measure on the test part.

    run : a folder that gets a run for each and the autoencoder's (`autoencoder`, by default run/autoencoder);
    the same folder again goes on. Returns "valid" and "test": variant -> measure -> (seeds, 2) values, and
    "chance". The variant to ship is chosen on the validation part: "best".
    """
    faces = read_faces(data)
    test = faces.take((faces.part == TEST) & np.isfinite(faces.point).all(1))
    results: dict[str, Any] = {"valid": {}, "test": {}}
    updates = 0
    for seed in seeds:
        for name in variants:
            options = FaceOptions(
                model="resnet34-va",
                width=width,
                epochs=epochs,
                seed=seed,
                autoencoder_epochs=autoencoder_epochs,
                **VARIANTS[name],
            )
            trained = PointCourse(
                faces,
                run / f"{name.replace(' ', '')}-{seed}",
                options,
                log,
                autoencoder or run / "autoencoder",
            )
            trained.run.go(log)
            updates = trained.run.step
            for part, those in (("valid", trained.valid), ("test", test)):
                measures = results[part].setdefault(name, {m: [] for m in MEASURES})
                for measure, pair in _measures(trained, those).items():
                    measures[measure].append(pair)
            log({"variant": name, "seed": seed} | {m: results["test"][name][m][-1] for m in MEASURES})
    merit = {name: float(np.mean(results["valid"][name]["CCC"])) for name in variants}
    return results | {
        "best": max(merit, key=lambda name: merit[name]),
        "chance": chance(faces)["point"],
        "updates": updates,
        "epochs": epochs,
        "seeds": list(seeds),
        "data": data.name,
        "faces": len(test),
    }


def _measures(trained: PointCourse, faces: FaceSet) -> dict[str, tuple[float, float]]:
    read = outputs(trained.averaged(), faces.pixels, trained.side).clamp(-1, 1).double().numpy()
    return four_measures(faces.point.astype(float), read)


def table(report: dict[str, Any]) -> str:
    """The report as text: mean (sd over seeds) of valence / arousal."""
    lines = [
        f"resnet34-va on {report['faces']} test faces of {report['data']}: {report['updates']} updates, "
        f"seeds {', '.join(map(str, report['seeds']))}; best on the validation part: {report['best']}",
        f"{'':24s}" + "".join(f"{m + ', V / A':>32s}" for m in MEASURES),
    ]
    for name, measures in report["test"].items():
        cells = []
        for measure in MEASURES:
            values = np.array(measures[measure])
            mean, sd = values.mean(0), values.std(0, ddof=1 if len(values) > 1 else 0)
            cells.append(" / ".join(f"{m:.3f} ({s:.3f})" for m, s in zip(mean, sd)))
        lines.append(f"{name:24s}" + "".join(f"{c:>32s}" for c in cells))
    others = {"the mean point": report["chance"]} | {f"study, {k} (AffectNet)": v for k, v in STUDY.items()}
    for name, pairs in others.items():
        lines.append(
            f"{name:24s}" + "".join(f"{f'{pairs[m][0]:.3f} / {pairs[m][1]:.3f}':>32s}" for m in MEASURES)
        )
    return "\n".join(lines)
