"""``videoscore library``: one's own MIDI files, tagged and kept."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from videoscore.cli.common import print_result, with_settings, with_voice
from videoscore.cli.teller import Teller
from videoscore.text.tables import clock, table

if TYPE_CHECKING:
    from videoscore.library.add import AddReport
    from videoscore.library.store.database import StoredPiece

Command = TypeVar("Command", bound=Callable[..., Any])
jobs_option = click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 256), help="processes that read  [default: one a core]"
)
SHOWN = 40  # skipped files that are named on the screen; --json has all


@click.group()
def library() -> None:
    """Your own MIDI files: tagged, kept, and chosen for a video's cues."""


def with_library(command: Command) -> Command:
    """Add --library; the command gets an open `library`."""

    @functools.wraps(command)
    def command_with_library(*args: Any, library_file: str | None, **words: Any) -> Any:
        from videoscore.library.store.database import Library
        from videoscore.user_folders import expanded

        with Library(expanded(library_file) if library_file else None) as library:
            return command(*args, library=library, **words)

    return click.option(
        "--library",
        "library_file",
        metavar="FILE",
        help="the library's file  [default: $VIDEOSCORE_LIBRARY, or the user's own]",
    )(command_with_library)  # type: ignore[return-value]


@library.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@jobs_option
@with_library
@with_voice
def add(teller: Teller, library: Any, paths: tuple[str, ...], jobs: int | None) -> None:
    """Add the MIDI files PATH, or all those in the folders PATH and below.

    What is known already is not read again; a moved file is found again by what is in it. Ends with code 1 when files
    were skipped, after having listed them.
    """
    from videoscore.library.add import add as add_files

    report = add_files(library, paths, jobs, teller.progress)
    teller.result({"library": library.path, **_report_facts(report)}, _report_text(report, str(library.path)))
    if report.skipped:
        teller.close()
        raise SystemExit(1)


@library.command("list")
@click.option("--mood", metavar="WORD", help="only pieces of this mood")
@click.option("--search", metavar="TEXT", help="only pieces with this in their title or path")
@with_library
@with_voice
def list_(teller: Teller, library: Any, mood: str | None, search: str | None) -> None:
    """The pieces in the library."""
    from videoscore.library.store.exchange import read_word

    pieces = library.pieces()
    if mood is not None:
        word = read_word(mood, None, None)
        pieces = [p for p in pieces if word is not None and p.mood == word[2]]
    if search is not None:
        pieces = [p for p in pieces if search.lower() in f"{p.entry.title}\n{p.path}".lower()]
    rows = [
        [
            str(p.id),
            p.mood + "*" * (p.user is not None),
            f"{p.valence:+.2f}",
            f"{p.arousal:+.2f}",
            p.entry.key_name,
            f"{p.entry.bpm:.0f}",
            clock(p.entry.seconds),
            p.entry.title,
        ]
        for p in pieces
    ]
    text = (
        table(["id", "mood", "valence", "arousal", "key", "bpm", "length", "title"], rows)
        if rows
        else "no pieces; `videoscore library add FOLDER` adds some"
    )
    print_result(teller, {"library": library.path, "pieces": [_facts(p) for p in pieces]}, text)


