"""Which chord sounds at every beat of a passage, read from its notes.

Every beat's pitch classes, weighed by how long they sound, are compared with chord templates; the cheapest way through
the beats changes chord no oftener than the notes ask for (Viterbi, as in Sheh & Ellis 2003, "Chord segmentation and
recognition using EM-trained hidden Markov models", with templates instead of trained emissions).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.passages import QUALITIES
from videoscore.music.score import Role

Whole = NDArray[np.int64]

# How likely a quality is beside the others.
LIKELIHOOD = {
    "": 1.0,
    "m": 1.0,
    "7": 0.97,
    "m7": 0.93,
    "o": 0.93,
    "o7": 0.95,
    "ø": 0.93,
    "maj7": 0.92,
    "+": 0.9,
    "sus4": 0.85,
}
CHANGE = 0.22  # cost of another chord
ROOT_BELOW = 0.08  # worth of the root in the lowest part
PRESENT = 0.06  # share of a beat's sound from which a tone counts as there
COMPLETE = 0.22  # worth of all tones being there
LARGER = 0.06  # cost of a fourth tone
STRUCK = 1.3  # weight of a note that begins in the beat, beside one that sounds on
PART_WEIGHT = {Role.BASS: 1.6, Role.MELODY: 0.6}

Sonority = tuple[int, str]
SONORITIES: tuple[Sonority, ...] = tuple((root, quality) for root in range(12) for quality in QUALITIES)


def tones(sonority: Sonority) -> tuple[int, ...]:
    """Pitch classes of a chord, root first."""
    root, quality = sonority
    return tuple((root + step) % 12 for step in QUALITIES[quality])


_MEMBERS = np.array([[float(pc in tones(s)) for pc in range(12)] for s in SONORITIES])
_LIKELIHOOD = np.array([LIKELIHOOD[quality] for _, quality in SONORITIES])
_SIZE = _MEMBERS.sum(1)
_ROOT = np.array([root for root, _ in SONORITIES])


def read_harmony(notes: Whole, length: int, beat: int) -> list[Sonority]:
    """The chord of every beat.

    notes : (n, 4) onset, duration, pitch, role; units from the passage's start. length, beat : units.
    """
    count = -(-length // beat)
    weight, low = _sound(notes, count, beat)
    total = weight.sum(1, keepdims=True)
    share = weight / np.maximum(total, 1e-9)
    fit = share @ _MEMBERS.T
    fit += COMPLETE * ((share[:, None, :] > PRESENT) & (_MEMBERS[None] > 0)).sum(2) / _SIZE
    fit = (fit - LARGER * (_SIZE - 3)) * _LIKELIHOOD
    fit += ROOT_BELOW * (_ROOT[None] == low[:, None])
    fit[total[:, 0] < 0.05] = 0
    return [SONORITIES[k] for k in _smoothest(fit)]


def _sound(notes: Whole, count: int, beat: int) -> tuple[NDArray[np.float64], Whole]:
    """(count, 12) how much of each pitch class sounds in a beat; (count,) class of the lowest note under the tune, -1
    for none."""
    weight, low = np.zeros((count, 12)), np.full(count, 128)
    for onset, duration, pitch, role in notes[notes[:, 3] != Role.DRUMS].tolist():
        part = PART_WEIGHT.get(Role(role), 1.0)
        for k in range(onset // beat, min(count, -(-(onset + duration) // beat))):
            inside = min(onset + duration, (k + 1) * beat) - max(onset, k * beat)
            weight[k, pitch % 12] += part * inside / beat * (STRUCK if onset >= k * beat else 1.0)
            if role != Role.MELODY:
                low[k] = min(low[k], pitch)
    return weight, np.where(low == 128, -1, low % 12)


def _smoothest(fit: NDArray[np.float64]) -> list[int]:
    best, back = fit[0].copy(), []
    for row in fit[1:]:
        top = int(best.argmax())
        changed = best[top] - CHANGE
        back.append(np.where(best >= changed, np.arange(len(best)), top))
        best = np.maximum(best, changed) + row
    out = [int(best.argmax())]
    for come in reversed(back):
        out.append(int(come[out[-1]]))
    return out[::-1]


def local_scale(classes: Sequence[int] | set[int]) -> tuple[int, ...]:
    """Seven pitch classes around C major (A minor's own) that hold what sounds nearby: a tone foreign to the
    scale takes the place of a neighbour that is not there. classes : what sounds."""
    scale = [0, 2, 4, 5, 7, 9, 11]
    for foreign, neighbours in ((6, (5, 7)), (8, (7, 9)), (10, (11, 9)), (3, (4, 2)), (1, (0, 2))):
        if foreign not in classes:
            continue
        for neighbour in neighbours:
            if neighbour in scale and neighbour not in classes:
                scale[scale.index(neighbour)] = foreign
                break
    return tuple(sorted(scale))
