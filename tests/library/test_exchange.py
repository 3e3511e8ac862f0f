"""A library's table as people edit it: moods or numbers, with the habits of their spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from songs import song

from videoscore.errors import UsageError
from videoscore.library.add import add
from videoscore.library.store.database import Library
from videoscore.library.store.exchange import import_csv, to_csv


@pytest.fixture
def library(tmp_path: Path):
    folder = tmp_path / "midi"
    folder.mkdir()
    for k, name in enumerate(("one", "two")):
        song(folder / f"{name}.mid", seed=k)
    with Library(tmp_path / "l.sqlite") as found:
        add(found, [folder], 1)
        yield found


def rows(library: Library) -> list[dict[str, str]]:
    return sorted(csv.DictReader(io.StringIO(to_csv(library.pieces()))), key=lambda row: row["path"])


def written(path: Path, edited: list[dict[str, str]], delimiter: str = ",", head: str = "") -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(edited[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(edited)
    path.write_text(head + text.getvalue(), encoding="utf-8")
    return path


def another(mood: str) -> str:
    return "Angry" if mood != "Angry" else "Tired"


def test_a_mood_that_was_edited_is_the_user_s_word_whatever_the_numbers(
    library: Library, tmp_path: Path
) -> None:
    table = rows(library)
    wanted = another(table[0]["mood"])
    table[0] |= {"mood": wanted, "source": "user"}
    done = import_csv(library, written(tmp_path / "t.csv", table))
    assert done.tagged == 1 and rows(library)[0]["mood"] == wanted
    assert rows(library)[1] == table[1]


def test_numbers_that_were_edited_are_the_user_s_word_whatever_the_mood(
    library: Library, tmp_path: Path
) -> None:
    table = rows(library)
    table[0] |= {"valence": "-0.6", "arousal": "-0.5", "source": "user"}
    import_csv(library, written(tmp_path / "t.csv", table))
    assert (rows(library)[0]["valence"], rows(library)[0]["arousal"]) == ("-0.6", "-0.5")


def test_both_edited_and_unlike_is_refused_and_nothing_written(library: Library, tmp_path: Path) -> None:
    table = before = rows(library)
    table = [dict(row) for row in before]
    table[0] |= {"mood": another(table[0]["mood"]), "source": "user"}
    table[1] |= {"mood": "Angry", "valence": "0.9", "arousal": "-0.1", "source": "user"}
    with pytest.raises(UsageError, match=r"t\.csv.*line 3.*neither"):
        import_csv(library, written(tmp_path / "t.csv", table))
    assert rows(library) == before


def test_an_edited_row_of_a_new_file(library: Library, tmp_path: Path) -> None:
    """As on another machine: its tagger says what ours says, and the mood is what was edited."""
    table = rows(library)
    wanted = another(table[0]["mood"])
    table[0] |= {"mood": wanted, "source": "user"}
    with Library(tmp_path / "other.sqlite") as other:
        done = import_csv(other, written(tmp_path / "t.csv", table))
        assert (done.added.added, done.tagged) == (2, 1)
        assert rows(other)[0]["mood"] == wanted


@pytest.mark.parametrize("head", ["", "\ufeff", "sep=;\n", "\ufeffsep=;\n"])
def test_a_spreadsheet_of_a_country_with_decimal_commas(library: Library, tmp_path: Path, head: str) -> None:
    table = [
        {k: v.replace(".", ",") if k in ("valence", "arousal") else v for k, v in row.items()}
        for row in rows(library)
    ]
    table[0] |= {"valence": "-0,6", "arousal": "-0,5", "source": "user"}
    import_csv(library, written(tmp_path / "t.csv", table, ";", head))
    assert (rows(library)[0]["valence"], rows(library)[0]["arousal"]) == ("-0.6", "-0.5")
    import_csv(library, written(tmp_path / "tabs.csv", table, "\t"))


@pytest.mark.data
def test_the_table_of_the_report(data: Path, videoscore, tmp_path: Path) -> None:
    done = videoscore(
        "library",
        "import",
        data / "faults" / "library_import_edited.csv",
        "--library",
        tmp_path / "l",
        cwd=tmp_path,
    )
    assert done.code == 1 and "0 pieces tagged" in done.out  # its files are elsewhere; the table is all right
