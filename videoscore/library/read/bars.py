"""Bar lines of a score in MIDI whose time signatures know the bar length but not its phase.

MusicXML and LilyPond exports write a time signature at tick 0 even when the piece starts with an upbeat, and
split bars at repeats are not marked either: every bar line after them is off. The bar grid is therefore found
anew: dynamic programming over all bar lines, rewarding those on which a downbeat is likely (as Ellis 2007,
"Beat tracking by dynamic programming", does for beats), where the likelihood is a logistic regression on what
starts, is held and changes there. Its weights were fitted on songs whose later time signatures give the
true bar lines away (see `docs/models/tagger.md`, corpus).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 6  # grid of candidate bar lines, in 1/24 quarter: a sixteenth
LONGEST = 144  # longest bar kept whole, in 1/24 quarter
# Log-odds that a short first, last or inner bar costs. First: three pieces in ten start with an upbeat, of
# about four likely lengths.
UPBEAT, LAST, IRREGULAR = 2.2, 0.5, 14.0

# Half the fitted log-odds of "a bar starts here", for the columns of accents(); half, because neighbouring
# bars are not independent evidence. The constant keeps short bars from paying.
ACCENT_WEIGHTS = np.array([-0.8, 0.5, 0.0, 1.6, -1.45, 0.5, 0.0])
ACCENT_BIAS = -1.5


@dataclass(frozen=True)
class Notes:
    """Notes of one piece in score time, one array element a note.

    onset, duration : int64, 1/24 quarter; pitch : int64 0..127; velocity : int64 1..127; track : int64.
    """

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    track: np.ndarray

    def __len__(self) -> int:
        return len(self.onset)

    def where(self, keep: np.ndarray) -> Notes:
        """The notes at an index array or a mask."""
        return Notes(
            self.onset[keep], self.duration[keep], self.pitch[keep], self.velocity[keep], self.track[keep]
        )


@dataclass(frozen=True)
class Signature:
    """A time signature from `start` (1/24 quarter) on; `length` of its bar in 1/24 quarter."""

    start: int
    length: int
    denominator: int


@dataclass(frozen=True)
class Bars:
    """Consecutive bars: start and length in 1/24 quarter, denominator of the time signature."""

    start: np.ndarray
    length: np.ndarray
    denominator: np.ndarray


def accents(notes: Notes, length: int, begin: int, end: int) -> np.ndarray:
    """What speaks for a bar line at each grid point, shape (points, 7).

    Columns: something starts; the lowest sounding note starts; log of all durations that start; log of the
    longest; share of the sounding notes that are held over; change of pitch-class content between the half
    bars before and after (1 - cosine); log duration of a starting lowest note.
    """
    count = (end - begin) // STEP + 1
    first = np.clip(np.rint((notes.onset - begin) / STEP).astype(int), 0, count - 1)
    last = np.clip(np.rint((notes.onset + notes.duration - begin) / STEP).astype(int), first + 1, count)
    quarters = notes.duration / 24.0
    total, longest, low_length = np.zeros(count), np.zeros(count), np.zeros(count)
    np.add.at(total, first, quarters)
    np.maximum.at(longest, first, quarters)
    starts = np.bincount(first, minlength=count)
    sounding = np.cumsum(np.bincount(first, minlength=count + 1) - np.bincount(last, minlength=count + 1))[
        :count
    ]
    roll = np.zeros((count + 1, 12))
    np.add.at(roll, (first, notes.pitch % 12), 1.0)
    np.add.at(roll, (last, notes.pitch % 12), -1.0)
    content = np.vstack([np.zeros(12), np.cumsum(np.cumsum(roll, 0)[:count], 0)])
    lowest = np.full(count, 200)
    for k in range(len(notes)):
        lowest[first[k] : last[k]] = np.minimum(lowest[first[k] : last[k]], notes.pitch[k])
    is_low = notes.pitch <= lowest[first]
    np.maximum.at(low_length, first[is_low], quarters[is_low])
    half = max(length // STEP // 2, 1)
    at = np.arange(count)
    before = content[at] - content[np.maximum(at - half, 0)]
    after = content[np.minimum(at + half, count)] - content[at]
    norm = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    change = np.where(norm > 0, 1.0 - (before * after).sum(1) / np.maximum(norm, 1e-9), 0.5)
    held = (sounding - starts) / np.maximum(sounding, 1)
    low = np.log1p(low_length)
    return np.stack([starts > 0, low_length > 0, np.log1p(total), np.log1p(longest), held, change, low], 1)


def find_lines(odds: np.ndarray, length: int, first: bool, final: bool) -> np.ndarray:
    """Best bar lines through one stretch of constant metre.

    Parameters
    ----------
    odds : (points,) log-odds of a bar line at each grid point, the first and last being lines for certain.
    length : bar length in 1/24 quarter.
    first, final : whether the stretch begins or ends the piece (there short bars are common).

    Returns
    -------
    Increasing grid indices of the lines, from 0 to points - 1.
    """
    points, whole = len(odds), length // STEP
    best, back = np.full(points, -np.inf), np.zeros(points, int)
    best[0] = 0.0
    for i in range(1, points):
        low = max(i - whole, 0)
        reach = best[low:i] - IRREGULAR
        if i - whole >= 0:
            reach[0] = best[low]
        elif i == points - 1:
            reach[0] = best[0] - LAST
        else:
            reach[0] = best[0] - (UPBEAT if first else IRREGULAR / 2)
        if i == points - 1:
            short = best[low:i] - (LAST if final else IRREGULAR / 2)
            reach = np.maximum(reach, short)
        back[i] = low + int(np.argmax(reach))
        best[i] = reach[back[i] - low] + odds[i]
    lines = [points - 1]
    while lines[-1] > 0:
        lines.append(int(back[lines[-1]]))
    return np.array(lines[::-1])


def bar_grid(notes: Notes, signatures: list[Signature], search: bool) -> Bars:
    """Bars of a piece.

    search : find the phase of the bars (scores); otherwise take the time signatures at their word
    (sequencer files). An upbeat and a short last bar are filled up with rests to a whole bar; other short
    bars stay short; bars over 144/24 quarters are cut in equal parts.

    Raises ValueError when a bar length can't be cut in parts of whole sixteenths.
    """
    end = int((notes.onset + notes.duration).max())
    rows: list[tuple[int, int, int]] = []
    stretches = [s for s in signatures if s.start < end]
    for k, signature in enumerate(stretches):
        final = k == len(stretches) - 1
        stop = end if final else stretches[k + 1].start
        length = signature.length
        if search:
            stop = signature.start + -(-(stop - signature.start) // STEP) * STEP
            odds = accents(notes, length, signature.start, stop) @ ACCENT_WEIGHTS + ACCENT_BIAS
            lines = signature.start + STEP * find_lines(odds, length, k == 0, final)
        else:
            lines = np.append(np.arange(signature.start, stop, length), stop)
        if len(lines) < 2:
            continue
        for start, following in zip(lines[:-1], lines[1:]):
            rows.append((int(start), int(following - start), signature.denominator))
        if k == 0 and rows[0][1] < length:
            rows[0] = (rows[0][0] + rows[0][1] - length, length, signature.denominator)
        if final and rows[-1][1] < length:
            rows[-1] = (rows[-1][0], length, signature.denominator)
    return _cut_long(rows)


def _cut_long(rows: list[tuple[int, int, int]]) -> Bars:
    cut: list[tuple[int, int, int]] = []
    for start, length, denominator in rows:
        part = length
        if length > LONGEST:
            parts = [p for p in range(LONGEST, 47, -1) if length % p == 0 and p % 12 == 0]
            if not parts:
                raise ValueError(f"a bar of {length}/24 quarters")
            part = parts[0]
        cut.extend((start + k * part, part, denominator) for k in range(length // part))
    table = np.array(cut, dtype=np.int64).reshape(-1, 3)
    return Bars(table[:, 0], table[:, 1], table[:, 2])
