"""The composer's corpus: the freely licensed sets as key-normalised notes on a bar grid with V/A labels.

`videoscore train corpus --music FOLDER --out corpus.npz` reads the sets, finds bar lines, keys,
chords and roles, tags every bar, and writes one npz. `build` says what the arrays hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from videoscore.errors import InputError, NotFound
from videoscore.library.read import roles as roles_of
from videoscore.library.read.bars import Bars, Notes, bar_grid
from videoscore.library.read.pitches import pitch_content
from videoscore.music.features import SCORE, NoteArrays, extract
from videoscore.music.score import Role
from videoscore.music.tagger import Tagger
from videoscore.music.theory import chords, local_keys, shift_to_normal
from videoscore.research.composer.labelled import Label, Table
from videoscore.research.composer.sets import (
    KINDS,
    OWN,
    UNITS,
    Unusable,
    bar_tempo,
    files,
    has_beat,
    kind_of,
    read,
)
from videoscore.research.composer.works import split, work_keys

LONGEST_NOTE = 288  # units
WINDOW = 8  # bars that a label looks at
SHORTEST_WINDOW = 10.0  # seconds
FEWEST_BARS = 4


@dataclass
class Piece:
    """One piece in arrays as `build` names them, without the `note_` and `bar_` prefixes."""

    name: str
    set: str
    notes: dict[str, np.ndarray]
    bars: dict[str, np.ndarray]
    keys: tuple[str, ...]  # pieces that share one belong on one side of the split
    tagged_bar: np.ndarray  # bars around which a window was described
    features: np.ndarray  # (windows, len(SCORE)) of these windows
    label: Label | None = None  # of the whole piece, where a table gives one


def _merge(table: np.ndarray) -> np.ndarray:
    """Rows (bar, pos, role, pitch, dur, vel) sorted; equal first four become one, the longest and loudest."""
    table = table[np.lexsort((-table[:, 3], table[:, 2], table[:, 1], table[:, 0]))]
    new = np.r_[True, (np.diff(table[:, :4], axis=0) != 0).any(1)]
    starts = np.flatnonzero(new)
    merged = table[starts].copy()
    merged[:, 4] = np.maximum.reduceat(table[:, 4], starts)
    merged[:, 5] = np.maximum.reduceat(table[:, 5], starts)
    return merged


def piece(path: Path, set_name: str) -> Piece:
    """One file, read and described. Raises Unusable."""
    notes, tracks, signatures, at, bpm = read(path)
    if set_name == OWN and not has_beat(notes):
        raise Unusable("no beat: most onsets lie off the grid")
    kind = kind_of(set_name, tracks)
    role = roles_of.assign(notes, tracks, kind)
    notes, role = notes.where(role != roles_of.DROP), role[role != roles_of.DROP]
    pitched = role != Role.DRUMS
    if not pitched.any():
        raise Unusable("no pitched notes")
    try:
        bars = bar_grid(notes, signatures, search=kind != "band")
    except ValueError as why:
        raise Unusable(str(why)) from why
    bars, bar = _trim(bars, notes)
    described = _describe_bars(bars, bar_tempo(bars, at, bpm), *pitch_content(notes.where(pitched), bars))
    pitch = np.where(pitched, notes.pitch + described["shift"][bar], notes.pitch)
    if pitch.min() < 0 or pitch.max() > 127:
        raise Unusable("pitches outside 0..127")
    position, duration = notes.onset - bars.start[bar], np.minimum(notes.duration, LONGEST_NOTE)
    table = _merge(np.stack([bar, position, role, pitch, duration, notes.velocity], 1))
    columns = dict(zip(("bar", "pos", "role", "pitch", "dur", "vel"), table.T))
    keys = work_keys(path.stem, set_name, table[:, 3])
    return _describe(
        Piece(path.stem, set_name, columns, described, keys, np.zeros(0, int), np.zeros((0, len(SCORE))))
    )


def _trim(bars: Bars, notes: Notes) -> tuple[Bars, np.ndarray]:
    """The bars from the first to the last in which a note starts, and the bar of every note."""
    bar = np.searchsorted(bars.start, notes.onset, side="right") - 1
    begin, end = int(bar.min()), int(bar.max()) + 1
    if end - begin < FEWEST_BARS:
        raise Unusable("fewer than four bars")
    return Bars(bars.start[begin:end], bars.length[begin:end], bars.denominator[begin:end]), bar - begin


def _describe_bars(bars: Bars, tempo: np.ndarray, hist: np.ndarray, low: np.ndarray) -> dict[str, np.ndarray]:
    """Keys, chords and segments of bars from the pitch classes in them, (bars, 12), and under them."""
    key = local_keys(hist)
    shift = np.array([shift_to_normal(int(k) % 12, bool(k >= 12)) for k in key])
    normal = (np.arange(len(key))[:, None], (np.arange(12)[None] - shift[:, None]) % 12)
    edge = np.r_[False, (np.diff(key) != 0) | (np.diff(bars.length) != 0)]
    return {
        "len": bars.length, "den": bars.denominator, "tempo": tempo,
        "chord": chords(hist[normal], low[normal]), "shift": shift, "minor": key >= 12,
        "segment": np.cumsum(edge), "last": np.arange(len(key)) == len(key) - 1,
    }  # fmt: skip


def windows(p: Piece, every: int = 1) -> Iterator[tuple[int, NoteArrays, float]]:
    """(bar, pitched notes in seconds at sounding pitch, span) around every `every`-th bar of a piece.

    A window is `WINDOW` bars long, or longer where these last under `SHORTEST_WINDOW` seconds.
    """
    seconds = np.r_[0.0, np.cumsum(p.bars["len"] / UNITS * 60.0 / p.bars["tempo"])]
    bar = p.notes["bar"]
    unit = 60.0 / p.bars["tempo"][bar] / UNITS
    pitched = p.notes["role"] != Role.DRUMS
    pitch = p.notes["pitch"] - np.where(pitched, p.bars["shift"][bar], 0)
    onset = seconds[bar] + p.notes["pos"] * unit
    whole = NoteArrays(onset[pitched], (p.notes["dur"] * unit)[pitched], pitch[pitched], None)
    count = len(p.bars["len"])
    for b in range(0, count, every):
        start, end = seconds[max(b - WINDOW // 2, 0)], seconds[min(b + WINDOW // 2, count)]
        lack = max(SHORTEST_WINDOW - (end - start), 0.0) / 2
        start, end = max(start - lack, 0.0), min(end + lack, seconds[-1])
        if end > start:
            yield b, whole.window(start, end), end - start


def _describe(p: Piece) -> Piece:
    """The piece with the features of every second bar's window."""
    at, rows = [], []
    for b, notes, span in windows(p, every=2):
        if len(notes) >= 8:
            at.append(b)
            rows.append(extract(notes, span, SCORE))
    if not rows:
        raise Unusable("too few notes to tag")
    return replace(p, tagged_bar=np.array(at), features=np.array(rows))


