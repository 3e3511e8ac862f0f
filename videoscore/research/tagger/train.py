"""Train the tagger that labels the composer's corpus and the judges that measure what it writes.

`videoscore train tagger --music FOLDER --out videoscore/weights --figures` prints every figure of
docs/models/tagger.md. Half of the labelled songs train the tagger, the others the judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from videoscore.music.features import FULL, SCORE, SETS
from videoscore.music.tagger import OUTLIER, Tagger
from videoscore.research.composer import corpus
from videoscore.research.composer.labelled import Table
from videoscore.research.tagger.data import Rows, read

RIDGE = 30.0  # penalty of the straight part, on standardised features
NETWORKS, HIDDEN, DECAY = 6, 32, 10.0
SPREAD = 1.1  # gain of the tagger's map to [-1, 1]: corpus labels get a standard deviation of about .42
MODELS = {"tagger": (0, "score"), "judge": (1, "score"), "judge_blind": (1, "blind")}  # half, features


def fit(rows: Rows, features: str, seed: int) -> Tagger:
    """An uncalibrated model (centre 0, gain 1) of one feature set of `features.SETS` on all of `rows`."""
    from sklearn.linear_model import Ridge
    from sklearn.neural_network import MLPRegressor

    names = SETS[features]
    x = rows.x[:, [FULL.index(name) for name in names]]
    mean, scale = x.mean(0), x.std(0) + 1e-6
    x = np.clip((x - mean) / scale, -OUTLIER, OUTLIER)
    straight = Ridge(RIDGE).fit(x, rows.target)
    shape = {"hidden_layer_sizes": (HIDDEN,), "activation": "tanh", "alpha": DECAY}
    nets = [
        MLPRegressor(max_iter=300, early_stopping=True, random_state=seed + k, **shape).fit(x, rows.target)
        for k in range(NETWORKS)
    ]
    weights = {
        "mean": mean, "scale": scale, "linear": straight.coef_.T, "bias": straight.intercept_,
        "hidden": np.stack([n.coefs_[0] for n in nets]), "hidden_bias": np.stack([n.intercepts_[0] for n in nets]),
        "out": np.stack([n.coefs_[1] for n in nets]), "out_bias": np.stack([n.intercepts_[1] for n in nets]),
        "centre": np.zeros(2), "gain": np.ones(2),
    }  # fmt: skip
    return Tagger(names, weights)


def raw(model: Tagger, rows: Rows) -> np.ndarray:
    """Uncalibrated valence and arousal, (n, 2), zero between the signs."""
    return model.raw(rows.x[:, [FULL.index(name) for name in model.names]])


def accuracy(predicted: np.ndarray, rows: Rows) -> dict[str, float]:
    """Share of whole clips whose sign of valence, of arousal, and of both (quadrant) is right."""
    right = (predicted > 0)[rows.whole] == (rows.label > 0)[rows.whole]
    return dict(
        zip(("valence", "arousal", "quadrant"), [*right.mean(0).tolist(), float(right.all(1).mean())])
    )


def chance(rows: Rows) -> dict[str, float]:
    """What always answering the most frequent sign or quadrant would score."""
    signs = rows.label[rows.whole] > 0
    share = np.maximum(signs.mean(0), 1 - signs.mean(0))
    quadrant = np.bincount(signs @ np.array([2, 1]), minlength=4).max() / len(signs)
    return {"valence": float(share[0]), "arousal": float(share[1]), "quadrant": float(quadrant)}


def correlation(predicted: np.ndarray, rows: Rows) -> dict[str, float]:
    """Pearson r with the annotators' mean over windows of eight measures (VGMIDI)."""
    parts = ~rows.whole & (rows.set == "vgmidi")
    pairs = zip(("valence", "arousal"), predicted[parts].T, rows.label[parts].T)
    return {name: float(np.corrcoef(p, t)[0, 1]) for name, p, t in pairs}


