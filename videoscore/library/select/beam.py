"""The cheapest way through a film, a candidate for every cue: a beam search whose paths know what was played before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoscore.cues.keys import STEP
from videoscore.library.select.pick import Candidate
from videoscore.settings.fields import LibraryOptions

BEAM = 128  # paths
SEMITONES = range(-3, 4)
TRANSPOSE = 1 / 12  # of a semitone
IN_A_ROW = 100.0
_STEP = np.array(STEP)


def transpose_signature(signature: int, semitones: int) -> int:
    """Signature -6..5 of a key that is moved by semitones."""
    return (signature + 7 * semitones + 6) % 12 - 6


def search(
    columns: Sequence[Sequence[Candidate]], options: LibraryOptions
) -> list[tuple[int, int, dict[str, float]]]:
    """For every cue the candidate's index in its column, its semitones, and the terms that neighbours decide.

    columns : the candidates of each cue, at least one.
    """
    moves = np.array(SEMITONES)
    cost = np.zeros(1)
    history = np.full((1, 0), -1)  # (paths, cues so far) pieces
    signature: np.ndarray | None = None
    steps: list[tuple[np.ndarray, np.ndarray]] = []
    for column in columns:
        piece = np.repeat([f.piece for f in column], len(moves))
        is_own = np.repeat([f.row < 0 for f in column], len(moves))
        move = np.tile(moves, len(column))
        own = np.repeat([f.signature for f in column], len(moves))
        own = (own + 7 * move + 6) % 12 - 6
        local = np.repeat([f.cost for f in column], len(moves)) + options.key * TRANSPOSE * np.abs(move)
        local = np.where(is_own & (move != 0), np.inf, local)  # what is written needn't be moved
        total = cost[:, None] + local
        if signature is not None:
            total = total + options.key * _STEP[np.abs((signature[:, None] - own + 6) % 12 - 6)]
            total = total + _repeats(history, piece, options)
        flat = total.ravel()
        best = _cheapest_paths(flat, np.tile(12 * piece + own, len(cost)))
        back, state = np.divmod(best, len(piece))
        cost, signature = flat[best], own[state]
        history = np.concatenate([history[back], piece[state][:, None]], 1)
        steps.append((back, state))
    return _trace(columns, steps, options)


def _cheapest_paths(cost: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Indices of the paths to go on with, cheapest first: `BEAM` of them, and the cheapest to every `end` (piece, key).

    For a piece that may not be heard twice in a row may be all that the next cue has.
    """
    order = np.argsort(cost, kind="stable")
    order = order[np.isfinite(cost[order])]
    _, first = np.unique(end[order], return_index=True)
    return order[np.union1d(np.arange(min(BEAM, len(order))), first)]


def _repeats(history: np.ndarray, piece: np.ndarray, options: LibraryOptions) -> np.ndarray:
    """(paths, states) cost of hearing a piece again."""
    real = piece >= 0
    row = np.where(real & (history[:, -1:] == piece), 0.0 if options.same_piece else IN_A_ROW, 0.0)
    before = real & (history[:, :-1, None] == piece).any(1)
    return row + options.variety * before


def _trace(
    columns: Sequence[Sequence[Candidate]],
    steps: Sequence[tuple[np.ndarray, np.ndarray]],
    options: LibraryOptions,
) -> list[tuple[int, int, dict[str, float]]]:
    """The best path back from its end, and the terms along it."""
    at, path = 0, []
    for back, state in reversed(steps):
        path.append(divmod(int(state[at]), len(SEMITONES)))
        at = int(back[at])
    out: list[tuple[int, int, dict[str, float]]] = []
    row_numbers: list[int] = []
    before: int | None = None
    for column, (k, m) in zip(columns, reversed(path)):
        candidate, semitones = column[k], SEMITONES[m]
        own = transpose_signature(candidate.signature, semitones)
        terms = {"transpose": options.key * TRANSPOSE * abs(semitones), "key": 0.0, "variety": 0.0}
        if before is not None:
            terms["key"] = options.key * STEP[abs((before - own + 6) % 12 - 6)]
            terms["variety"] = float(
                _repeats(np.array([row_numbers]), np.array([candidate.piece]), options)[0, 0]
            )
        out.append((k, semitones, terms))
        row_numbers.append(candidate.piece)
        before = own
    return out