@library.command()
@click.argument("piece")
@with_library
@with_voice
def show(teller: Teller, library: Any, piece: str) -> None:
    """What is known of PIECE (a file, or its id in the list), section by section."""
    from videoscore.library.store.catalogue import user_shift

    piece_row = library.find(piece)
    user = piece_row.user or (None, None, None)
    sections = [
        {
            "bars": f"{s.first_bar + 1}-{s.last_bar}",
            "start": s.start,
            "end": s.end,
            "valence": round(user_shift(s.valence, piece_row.entry.valence, user[0]), 4),
            "arousal": round(user_shift(s.arousal, piece_row.entry.arousal, user[1]), 4),
            "key": s.key_name,
            "bpm": s.bpm,
            "beats": s.beats,
            "density": s.density,
            "loop": f"{s.loop_first + 1}-{s.loop_last}",
            "loop_quality": s.loop,
        }
        for s in piece_row.entry.sections
    ]
    rows = [
        [
            s["bars"],
            clock(s["start"]),
            clock(s["end"]),
            f"{s['valence']:+.2f}",
            f"{s['arousal']:+.2f}",
            s["key"],
            f"{s['bpm']:.1f}",
            f"{s['beats']:g}",
            f"{s['density']:.1f}",
            f"{s['loop']} ({s['loop_quality']:.2f})",
        ]
        for s in sections
    ]
    head = [[name, str(value)] for name, value in _facts(piece_row).items()]
    heads = ["bars", "start", "end", "valence", "arousal", "key", "bpm", "beats", "notes/s", "loop"]
    print_result(
        teller,
        {**_facts(piece_row), "sections": sections},
        f"{table(['', ''], head)}\n\n{table(heads, rows)}",
    )


@library.command()
@click.argument("piece")
@click.option("--mood", metavar="WORD", help="one of the eight moods (docs/cli.md)")
@click.option("--valence", metavar="X", help="instead, with --arousal: -1 (negative) to 1 (positive)")
@click.option("--arousal", metavar="X", help="-1 (calm) to 1 (agitated)")
@click.option("--clear", is_flag=True, help="go back to what the tagger says")
@with_library
@with_voice
def tag(
    teller: Teller,
    library: Any,
    piece: str,
    mood: str | None,
    valence: str | None,
    arousal: str | None,
    clear: bool,
) -> None:
    """Say what the mood of PIECE is; your word beats the tagger's."""
    from videoscore.errors import UsageError
    from videoscore.library.store.exchange import read_word

    word = read_word(mood, valence, arousal)
    if (word is None) != clear:
        raise UsageError(
            "--clear goes without a mood" if clear else "no mood is given",
            remedy="Give --mood, or --valence and --arousal, or --clear.",
        )
    piece_row = library.find(piece)
    library.tag(piece_row, word)
    after = library.find(str(piece_row.id))
    teller.result(
        _facts(after),
        f"{after.entry.title}: {after.mood}, valence {after.valence:+.2f}, "
        f"arousal {after.arousal:+.2f} ({'tagger' if after.user is None else 'your word'})",
    )


@library.command()
@click.argument("pieces", nargs=-1, required=True, metavar="PIECE...")
@with_library
@with_voice
def remove(teller: Teller, library: Any, pieces: tuple[str, ...]) -> None:
    """Forget each PIECE (a file, or its id in the list); the files stay where they are."""
    by_id = {p.id: p for p in (library.find(name) for name in pieces)}
    for piece in by_id.values():
        library.remove(piece)
    teller.result(
        {"removed": [p.path for p in by_id.values()]},
        "\n".join(f"removed {p.entry.title}" for p in by_id.values()),
    )


@library.command("export")
@click.argument("file")
@click.option("--overwrite", is_flag=True, help="replace a file that is already there")
@with_library
@with_voice
def export(teller: Teller, library: Any, file: str, overwrite: bool) -> None:
    """Write the list of pieces, with their tags, to FILE as CSV."""
    from videoscore.files import write_text
    from videoscore.library.store.exchange import to_csv
    from videoscore.pipeline.outputs import check_file

    check_file(Path(file), overwrite)
    pieces = library.pieces()
    write_text(Path(file), to_csv(pieces), overwrite)
    teller.result({"output": file, "pieces": len(pieces)}, f"{file}: {_count(len(pieces), 'piece')}")