def cross_validate(rows: Rows, features: str, seed: int, folds: int = 5) -> np.ndarray:
    """Raw predictions for all rows, each by a model that saw none of its song or series."""
    from sklearn.model_selection import GroupKFold

    predicted = np.empty((len(rows), 2))
    for train, test in GroupKFold(folds).split(rows.x, groups=rows.group):
        keep = np.zeros(len(rows), bool)
        keep[train] = True
        predicted[test] = raw(fit(rows.where(keep), features, seed), rows.where(~keep))
    return predicted


def calibrate(model: Tagger, pieces: list[corpus.Piece]) -> None:
    """Set centre and gain so that the corpus uses the plane.

    The corpus lies on the bright side of the labelled songs (raw mean about +.5, +.45). The centre is half-way
    between their sign boundary and the mean of the corpus: then labels below zero are music that people call
    negative, or nearly, and there is enough of it to learn from.
    """
    columns = [SCORE.index(name) for name in model.names]
    values = model.raw(np.concatenate([p.features for p in pieces])[:, columns])
    model.weights["centre"] = values.mean(0) / 2
    model.weights["gain"] = np.full(2, SPREAD)


def _line(name: str, scores: dict[str, float]) -> str:
    return f"{name:58}" + "  ".join(f"{key} {value:.3f}" for key, value in scores.items())


def figures(rows: Rows, seed: int) -> Iterator[str]:
    """Every measurement of the card, a line each."""
    for name in ("emopia", "vgmidi"):
        in_set = rows.set == name
        clips = int((in_set & rows.whole).sum())
        yield _line(f"chance, {name} ({clips} clips)", chance(rows.where(in_set)))
    for features in SETS:
        predicted = cross_validate(rows, features, seed)
        for name in ("emopia", "vgmidi"):
            in_set = rows.set == name
            yield _line(
                f"5 folds by song, both sets, {features}: {name}",
                accuracy(predicted[in_set], rows.where(in_set)),
            )
        yield _line(f"5 folds by song, both sets, {features}: r of windows", correlation(predicted, rows))
    for features in SETS:
        for train, test in (("emopia", "vgmidi"), ("vgmidi", "emopia")):
            model = fit(rows.where(rows.set == train), features, seed)
            test_rows = rows.where(rows.set == test)
            yield _line(f"trained on {train}, {features}: {test}", accuracy(raw(model, test_rows), test_rows))
    half = rows.half
    for features in SETS:
        judged = rows.where(half == 1)
        yield _line(
            f"judge's half, 5 folds, {features}", accuracy(cross_validate(judged, features, seed), judged)
        )
    for origin, features in ((0, "score"), (1, "full"), (1, "score"), (1, "blind")):
        model = fit(rows.where(half == origin), features, seed)
        for name in ("emopia", "vgmidi"):
            test_rows = rows.where((half != origin) & (rows.set == name))
            who = "judge" if origin else "tagger"
            yield _line(
                f"{who}, {features}, songs of the other half: {name}",
                accuracy(raw(model, test_rows), test_rows),
            )
        test_rows = rows.where(half != origin)
        yield _line(
            f"{who}, {features}, songs of the other half: r", correlation(raw(model, test_rows), test_rows)
        )


def train(
    music: Path,
    out: Path,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
    table: Table | None = None,
) -> None:
    """Train and write `tagger`, `judge` and `judge_blind` to the folder `out`; with `table` on its files too."""
    rows = read(music, table, say)
    half = rows.half
    for name, (origin, features) in MODELS.items():
        model = fit(rows.where(half == origin), features, seed)
        test_rows = rows.where(half != origin)
        model.ceiling = accuracy(raw(model, test_rows), test_rows)
        if name == "tagger":
            calibrate(model, corpus.read_pieces(music, say))
        model.save(out / f"{name}.safetensors")
        say(_line(f"{name}: songs of the other half, both sets", model.ceiling))


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description="Train the music tagger and the judges.")
    parser.add_argument("--music", type=Path, required=True, help="folder that holds the sets' folders")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-figures", action="store_true", help="train only")
    options = parser.parse_args()
    if not options.no_figures:
        for line in figures(read(options.music), options.seed):
            print(line, flush=True)
    train(options.music, options.out, options.seed, say=print)


if __name__ == "__main__":
    main()
