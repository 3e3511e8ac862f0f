"""Any folder of MIDI files with a table of (valence, energy): MetaMIDI or Lakh with Spotify's features, or your own.

The table is CSV with a column `file`, `path` or `md5`, and columns `valence` and `energy`, each from 0 to 1 with
.5 neutral. Energy stands for arousal. A whole piece has one label: each of its bars gets it.
"""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videoscore.errors import NotFound, UsageError

NAMES = ("file", "path", "md5")
SUFFIXES = (".mid", ".midi")
CLASSES = ("Happiness", "Surprise", "Anger", "Sadness", "Others")
SHOWN = 5  # examples that are named of each kind of fault


@dataclass(frozen=True)
class Label:
    """valence, energy : in [0, 1], as in the table."""

    valence: float
    energy: float

    @property
    def point(self) -> tuple[float, float]:
        """(valence, arousal) in [-1, 1]."""
        return 2 * self.valence - 1, 2 * self.energy - 1

    @property
    def five(self) -> str:
        """One of `CLASSES`."""
        return five_class(self.valence, self.energy)


@dataclass(frozen=True)
class Table:
    """A folder and what is known of its files.

    labels : file -> label, in the order of the table. faults : what is wrong -> the names it is wrong of. other :
    MIDI files in the folder without a label.
    """

    folder: Path
    labels: Mapping[Path, Label]
    faults: Mapping[str, Sequence[str]]
    other: int

    def told(self) -> Iterator[str]:
        """What was found and what was left out, a line each."""
        classes = Counter(label.five for label in self.labels.values())
        yield (
            f"{self.folder}: {len(self.labels)} labelled MIDI files ("
            + ", ".join(f"{name} {classes[name]}" for name in CLASSES)
            + f"), {self.other} without a label"
        )
        for fault, names in self.faults.items():
            examples = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            yield f"left out, {fault}: {len(names)} ({examples})"


def five_class(valence: float, energy: float) -> str:
    """The class of music by its valence and energy in [0, 1].

    The five-class rule for Spotify's features: energy >= .5 and valence >= .5 is Happiness where the energy is
    less than the valence and Surprise otherwise; energy >= .5 with valence < .5 is Anger; both < .5 is Sadness;
    energy < .5 with valence >= .5 is Others.
    """
    if energy >= 0.5:
        if valence < 0.5:
            return "Anger"
        return "Happiness" if energy < valence else "Surprise"
    return "Sadness" if valence < 0.5 else "Others"


def read_labels(table: Path, folder: Path) -> Table:
    """The labels of the MIDI files under `folder`.

    A file is named by its path from the folder, or by its file name alone, with or without its suffix: so files
    that are called by their MD5, as Lakh's and MetaMIDI's are, are found in whatever folders they lie.
    Lines that name no file, that name one again, or whose numbers aren't within 0 and 1 are left out and counted.

    Raises
    ------
    NotFound : the table can't be read. UsageError : it lacks a column, or labels no file at all.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=max(",;\t", key=head.count))
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            name = _column(table, reader.fieldnames)
            index, files = _index(folder)
            labels, faults = _matched(reader, name, index)
    except OSError as error:
        raise NotFound(
            f"can't be read ({error.strerror or error})",
            path=table,
            remedy="Give a CSV file with the columns file, valence, energy.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"it is no table ({error})", path=table, remedy="Save it as CSV in UTF-8."
        ) from error
    result = Table(folder, labels, faults, files - len(labels))
    if not labels:
        raise UsageError(
            f"it labels no MIDI file of {folder}; {'; '.join(list(result.told())[1:]) or 'it is empty'}",
            path=table,
            remedy="Name the files by their paths from that folder, or by their names.",
        )
    return result


def _column(table: Path, names: Sequence[str]) -> str:
    """The column that names the files."""
    name = next((n for n in NAMES if n in names), None)
    missing = [n for n in ("valence", "energy") if n not in names] + ["file"] * (name is None)
    if name is None or missing:
        raise UsageError(
            f"it has no column {' and no '.join(missing)}",
            path=table,
            remedy=f"Its first line has to name the columns: file (or {', '.join(NAMES[1:])}), valence, "
            f"energy.",
        )
    return name


def _index(folder: Path) -> tuple[dict[str, Path | None], int]:
    """Each way of naming a MIDI file under `folder` -> the file, or None where it may be one of several; and how
    many files there are."""
    exact: dict[str, Path | None] = {}
    loose: dict[str, Path | None] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()):
        whole = path.relative_to(folder)
        exact[whole.as_posix()] = path
        for name in {whole.with_suffix("").as_posix(), path.name, path.stem}:
            loose[name] = None if name in loose else path
    return loose | exact, len(exact)


def _matched(
    reader: csv.DictReader[str], column: str, index: Mapping[str, Path | None]
) -> tuple[dict[Path, Label], dict[str, list[str]]]:
    """Labels by file, and names by fault."""
    labels: dict[Path, Label] = {}
    faults: dict[str, list[str]] = defaultdict(list)
    for row in reader:
        name = (row[column] or "").strip().replace("\\", "/").removeprefix("./")
        valence, energy = _number(row["valence"]), _number(row["energy"])
        if not name:
            faults["no name in the line"].append(f"line {reader.line_num}")
        elif name not in index:
            faults["no such file"].append(name)
        elif (path := index[name]) is None:
            faults["several files of that name"].append(name)
        elif path in labels:
            faults["named again"].append(name)
        elif valence is None or energy is None:
            faults["valence or energy not within 0 and 1"].append(name)
        else:
            labels[path] = Label(valence, energy)
    return labels, dict(faults)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 1 else None
