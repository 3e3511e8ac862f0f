"""Train `resnet34-va`: valence and arousal straight from a face, four ways of making up for an uneven plane.

Most faces lie near neutral and near the happy corner. `plain` draws every face equally often. The plane is cut
into cells of `CELL` x `CELL`: `under` drops faces of cells with more than the median cell has, `over` draws every
cell equally often. `generated` draws new faces, uniformly over v^2 + a^2 <= 1, with the autoencoder, and mixes
them with `FaceOptions.real` of real ones (0 is as in the study; its faces came from a far larger network than a
CPU can train). In every way an update sees the same number of faces, so equal epochs are equal updates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from videoscore.errors import InputError
from videoscore.mood.faces.nets import normalise
from videoscore.research.agreement import four_measures
from videoscore.research.faces.augment import Jitter, augment
from videoscore.research.faces.autoencoder import AutoencoderOptions, Drawer, disc, train_autoencoder
from videoscore.research.faces.course import FaceCourse, FaceOptions, outputs
from videoscore.research.faces.data import FaceSet
from videoscore.research.run import Log

CELL = 0.1  # of the plane; faces in it count as alike
RARE = 10  # a cell with fewer faces than this is drawn as if it had so many: else one face is seen forever


def cells(point: NDArray[np.floating]) -> NDArray[np.int64]:
    """(n, 2) -> (n,) number of each point's cell, 0 .. occupied cells - 1."""
    row = np.floor(np.asarray(point, float) / CELL).astype(np.int64)
    return np.unique(row, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def under(point: NDArray[np.floating], seed: int = 0) -> NDArray[np.float64]:
    """(n, 2) -> (n,) shares: of a cell with more faces than the median cell, only so many are drawn at all."""
    cell = cells(point)
    most = int(np.median(np.bincount(cell)))
    order = np.random.default_rng(seed).permutation(len(cell))
    by_cell = order[np.argsort(cell[order], kind="stable")]
    start = np.searchsorted(cell[by_cell], np.arange(cell.max() + 1))
    rank = np.arange(len(cell)) - start[cell[by_cell]]
    share = np.zeros(len(cell))
    share[by_cell[rank < most]] = 1
    return share / share.sum()


def over(point: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, 2) -> (n,) shares: every cell with at least `RARE` faces is drawn equally often."""
    cell = cells(point)
    share = 1.0 / np.maximum(np.bincount(cell), RARE)[cell]
    return share / share.sum()


def point_loss(out: Tensor, point: Tensor) -> Tensor:
    """Mean square error plus 1 - concordance (Lin 1989), averaged over valence and arousal, of a batch."""
    a, b = out - out.mean(0), point - point.mean(0)
    apart = a.square().mean(0) + b.square().mean(0) + (out.mean(0) - point.mean(0)).square()
    concordance = 2 * (a * b).mean(0) / apart.clamp(min=1e-6)
    return F.mse_loss(out, point) + (1 - concordance).mean()


class PointCourse(FaceCourse):
    """autoencoder : the folder of its run, trained first unless it is; by default in the run's own folder.

    Raises InputError when no face has a valence and arousal.
    """

    outputs = 2

    def __init__(
        self,
        faces: FaceSet,
        folder: Path,
        options: FaceOptions,
        log: Log = lambda entry: None,
        autoencoder: Path | None = None,
    ) -> None:
        known = faces.take(np.isfinite(faces.point).all(1))
        if len(known) == 0:
            raise InputError("these faces have no valence and arousal", remedy="Name another set.")
        super().__init__(known, folder, options)
        self.drawer = None
        if options.way == "generated":
            how = AutoencoderOptions(epochs=options.autoencoder_epochs, batch=options.batch)
            model = train_autoencoder(known, autoencoder or folder / "autoencoder", how, log)
            self.drawer = Drawer(model, self.train.pixels)

    def share(self) -> np.ndarray:
        point = self.train.point
        if self.options.way == "under":
            return under(point, self.options.seed)
        return over(point) if self.options.way == "over" else np.full(len(point), 1 / len(point))

    def loss(self, chosen: np.ndarray, random: torch.Generator) -> Tensor:
        x = normalise(torch.from_numpy(self.train.pixels[chosen]).to(self.where))
        point = torch.from_numpy(self.train.point[chosen]).to(self.where)
        if self.drawer is not None:
            made = len(chosen) - round(self.options.real * len(chosen))
            asked = disc(made, random).to(self.where)
            x = torch.cat([self.drawer.draw(chosen[:made], asked), x[made:]])
            point = torch.cat([asked, point[made:]])
        return point_loss(self.forward(augment(x, self.side, Jitter(), random)), point)

    def figures(self) -> dict[str, float]:
        """The four measures on the validation part, valence and arousal."""
        read = outputs(self.averaged(), self.valid.pixels, self.side).clamp(-1, 1).double().numpy()
        found = four_measures(self.valid.point.astype(float), read)
        return {f"{name} {axis}": value for name, pair in found.items() for axis, value in zip("va", pair)}