def label(p: Piece, tagger: Tagger) -> None:
    """Give every bar its valence and arousal: those of the piece where a table gives them, else the tagger's,
    interpolated between the tagged bars and smoothed over five."""
    if p.label is not None:
        for name, value in zip(("valence", "arousal"), p.label.point):
            p.bars[name] = np.full(len(p.bars["len"]), value)
        return
    tags = tagger.predict_features(p.features[:, [SCORE.index(name) for name in tagger.names]])
    count = len(p.bars["len"])
    kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0
    for k, name in enumerate(("valence", "arousal")):
        curve = np.interp(np.arange(count), p.tagged_bar, tags[:, k])
        p.bars[name] = np.convolve(np.pad(curve, 2, mode="edge"), kernel, mode="valid")


def _work(job: tuple[str, str]) -> Piece | str:
    path, set_name = Path(job[0]), job[1]
    try:
        return piece(path, set_name)
    except Unusable as why:
        return f"{set_name}/{path.name}: {why}"


_NOTE_TYPES = {
    "bar": np.int32,
    "pos": np.int16,
    "role": np.int8,
    "pitch": np.int16,
    "dur": np.int16,
    "vel": np.int8,
}
_BAR_TYPES = {
    "piece": np.int32, "len": np.int16, "den": np.int8, "tempo": np.float32, "chord": np.int8, "shift": np.int8,
    "minor": np.int8, "segment": np.int32, "valence": np.float32, "arousal": np.float32, "last": np.int8,
}  # fmt: skip


def join(pieces: list[Piece]) -> dict[str, np.ndarray]:
    """The arrays of `build` from single pieces; bar and segment numbers become global."""
    notes: dict[str, list[np.ndarray]] = {k: [] for k in _NOTE_TYPES}
    bars: dict[str, list[np.ndarray]] = {k: [] for k in _BAR_TYPES}
    bar, segment = 0, 0
    for number, p in enumerate(pieces):
        p.notes["bar"] = p.notes["bar"] + bar
        p.bars["segment"] = p.bars["segment"] + segment
        p.bars["piece"] = np.full(len(p.bars["len"]), number)
        bar += len(p.bars["len"])
        segment = int(p.bars["segment"][-1]) + 1
        for table, source in ((notes, p.notes), (bars, p.bars)):
            for key in table:
                table[key].append(source[key])
    arrays = {f"note_{k}": np.concatenate(v).astype(_NOTE_TYPES[k]) for k, v in notes.items()}
    arrays |= {f"bar_{k}": np.concatenate(v).astype(_BAR_TYPES[k]) for k, v in bars.items()}
    arrays["piece_name"] = np.array([p.name for p in pieces])
    arrays["piece_set"] = np.array([p.set for p in pieces])
    arrays["piece_class"] = np.array([p.label.five if p.label else "" for p in pieces])
    arrays["piece_split"] = split([p.keys for p in pieces])
    return arrays


