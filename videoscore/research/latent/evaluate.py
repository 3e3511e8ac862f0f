"""How good the latent composer is, on melodies that it has not learnt from: reconstruction, feeling, realism."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoscore.compose.latent.actor import conditions
from videoscore.compose.latent.feelings import DENSITY_SPREAD, FEELINGS, PITCH_SPREAD
from videoscore.compose.latent.model import TEMPERATURE, WEIGHTS, Model, load
from videoscore.compose.latent.network import MelodyVAE
from videoscore.compose.latent.steps import BARS
from videoscore.research.latent.course import agreement, batch_of, codes, decoded
from videoscore.research.latent.data import Melodies, density, mean_pitch, melodies
from videoscore.research.latent.losses import feeling_loss
from videoscore.research.latent.realism import told_apart
from videoscore.research.latent.targets import targets

Say = Callable[[str], None]

NEAR = 0.5  # standard deviations of all tunes from the target, within which pitch and density count as met
STEPS, RATE, BATCH = 60, 0.05, 60  # of plain gradient descent in the latent space
SHOWN = 8  # tunes a feeling in the picture
BEFORE, AFTER = "actor before re-training", "actor"


def evaluate(
    corpus: Path,
    weights: Path | None,
    each: int,
    seed: int,
    picture: Path | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Measure weights (None: the installed ones) on the held-out melodies of a corpus; `measure` says what."""
    model = load(weights or WEIGHTS)
    m = melodies(corpus)
    m = m.where(m.held_out)
    say(f"{len(m)} held-out melodies of {len(set(m.piece))} pieces")
    tunes, report = measure(model, m, each, seed, say)
    labelled = melodies(corpus, sets=("",))
    report["targets"] = {
        t.feeling.name: {"pitch": t.pitch, "density": t.density, "melodies": t.melodies}
        for t in targets(labelled.where(~labelled.held_out))
    }
    if picture:
        from videoscore.research.latent.picture import draw

        first = min(each, SHOWN)
        rows = {f.name: np.arange(k * each, k * each + first) for k, f in enumerate(FEELINGS)}
        draw({name: tunes.where(at) for name, at in rows.items()}, picture)
    return report


