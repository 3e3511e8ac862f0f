"""Keys and chords: names, finding them in notes, and the move to C major / A minor.

A key is (tonic 0..11, minor bool). Key-normalised music has been moved by -6..+5
semitones so that its key is C major or A minor; `shift_to_normal` says by how many.
A chord is one small integer: 0 none, else 1 + 3 * root + quality.
"""

from __future__ import annotations

import numpy as np

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# Relative frequency of scale degrees in major and minor pieces: Albrecht & Shanahan 2013, "The use of large
# corpora to train a new type of key-finding algorithm", Music Perception 31(1).
MAJOR_PROFILE = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR_PROFILE = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10, 11)  # natural and raised seventh

CHORDS = 37  # labels 0..36
MAJOR, MINOR, OTHER = 0, 1, 2
_TRIADS = {MAJOR: (0, 4, 7), MINOR: (0, 3, 7), OTHER: (0, 3, 6)}
_AUGMENTED = (0, 4, 8)


def key_name(tonic: int, minor: bool) -> str:
    """As "D minor" or "Eb major"."""
    return f"{NAMES[tonic % 12]} {'minor' if minor else 'major'}"


def parse_key(name: str) -> tuple[int, bool]:
    """(tonic 0..11, minor) of a key such as "D minor", "Bb major", "F# minor" or "f#m".

    Raises ValueError when it isn't one.
    """
    text = name.strip().replace("♭", "b").replace("♯", "#")
    letter, rest = text[:1].upper(), text[1:]
    accidental = len(rest) - len(rest.lstrip("#b"))
    mode = rest[accidental:].strip().lower()
    if letter not in _LETTERS or mode not in ("", "m", "maj", "min", "major", "minor"):
        raise ValueError(f"not a key: {name!r}")
    tonic = _LETTERS[letter] + rest[:accidental].count("#") - rest[:accidental].count("b")
    return tonic % 12, mode in ("m", "min", "minor")


def shift_to_normal(tonic: int, minor: bool) -> int:
    """Semitones, -6..+5, to add to a key's pitches to bring them to C major or A minor."""
    return (((9 if minor else 0) - tonic) + 6) % 12 - 6


def chord_pitch_classes(chord: int) -> tuple[int, ...]:
    """Pitch classes of a chord label, root first; empty for 0."""
    if not 0 <= chord < CHORDS:
        raise ValueError(f"chord labels are 0..{CHORDS - 1}, not {chord}")
    if chord == 0:
        return ()
    root, quality = divmod(chord - 1, 3)
    return tuple((root + step) % 12 for step in _TRIADS[quality])


def key_profiles() -> np.ndarray:
    """(24, 12) profiles over pitch classes: majors on C..B, then minors on C..B."""
    return np.array([np.roll(p, t) for p in (MAJOR_PROFILE, MINOR_PROFILE) for t in range(12)])


def _standard(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(-1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-9)


_PROFILES = _standard(key_profiles())


def key_correlation(histograms: np.ndarray) -> np.ndarray:
    """Pearson correlation of pitch-class weights (..., 12) with the 24 key profiles: (..., 24).

    The key-finding rule of Krumhansl & Schmuckler (Krumhansl 1990, ch. 4) with the profiles above.
    """
    return _standard(np.asarray(histograms, float)) @ _PROFILES.T


def find_key(histogram: np.ndarray) -> tuple[int, bool]:
    """Best (tonic, minor) for pitch-class weights (12,)."""
    best = int(np.argmax(key_correlation(histogram)))
    return best % 12, best >= 12


def local_keys(histograms: np.ndarray, switch: float = 3.0, shortest: int = 8) -> np.ndarray:
    """Key of every bar, 0..23 (majors, then minors), shape (bars,).

    Viterbi over bars (Temperley 1999, "What's key for key?"): each bar, smoothed with half of its neighbours,
    adds its key correlation, a change of key costs `switch` (half of that between relatives, which share
    their notes). Runs under `shortest` bars then join the neighbour that explains them better.

    histograms : (bars, 12) weights of the pitch classes.
    """
    hist = np.asarray(histograms, float)
    share = hist / np.maximum(hist.sum(1, keepdims=True), 1e-9)
    smooth = share.copy()
    smooth[1:] += 0.5 * share[:-1]
    smooth[:-1] += 0.5 * share[1:]
    score = key_correlation(smooth) * (smooth.sum(1, keepdims=True) > 0)
    cost = np.full((24, 24), switch)
    np.fill_diagonal(cost, 0.0)
    for tonic in range(12):
        relative = 12 + (tonic + 9) % 12
        cost[tonic, relative] = cost[relative, tonic] = switch / 2
    best, back = score[0].copy(), np.zeros(score.shape, int)
    for k in range(1, len(score)):
        paths = best[:, None] - cost
        back[k] = paths.argmax(0)
        best = paths.max(0) + score[k]
    keys = np.empty(len(score), int)
    keys[-1] = best.argmax()
    for k in range(len(score) - 1, 0, -1):
        keys[k - 1] = back[k, keys[k]]
    return _join_short(keys, score, shortest)


def _join_short(keys: np.ndarray, score: np.ndarray, shortest: int) -> np.ndarray:
    keys = keys.copy()
    while True:
        edges = np.flatnonzero(np.diff(keys)) + 1
        starts, ends = np.r_[0, edges], np.r_[edges, len(keys)]
        lengths = ends - starts
        if len(starts) == 1 or lengths.min() >= shortest:
            return keys
        k = int(lengths.argmin())
        a, b = starts[k], ends[k]
        near = [keys[a - 1]] if a > 0 else []
        near += [keys[b]] if b < len(keys) else []
        keys[a:b] = max(near, key=lambda key: score[a:b, key].sum())


def _chord_templates() -> tuple[np.ndarray, np.ndarray]:
    rows, labels = [], []
    for quality, steps in [*_TRIADS.items(), (OTHER, _AUGMENTED)]:
        for root in range(12):
            row = np.full(12, -0.35)
            row[[(root + s) % 12 for s in steps]] = (1.0, 0.8, 0.8)
            rows.append(row * (0.93 if quality == OTHER else 1.0))
            labels.append(1 + 3 * root + quality)
    return np.array(rows), np.array(labels)


_TEMPLATES, _LABELS = _chord_templates()


def chords(histograms: np.ndarray, bass: np.ndarray) -> np.ndarray:
    """Chord label of every bar, (bars,) in 0..36, by template matching.

    histograms : (bars, 12) duration of each pitch class; bass : (bars, 12) the same of the lowest notes,
    which count double and whose pitch class is a likely root.
    """
    hist = np.asarray(histograms, float)
    low = np.asarray(bass, float)
    weight = hist + low
    total = weight.sum(1, keepdims=True)
    share = weight / np.maximum(total, 1e-9)
    root = low / np.maximum(low.sum(1, keepdims=True), 1e-9)
    score = share @ _TEMPLATES.T + 0.25 * root[:, (_LABELS - 1) // 3]
    return np.where(total[:, 0] > 0, _LABELS[score.argmax(1)], 0)


def shift_of(key: str) -> int:
    """Semitones that bring the normalised key (C major, A minor) to `key`."""
    return -shift_to_normal(*parse_key(key))