@library.command("import")
@click.argument("file")
@jobs_option
@with_library
@with_voice
def import_(teller: Teller, library: Any, file: str, jobs: int | None) -> None:
    """Take tags from the CSV file FILE, and add the files it names that are new.

    Ends with code 1 when files were skipped, or lines name nothing that is there.
    """
    from videoscore.library.store.exchange import import_csv

    result = import_csv(library, Path(file), jobs, teller.progress)
    lines = [f"{_count(result.tagged, 'piece')} tagged", _report_text(result.added, str(library.path))]
    lines += [
        f"  line {line}: not in the library, and no such file: {name}"
        for line, name in result.missing[:SHOWN]
    ]
    facts = {
        "tagged": result.tagged,
        **_report_facts(result.added),
        "missing": [{"line": line, "name": name} for line, name in result.missing],
    }
    teller.result(facts, "\n".join(lines))
    if result.missing or result.added.skipped:
        teller.close()
        raise SystemExit(1)


@library.command()
@click.option("--picture", "image", metavar="FILE", help="draw it, as .png, .svg or .pdf")
@click.option("--overwrite", is_flag=True, help="replace a file that is already there")
@with_library
@with_voice
def stats(teller: Teller, library: Any, image: str | None, overwrite: bool) -> None:
    """How much there is of each mood."""
    from videoscore.library.store.plane import picture
    from videoscore.library.store.plane import stats as count
    from videoscore.pipeline.outputs import check_file

    if image is not None:
        check_file(Path(image), overwrite)
    facts = count(library)
    if image is not None:
        picture(library, Path(image), overwrite)
    rows = [[mood, str(n["pieces"]), str(n["sections"])] for mood, n in facts["moods"].items()]
    grid = [["" if k else "arousal up", *map(str, line)] for k, line in enumerate(facts["plane"])]
    text = (
        f"{facts['path']}: {_count(facts['pieces'], 'piece')}, {_count(facts['sections'], 'section')}, "
        f"{facts['notes']} notes, {facts['hours']:.1f} h, {facts['bytes'] / 1e6:.1f} MB\n"
        f"{table(['mood', 'pieces', 'sections'], rows)}\n\nsections on the plane, valence from left to right\n"
        f"{table([''] * 6, grid).strip(chr(10))}"
    )
    print_result(teller, {**facts, "picture": image}, text)


@library.command("match")
@click.argument("cues")
@click.option(
    "--explain", is_flag=True, help="print what each choice costs, term by term, and the next best ones"
)
@with_settings("library")
@with_voice
def match_(teller: Teller, cues: str, explain: bool, **settings: Any) -> None:
    """What would be selected for the cue sheet CUES, with --music auto where that is close enough; nothing is
    written."""
    from videoscore.library.select.select import reasons, select
    from videoscore.pipeline.settle import load_sheet, settle_sheet
    from videoscore.text.picks import pick_table

    if settings["music"] in (None, "generate"):
        settings["music"] = "select"
    sheet, options = settle_sheet(load_sheet(cues), **settings)
    selection = select(sheet, options.library)
    rows = reasons(sheet, selection.picks)
    print_result(teller, {"picks": rows, "remarks": selection.remarks}, pick_table(rows, explain))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _facts(piece: StoredPiece) -> dict[str, Any]:
    from videoscore.library.store.exchange import row

    return {"id": piece.id, **row(piece)}


def _report_facts(report: AddReport) -> dict[str, Any]:
    return {
        "added": report.added,
        "known": report.known,
        "moved": report.moved,
        "copies": report.copies,
        "skipped": [{"path": path, "reason": reason} for path, reason in report.skipped],
    }


def _report_text(report: AddReport, where: str) -> str:
    words = [f"{report.added} added"]
    words += [
        f"{n} {what}"
        for n, what in (
            (report.known, "known already"),
            (report.moved, "found again elsewhere"),
            (report.copies, "copies of others"),
            (len(report.skipped), "skipped"),
        )
        if n
    ]
    lines = [f"{where}: {', '.join(words)}"]
    lines += [f"  skipped {path}: {reason}" for path, reason in report.skipped[:SHOWN]]
    if len(report.skipped) > SHOWN:
        lines.append(f"  and {len(report.skipped) - SHOWN} more (--json lists all)")
    return "\n".join(lines)