def measure(
    model: Model, m: Melodies, each: int, seed: int, say: Say = lambda _: None
) -> tuple[Melodies, dict[str, Any]]:
    """The actor's tunes, `each` for every feeling in turn, and a report on melodies `m`.

    "reconstruction" : `agreement` of what is decoded from a melody's vector with the melody; "chance" the same from
    another melody's. "ways" : for each way to a vector, and for real melodies, the shares of tunes whose pitch, density
    and both lie within `NEAR` of the feeling's; and how well a classifier tells them from real ones ("told apart").
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    net = model.melody
    mean, _ = codes(net, m)
    report: dict[str, Any] = {
        "melodies": len(m),
        "tunes": each * len(FEELINGS),
        "reconstruction": agreement(decoded(net, mean, m), m),
        "chance": agreement(decoded(net, mean.roll(len(m) // 2, 0), m), m),
        "ways": {},
    }
    feelings = torch.arange(len(FEELINGS)).repeat_interleave(each)
    rows = rng.integers(len(m), size=len(feelings))
    x = m.where(rows)
    condition = conditions(feelings, torch.from_numpy(-x.shift.astype(np.float32)))
    chance = torch.randn(len(feelings), net.latent)
    start = model.vectors(chance)
    with torch.inference_mode():
        moved = {BEFORE: model.before(start, condition), AFTER: model.actor(start, condition)}
    vectors = {
        "standard normal": chance.unflatten(-1, (BARS, -1)),
        "prior": start,
        "gradient steps": descended(net, start, x, condition),
        **moved,
    }
    split = _halves(m, rng)
    report["ways"]["real"] = {**hits(x.tokens, x, feelings.numpy()), "told apart": told_apart(*split, seed)}
    own = decoded(net, mean[rows], x, seed, TEMPERATURE)
    report["ways"]["real, decoded"] = {
        **hits(own, x, feelings.numpy()),
        "told apart": told_apart(m, _with(x, own), seed),
    }
    for name, z in vectors.items():
        say(name)
        tunes = _with(x, decoded(net, z, x, seed, TEMPERATURE))
        report["ways"][name] = {
            **hits(tunes.tokens, x, feelings.numpy()),
            "told apart": told_apart(m, tunes, seed),
            "way": float((z - start).flatten(1).norm(dim=1).mean() / start.flatten(1).norm(dim=1).mean()),
        }
    report["feelings"] = {
        f.name: hits(*(_rows(tunes, k, each)), np.full(each, k)) for k, f in enumerate(FEELINGS)
    }
    return tunes, report


def hits(tokens: NDArray[np.uint8], x: Melodies, feelings: NDArray[np.int64]) -> dict[str, float]:
    """Shares of (n, BARS, STEPS) tokens, over the chords and in the keys of `x`, that meet the pitch and the density of
    their feelings (n,)."""
    pitch = mean_pitch(tokens) - x.shift
    notes = np.log(np.maximum(density(tokens, x.beats), 1e-3))
    goal = np.array([(f.pitch, np.log(f.density)) for f in FEELINGS])[feelings]
    high = np.abs(pitch - goal[:, 0]) <= NEAR * PITCH_SPREAD
    many = np.abs(notes - goal[:, 1]) <= NEAR * DENSITY_SPREAD
    return {"pitch": float(high.mean()), "density": float(many.mean()), "both": float((high & many).mean())}


def descended(net: MelodyVAE, start: Tensor, x: Melodies, condition: Tensor) -> Tensor:
    """Vectors moved by gradient steps on the pitch and density losses alone."""
    out = []
    for at in range(0, len(start), BATCH):
        rows = np.arange(at, min(len(start), at + BATCH))
        b = batch_of(x, rows, start.device)
        z = start[rows].clone().requires_grad_()
        optimiser = torch.optim.Adam([z], lr=RATE)
        for _ in range(STEPS):
            pitch, notes = feeling_loss(net, z, b.chords, b.metre, b.mask, condition[rows][:, -2:])
            optimiser.zero_grad()
            (pitch + notes).sum().backward()
            optimiser.step()
        out.append(z.detach())
    return torch.cat(out)


def _with(x: Melodies, tokens: NDArray[np.uint8]) -> Melodies:
    return Melodies(tokens, *(getattr(x, name) for name in list(Melodies.__dataclass_fields__)[1:]))


def _rows(tunes: Melodies, feeling: int, each: int) -> tuple[NDArray[np.uint8], Melodies]:
    rows = tunes.where(np.arange(feeling * each, (feeling + 1) * each))
    return rows.tokens, rows


def _halves(m: Melodies, rng: np.random.Generator) -> tuple[Melodies, Melodies]:
    """The melodies of one half of the pieces, and of the other."""
    pieces = rng.permutation(np.unique(m.piece))
    inside = np.isin(m.piece, pieces[::2])
    return m.where(inside), m.where(~inside)


def table(report: Mapping[str, Any]) -> str:
    """The report as lines."""
    out = [
        f"{report['melodies']} held-out melodies; {report['tunes']} tunes a way",
        "",
        f"{'of a melody comes back':26}{'steps':>9}{'onsets':>9}{'notes':>9}{'pitches':>9}",
    ]
    for title, name in (("from its vector", "reconstruction"), ("from another's", "chance")):
        out.append(
            f"{title:26}"
            + "".join(f"{report[name][k]:9.3f}" for k in ("steps", "onsets", "notes", "pitches"))
        )
    out += [
        "",
        f"{'meets the feeling in':26}{'pitch':>9}{'density':>9}{'both':>9}{'told apart':>12}{'way':>7}",
    ]
    for name, row in report["ways"].items():
        way = f"{row['way']:7.2f}" if "way" in row else ""
        figures = "".join(f"{row[k]:9.3f}" for k in ("pitch", "density", "both"))
        out.append(f"{name:26}{figures}{row['told apart']:12.3f}{way}")
    head = f"{'the actor, by feeling':26}{'pitch':>9}{'density':>9}{'both':>9}"
    out += ["", f"{head}   labelled melodies: pitch, density, how many"]
    for name, row in report["feelings"].items():
        figures = "".join(f"{row[k]:9.3f}" for k in ("pitch", "density", "both"))
        t = report.get("targets", {}).get(name)
        out.append(
            f"{name:26}{figures}"
            + (f"{t['pitch']:12.1f}{t['density']:8.2f}{t['melodies']:8.0f}" if t else "")
        )
    return "\n".join(out)