def read_pieces(
    music: Path | None, say: Callable[[str], None], workers: int = 2, table: Table | None = None
) -> list[Piece]:
    """Every usable piece of the sets under `music` and of the files that `table` labels, copies dropped; bars not
    yet labelled."""
    pieces: list[Piece] = []
    digests: set[bytes] = set()
    labels = table.labels if table else {}
    jobs = [*(files(music) if music else ()), *((str(path), OWN) for path in labels)]
    with ProcessPoolExecutor(workers) as pool:
        for (path, _), p in zip(jobs, pool.map(_work, jobs, chunksize=8)):
            if isinstance(p, str):
                say(f"dropped {p}")
                continue
            content = b"".join(p.notes[k].astype(np.int32).tobytes() for k in ("bar", "pos", "pitch", "dur"))
            if content in digests:
                say(f"dropped {p.set}/{p.name}: a copy")
                continue
            digests.add(content)
            if table and p.set == OWN:
                name = Path(path).relative_to(table.folder).with_suffix("").as_posix()
                p = replace(p, name=name, label=labels[Path(path)])
            pieces.append(p)
    return pieces


def build(
    music: Path | None,
    out: Path,
    say: Callable[[str], None] = lambda line: None,
    workers: int = 2,
    table: Table | None = None,
) -> None:
    """Read the clean sets under `music`, and the files that `table` labels, and write the corpus to `out` (npz).

    Notes, concatenated over pieces and sorted by (bar, pos, role, pitch descending): `note_bar` (index into
    the bar arrays), `note_pos` (onset in the bar, 1/24 quarter), `note_role`, `note_pitch` (moved so that the
    local key is C major or A minor; drums: General MIDI key), `note_dur` (1/24 quarter, 1..288), `note_vel`.
    Bars: `bar_piece`, `bar_len` (1/24 quarter), `bar_den` (time signature's denominator), `bar_tempo` (quarters
    a minute), `bar_chord` (theory.chords, normalised), `bar_shift` (semitones that were added), `bar_minor`,
    `bar_segment` (runs of bars of one piece, key and length), `bar_valence`, `bar_arousal` in [-1, 1],
    `bar_last` (1: the piece's last). Pieces: `piece_name`, `piece_set`, `piece_split` (0 train, 1 valid),
    `piece_class` (one of `labelled.CLASSES` where a table gave the label, else empty).

    Raises NotFound when there is no usable piece.
    """
    tagger = Tagger.load("tagger")
    pieces = read_pieces(music, say, workers, table)
    if not pieces:
        raise NotFound(
            "no usable piece was found",
            path=music or (table.folder if table else None),
            remedy=f"Give a folder that holds {', '.join(KINDS)}, or a table that labels MIDI files.",
        )
    for p in pieces:
        label(p, tagger)
    arrays = join(pieces)
    part = out.with_name(out.name + ".part.npz")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        np.savez_compressed(part, **cast("dict[str, Any]", arrays))
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    for line in summary(arrays):
        say(line)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a corpus that `build` wrote. Raises InputError where the file is none."""
    try:
        with np.load(path) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise InputError(
            "this is no corpus", path=path, remedy="Make one with `videoscore train corpus`."
        ) from error


def summary(arrays: dict[str, np.ndarray]) -> list[str]:
    """Counts a set, label statistics and role counts, a line each."""
    owner = arrays["bar_piece"][arrays["note_bar"]]
    minutes = arrays["bar_len"] / UNITS / arrays["bar_tempo"]
    lines = []
    for name in [*KINDS, OWN, "all"]:
        in_set = (arrays["piece_set"] == name) if name != "all" else np.ones(len(arrays["piece_set"]), bool)
        bars, notes = in_set[arrays["bar_piece"]], in_set[owner]
        if not in_set.any():
            continue
        v, a = arrays["bar_valence"][bars], arrays["bar_arousal"][bars]
        role = np.bincount(arrays["note_role"][notes], minlength=6)
        lines.append(
            f"{name}: {in_set.sum()} pieces ({arrays['piece_split'][in_set].sum()} valid), {bars.sum()} bars, "
            f"{notes.sum()} notes, {minutes[bars].sum() / 60:.1f} h; valence {v.mean():+.2f} sd {v.std():.2f}, "
            f"arousal {a.mean():+.2f} sd {a.std():.2f}; quadrants 1-4 "
            + " ".join(f"{q:.2f}" for q in _quadrants(v, a))
            + f"; minor {arrays['bar_minor'][bars].mean():.2f}; roles "
            + " ".join(f"{r.name.lower()} {n}" for r, n in zip(Role, role))
        )
    return lines


def _quadrants(v: np.ndarray, a: np.ndarray) -> list[float]:
    return [
        float(np.mean(m))
        for m in ((v >= 0) & (a >= 0), (v < 0) & (a >= 0), (v < 0) & (a < 0), (v >= 0) & (a < 0))
    ]


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description="Build the composer's corpus.")
    parser.add_argument("--music", type=Path, required=True, help="folder that holds the sets' folders")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    build(options.music, options.out, say=print, workers=options.workers)


if __name__ == "__main__":
    main()
