"""What a window of notes is like, as numbers: pure functions on arrays, no files.

Three sets of names: `FULL` (everything), `SCORE` (all but velocity: what notation tells) and `BLIND`
(nothing of density, duration, polyphony or velocity, so that a composer can't please a judge by writing
more and louder notes). Onsets and durations are in seconds; the tempo is in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoscore.music.theory import key_correlation

CHORD_GAP = 0.03  # seconds: onsets closer than this are one chord
_INTERVALS = tuple(f"ic{k}" for k in range(1, 7))
_DEGREES = tuple(f"degree{k}" for k in range(12))

DENSITY = (
    "note_rate", "onset_rate", "duration", "polyphony", "chord_size", "gap", "short_gaps", "long_gaps",
    "articulation", "harmonic_rate",
)  # fmt: skip
VELOCITY = ("velocity", "velocity_sd")
BLIND = (
    "pitch", "pitch_sd", "pitch_low", "pitch_high", "bass", "top", "top_sd", "low_share", "high_share",
    "step_size", "steps", "leaps", "repeats", "rising", "bass_step", "bass_fifths", "gap_variation",
    "duration_variation", "major", "minor", "mode", "clarity", "in_key", "entropy", "third", "sixth",
    "seventh", "major_triads", "minor_triads", "diminished", "sevenths", "pattern_repeats", "contour_sd",
    *_INTERVALS, *_DEGREES,
)  # fmt: skip
SCORE = DENSITY + BLIND
FULL = VELOCITY + SCORE
SETS = {"full": FULL, "score": SCORE, "blind": BLIND}


@dataclass(frozen=True)
class NoteArrays:
    """Pitched notes of a passage (no drums), one array element a note.

    onset, duration : seconds; pitch : MIDI 0..127; velocity : 1..127, or None when unknown.
    """

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray | None = None

    def window(self, start: float, end: float) -> NoteArrays:
        """The notes that begin in [start, end)."""
        keep = (self.onset >= start) & (self.onset < end)
        velocity = None if self.velocity is None else self.velocity[keep]
        return NoteArrays(self.onset[keep], self.duration[keep], self.pitch[keep], velocity)

    def __len__(self) -> int:
        return len(self.onset)


def extract(notes: NoteArrays, span: float | None = None, names: tuple[str, ...] = FULL) -> np.ndarray:
    """Feature vector of a passage, shape (len(names),), float64, all finite.

    span : length of the passage in seconds; first onset to last end when None.

    Raises ValueError when there are no notes, or when velocity is asked for and unknown. Under about eight
    notes the figures say little.
    """
    if len(notes) == 0:
        raise ValueError("no notes to describe")
    if notes.velocity is None and not set(VELOCITY).isdisjoint(names):
        raise ValueError("these features need velocities")
    order = np.lexsort((notes.pitch, notes.onset))
    onset = np.asarray(notes.onset, float)[order]
    duration = np.maximum(np.asarray(notes.duration, float)[order], 0.01)
    pitch = np.asarray(notes.pitch, int)[order]
    if span is None:
        span = float((onset + duration).max() - onset[0])
    group = np.r_[0, np.cumsum(np.diff(onset) > CHORD_GAP)]
    starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    values = _time(onset, duration, starts, group, max(span, 0.5))
    values |= _register(pitch, duration, starts)
    values |= _tonality(pitch, duration)
    values |= _harmony(onset, duration, pitch, starts, max(span, 0.5))
    if notes.velocity is not None:
        velocity = np.asarray(notes.velocity, float)
        values |= {"velocity": float(velocity.mean()), "velocity_sd": float(velocity.std())}
    return np.array([values[name] for name in names])


def _time(
    onset: np.ndarray, duration: np.ndarray, starts: np.ndarray, group: np.ndarray, span: float
) -> dict[str, float]:
    count, gaps = len(onset), np.diff(onset[starts])
    gaps = gaps if len(gaps) else np.array([span])
    long_gaps = np.minimum(gaps, 4.0)
    logs = np.log(np.maximum(gaps, CHORD_GAP))
    chord_length = np.maximum.reduceat(duration, starts)[: len(gaps)]
    return {
        "note_rate": float(np.log1p(count / span)),
        "onset_rate": float(np.log1p(len(starts) / span)),
        "duration": float(np.log(np.minimum(duration, 8.0)).mean()),
        "polyphony": float(np.log1p(duration.sum() / span)),
        "chord_size": count / len(starts),
        "gap": float(logs.mean()),
        "short_gaps": float((gaps < 0.18).mean()),
        "long_gaps": float((gaps > 0.5).mean()),
        "articulation": float(np.median(np.minimum(chord_length / long_gaps, 4.0))),
        "gap_variation": _npvi(long_gaps),
        "duration_variation": float(np.log(duration).std()),
    }


def _npvi(gaps: np.ndarray) -> float:
    """Normalised pairwise variability of gaps (Grabe & Low 2002), 0..2: 0 for even motion."""
    if len(gaps) < 2:
        return 0.0
    return float((2 * np.abs(np.diff(gaps)) / (gaps[1:] + gaps[:-1])).mean())


def _register(pitch: np.ndarray, duration: np.ndarray, starts: np.ndarray) -> dict[str, float]:
    top, low = np.maximum.reduceat(pitch, starts), np.minimum.reduceat(pitch, starts)
    # the line on top, without accompaniment notes that lie more than an octave under it
    line = top[top >= np.median(top) - 12]
    steps = np.diff(line)
    sizes = np.abs(steps)
    bass = low[low <= np.median(low)]
    bass_steps = np.abs(np.diff(bass))
    leaps = steps[steps != 0]
    return {
        "pitch": float(np.average(pitch, weights=np.minimum(duration, 4.0))),
        "pitch_sd": float(pitch.std()),
        "pitch_low": float(np.percentile(pitch, 5)),
        "pitch_high": float(np.percentile(pitch, 95)),
        "bass": float(bass.mean()),
        "top": float(line.mean()),
        "top_sd": float(line.std()),
        "low_share": float((pitch < 48).mean()),
        "high_share": float((pitch >= 74).mean()),
        "step_size": _mean(np.minimum(sizes, 24)),
        "steps": _mean((sizes > 0) & (sizes <= 2)),
        "leaps": _mean(sizes >= 5),
        "repeats": _mean(sizes == 0),
        "rising": _mean(leaps > 0),
        "contour_sd": float(steps.std()) if len(steps) else 0.0,
        "bass_step": _mean(np.minimum(bass_steps, 24)),
        "bass_fifths": _mean((bass_steps == 5) | (bass_steps == 7)),
        "pattern_repeats": _pattern_repeats(steps),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _pattern_repeats(steps: np.ndarray, length: int = 3) -> float:
    """Share of 4-note patterns (3 successive intervals) that were heard before in the passage."""
    if len(steps) <= length:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(steps, length)
    return 1.0 - len(np.unique(windows, axis=0)) / len(windows)


def _tonality(pitch: np.ndarray, duration: np.ndarray) -> dict[str, float]:
    weight = np.bincount(pitch % 12, weights=np.minimum(duration, 4.0), minlength=12)
    share = weight / weight.sum()
    fit = key_correlation(share)
    major, minor = float(fit[:12].max()), float(fit[12:].max())
    best = int(fit.argmax())
    # degrees above the tonic; the tonic of the better of the two modes
    degree = np.roll(share, -(best % 12))
    scale = [0, 2, 3, 5, 7, 8, 10, 11] if best >= 12 else [0, 2, 4, 5, 7, 9, 11]
    present = share[share > 0]
    return {
        "major": major,
        "minor": minor,
        "mode": major - minor,
        "clarity": max(major, minor),
        "in_key": float(degree[scale].sum()),
        "entropy": float(-(present * np.log2(present)).sum()),
        "third": float(degree[4] - degree[3]),
        "sixth": float(degree[9] - degree[8]),
        "seventh": float(degree[11] - degree[10]),
        **{name: float(d) for name, d in zip(_DEGREES, degree)},
    }


def _harmony(
    onset: np.ndarray, duration: np.ndarray, pitch: np.ndarray, starts: np.ndarray, span: float
) -> dict[str, float]:
    """Intervals and chords among the notes that sound together at each onset."""
    if len(starts) > 160:  # an even sample keeps long passages cheap
        starts = starts[np.linspace(0, len(starts) - 1, 160).astype(int)]
    times = onset[starts] + CHORD_GAP
    # pedal-less reading: a note counts as sounding until its end, at most four seconds
    sounding = (onset <= times[:, None]) & (
        onset + np.minimum(duration, 4.0) > times[:, None] - CHORD_GAP / 2
    )
    one_hot = np.zeros((len(pitch), 12))
    one_hot[np.arange(len(pitch)), pitch % 12] = 1.0
    chroma = (sounding.astype(float) @ one_hot > 0).astype(float)
    pairs = np.array([(chroma * np.roll(chroma, -k, 1)).sum() for k in range(1, 7)])
    pairs[5] /= 2  # a tritone is met from both of its ends
    rolled = np.stack([np.roll(chroma, -k, 1) for k in range(12)], 0) > 0
    has = rolled[0] & rolled[7]
    change = np.abs(np.diff(chroma, axis=0)).sum(1)
    return {
        **{name: float(x) for name, x in zip(_INTERVALS, pairs / max(pairs.sum(), 1.0))},
        "major_triads": float((has & rolled[4]).any(1).mean()),
        "minor_triads": float((has & rolled[3]).any(1).mean()),
        "diminished": float((rolled[0] & rolled[3] & rolled[6]).any(1).mean()),
        "sevenths": float((rolled[0] & rolled[4] & rolled[10]).any(1).mean()),
        "harmonic_rate": float(np.log1p(change.sum() / span)),
    }
