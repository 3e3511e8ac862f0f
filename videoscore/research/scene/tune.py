"""Tune the upper stages of one backbone on rated pictures: `videoscore train scene`.

First a ridge regression on the features as published gives the linear head, then head and upper stages are trained
together at a low rate (Kumar et al. 2022, "Fine-tuning can distort pretrained features and underperform
out-of-distribution"); what is kept is the moving average of the weights. The lower stages' output comes from a `Bank`.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from videoscore.mood.perceivers.backbone import LITE, LOWER, EfficientNetLite, feature_size, half_precision
from videoscore.mood.perceivers.head import CLIP
from videoscore.mood.perceivers.scene import ASPECTS
from videoscore.research.run import Run
from videoscore.research.scene.bank import VIEWS, Bank, backbone
from videoscore.research.scene.rated import Rated

Array = NDArray[np.float32]
Whole = NDArray[np.int64]

BATCH = 48
RATE = 2e-4  # of AdamW (Loshchilov & Hutter 2019) at its highest; it falls to 0 as a cosine
WARM = 100  # updates in which the rate rises
DECAY = {"body": 0.02, "out": 0.1}
DROPOUT = 0.3  # of features before the head
MIX = (
    0.5  # how often a batch is mixed with itself (Zhang et al. 2018, "mixup"), with weights from Beta(.4, .4)
)
RIDGE = 3000.0
SPREAD_WEIGHT = 0.1  # of the errors' likelihood beside the squared error
AVERAGE = 0.998  # share of the averaged weights that an update leaves
CLIPPING = 2.0  # largest norm of a gradient
# What an error weighs: people's means most; stills of one clip are much alike, more so between its rated moments.
WEIGHTS = {"oasis": 1.5, "photo": 1.0, "drawn": 1.0, "clip": 0.5}
BETWEEN = 0.6  # a still between the rated moments beside one of them
SHOWN = 0.35  # share of those that an epoch shows


def weights_of(items: Sequence[Rated]) -> Array:
    """(n,) what each picture's error weighs."""
    return np.array([WEIGHTS[i.kind] * (1 if i.exact else BETWEEN) for i in items], np.float32)


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution of stride 1 whose kernels aren't trained: what goes back is the same with the kernels
    turned round, which is faster than the library's own gradient."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        context.save_for_backward(weight)
        return F.conv2d(x, weight, bias, 1, weight.shape[-1] // 2, 1, x.shape[1])

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        (gradient,), (weight,) = gradients, context.saved_tensors
        pad = weight.shape[-1] // 2
        return F.conv2d(gradient, weight.flip(2, 3), None, 1, pad, 1, gradient.shape[1]), None, None


def _light(convolution: nn.Conv2d) -> None:
    """Have a depthwise convolution of stride 1 use `_Depthwise`."""

    def forward(x: Tensor) -> Tensor:
        assert convolution.bias is not None
        return _Depthwise.apply(x, convolution.weight.to(x.dtype), convolution.bias.to(x.dtype))  # type: ignore[no-any-return,no-untyped-call]

    convolution.forward = forward  # type: ignore[method-assign,assignment]


class Tuned(nn.Module):
    """A backbone and its head. mean, scale : of the features as published, which the head standardises by."""

    mean: Tensor
    scale: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        size = feature_size(LITE[name])
        self.net: EfficientNetLite = backbone(name)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.out = nn.Linear(size, 4)

    @property
    def body(self) -> list[nn.Parameter]:
        """Parameters of the upper stages, but for the depthwise kernels: few, and dear to train on a CPU."""
        modules = [*self.net.stages[LOWER:].modules(), self.net.head]
        convolutions = [m for m in modules if isinstance(m, nn.Conv2d) and m.groups == 1]
        return [p for m in convolutions for p in m.parameters()]

    def forward(self, pooled: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """What a `Bank` gives -> (b, 4): valence, arousal, logarithms of their errors' sd; (b, d) features."""
        features = self.net.upper(pooled, x)
        z = ((features - self.mean) / self.scale).clamp(-CLIP, CLIP)
        return self.out(F.dropout(z, DROPOUT, self.training)).float(), features


class Tuning:
    """The `Course` of one backbone. seen : the pictures it learns from. epochs : passes over them."""

    def __init__(
        self, name: str, items: Sequence[Rated], bank: Bank, seen: Whole, epochs: int, seed: int, fold: str
    ) -> None:
        self.name, self.bank, self.seen, self.seed, self.fold, self.epochs = (
            name,
            bank,
            seen,
            seed,
            fold,
            epochs,
        )
        self.y = np.array([i.y for i in items], np.float32)
        self.weight = weights_of(items)
        self.exact = np.array([i.exact for i in items])
        self.order: tuple[int, list[Whole]] = (-1, [])
        self.model = Tuned(name)
        self.average = copy.deepcopy(self.model)
        for parameter in self.model.body:
            parameter.requires_grad_(True)
        for module in self.model.net.stages[LOWER:].modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1 and module.stride[0] == 1:
                _light(module)
        self.fitted = False
        groups = [
            {"params": self.model.body, "weight_decay": DECAY["body"]},
            {"params": self.model.out.parameters(), "weight_decay": DECAY["out"]},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=RATE)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "backbone": self.name,
            "pictures": len(self.seen),
            "epochs": self.epochs,
            "seed": self.seed,
            "fold": self.fold,
            "bank": self.bank.digest,
            "ratings": hashlib.sha256(self.y[self.seen].tobytes() + self.seen.tobytes()).hexdigest(),
        }

    @property
    def updates(self) -> int:
        """In all."""
        return self.epochs * len(self._batches(0))

    def update(self, step: int, spent: float) -> Mapping[str, float]:
        if not self.fitted:
            self._fit_head()
        an_epoch = len(self._batches(0))
        if self.order[0] != step // an_epoch:
            self.order = (step // an_epoch, self._batches(step // an_epoch))
        pictures = self.order[1][step % an_epoch]
        random = np.random.default_rng([self.seed, step])
        torch.manual_seed(int(random.integers(2**31)))
        pooled, x = self.bank.batch(pictures, random.integers(0, VIEWS, len(pictures)))
        y, weight = torch.from_numpy(self.y[pictures]), torch.from_numpy(self.weight[pictures])
        if random.random() < MIX:
            share = float(random.beta(0.4, 0.4))
            share, other = max(share, 1 - share), torch.from_numpy(random.permutation(len(pictures)))
            pooled, x, y, weight = (share * a + (1 - share) * a[other] for a in (pooled, x, y, weight))
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM) * (0.5 + 0.5 * math.cos(math.pi * min(spent, 1)))
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=half_precision()):
            out, _ = self.model(pooled, x)
        square, spread = (out[:, :2] - y) ** 2, out[:, 2:].clamp(-3, 1.5)
        likelihood = square.detach() * torch.exp(-2 * spread) / 2 + spread
        loss = (weight[:, None] * (square + SPREAD_WEIGHT * likelihood)).mean()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], CLIPPING)
        self.optimiser.step()
        self._follow(step)
        return {"error": float(square.detach().mean())}

    def read(self, pictures: Whole, view: int = 0) -> tuple[Array, Array]:
        """The averaged model's (n, 4) and (n, d) of a view of `pictures`."""
        out, features = [np.empty(0, np.float32)] * len(pictures), [np.empty(0, np.float32)] * len(pictures)
        self.average.eval()
        shape = self.bank.shape[pictures]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half_precision()):
            for k in range(len(ASPECTS)):
                members = np.flatnonzero(shape == k)
                for part in np.array_split(members, max(1, -(-len(members) // BATCH))):
                    if len(part):
                        rows = self.average(*self.bank.batch(pictures[part], np.full(len(part), view)))
                        for i, own, row in zip(part, rows[0].numpy(), rows[1].float().numpy()):
                            out[i], features[i] = own, row
        return np.stack(out), np.stack(features)

    def entry(self, run: Run, losses: Mapping[str, float]) -> dict[str, Any]:
        return {"update": run.step, "minutes": run.seconds / 60, **losses}

    def measure(self, run: Run) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.fitted = True

    def _batches(self, epoch: int) -> list[Whole]:
        """The pictures in batches of one shape each, in an order that hangs on the epoch."""
        random = np.random.default_rng([self.seed, 1 << 20, epoch])
        batches: list[Whole] = []
        rated, between = self.seen[self.exact[self.seen]], self.seen[~self.exact[self.seen]]
        # the same number of each shape in every epoch, so that all epochs are of one length
        for k in range(len(ASPECTS)):
            stills = random.permutation(between[self.bank.shape[between] == k])
            shown = stills[: round(SHOWN * len(stills))]
            members = random.permutation(np.concatenate([rated[self.bank.shape[rated] == k], shown]))
            batches += [members[i : i + BATCH] for i in range(0, len(members), BATCH)]
        return [batches[i] for i in random.permutation(len(batches))]

    def _fit_head(self) -> None:
        """The ridge regression on the features as published."""
        x = self.bank.published[self.seen].astype(np.float32)
        mean, scale = x.mean(0), x.std(0)
        scale = scale + 0.05 * scale.mean() + 1e-6  # keeps dead features quiet
        z = np.clip((x - mean) / scale, -CLIP, CLIP).astype(np.float64)
        y, weight = self.y[self.seen].astype(np.float64), self.weight[self.seen].astype(np.float64)
        middle = (y * weight[:, None]).sum(0) / weight.sum()
        inner = (z * weight[:, None]).T @ z + RIDGE * np.eye(z.shape[1])
        slope = np.linalg.solve(inner, (z * weight[:, None]).T @ (y - middle))
        with torch.no_grad():
            for model in (self.model, self.average):
                model.mean.copy_(torch.from_numpy(mean))
                model.scale.copy_(torch.from_numpy(scale))
                model.out.weight.zero_()
                model.out.weight[:2] = torch.from_numpy(slope.T).float()
                model.out.bias[:2] = torch.from_numpy(middle).float()
                model.out.bias[2:] = -0.7  # the logarithm of a usual error
        self.fitted = True

    def _follow(self, step: int) -> None:
        """Draw the averaged weights after those just trained."""
        rate = min(AVERAGE, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.model.parameters()):
                if new.requires_grad:
                    mean.mul_(rate).add_(new, alpha=1 - rate)
