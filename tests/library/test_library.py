"""The library: reading, tagging, keeping; files that move, double, break; a process that is killed."""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import command_environment
from songs import many_notes, shelf, song

from videoscore.errors import NotFound, OutputError, SetupError, UsageError
from videoscore.library.add import add, find_files
from videoscore.library.read.content import digest
from videoscore.library.read.read import Unusable, read
from videoscore.library.read.tag import describe, spans, steady
from videoscore.library.store import builtin
from videoscore.library.store import database as store
from videoscore.library.store.catalogue import load, signature_of
from videoscore.library.store.database import STEPS, Library, word
from videoscore.library.store.entry import PieceEntry
from videoscore.library.store.exchange import import_csv, read_word, to_csv
from videoscore.music.score import Role

# ---------------------------------------------------------------- reading and tagging


def entry_of(path: Path) -> PieceEntry:
    return describe(read(path.read_bytes()), "0" * 64, path.stem)


def test_a_piece_is_understood(tmp_path):
    entry = entry_of(song(tmp_path / "a.mid", tonic=2, mode="minor", bpm=90, bars=20, beats=3))
    assert (entry.key_name, entry.bpm, entry.beats, entry.bars) == ("D minor", 90, 3, 20)
    assert entry.seconds == pytest.approx(20 * 3 * 60 / 90, abs=0.01)
    assert [(s.first_bar, s.last_bar) for s in entry.sections] == [(0, 8), (8, 16), (16, 20)]
    assert entry.programs == (0, 48)
    assert entry.pulse == 1.0
    for s in entry.sections:
        assert s.key_name == "D minor"
        assert s.end - s.start == pytest.approx((s.last_bar - s.first_bar) * 2, abs=0.01)
        assert s.first_bar <= s.loop_first < s.loop_last <= s.last_bar
        assert -1 <= s.valence <= 1
        assert -1 <= s.arousal <= 1
    # the chords come again every four bars, so that is where a loop joins
    assert entry.sections[0].loop_last - entry.sections[0].loop_first in (4, 8)
    assert entry.sections[0].loop > 0.8


def test_the_tagger_hears_more_arousal_in_faster_and_busier_music(tmp_path):
    calm = entry_of(song(tmp_path / "a.mid", bpm=60))
    wild = entry_of(song(tmp_path / "b.mid", bpm=170, each=3, mode="minor"))
    assert wild.arousal > calm.arousal + 0.3
    assert wild.valence < calm.valence


def test_roles_bars_and_ticks(tmp_path):
    music = read(song(tmp_path / "a.mid", drums=True, bpm=100).read_bytes())
    assert {Role.DRUMS, Role.MELODY} <= set(music.role.tolist())
    assert (music.bar_length == 4 * 480).all()
    assert music.bar_start[0] == 0
    assert np.allclose(music.seconds(np.array([0, 480, 1920])), [0, 0.6, 2.4])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([4] * 16, [(0, 8), (8, 16)]),
        ([4] * 19, [(0, 8), (8, 19)]),
        ([4] * 20, [(0, 8), (8, 16), (16, 20)]),
        ([4] * 5, [(0, 5)]),
        ([4] * 3, []),
        ([4] * 8 + [2] + [4] * 8, [(0, 8), (9, 17)]),
        ([4] * 6 + [3] * 6, [(0, 6), (6, 12)]),
    ],
)
def test_sections_are_about_eight_bars_of_one_length(lengths, expected):
    assert list(spans(np.array(lengths))) == expected


def test_a_sections_tag_is_steadied_by_what_is_around_it(tmp_path):
    one = entry_of(song(tmp_path / "a.mid", bars=72)).sections
    level = [dataclasses.replace(s, valence=0.3, arousal=-0.2) for s in one]
    assert steady(level) == tuple(level)
    spike = steady([dataclasses.replace(s, valence=0.9 if k == 4 else 0.0) for k, s in enumerate(level)])
    valence = [s.valence for s in spike]
    assert valence.index(max(valence)) == 4
    assert valence[4] == pytest.approx(0.5 * 0.9 * 3 / 9 + 0.5 * 0.1, abs=1e-4)
    assert valence[0] == pytest.approx(0.5 * 0.1)  # so far off only the whole piece tells of it
    assert steady([]) == ()


def test_what_cannot_be_used_says_why(tmp_path):
    empty = mido.MidiFile()
    empty.tracks.append(mido.MidiTrack([mido.MetaMessage("track_name", name="x")]))
    empty.save(tmp_path / "empty.mid")
    song(tmp_path / "short.mid", bars=2)
    cases = {
        b"": "damaged",
        b"MThd junk": "damaged",
        b"RIFF" + bytes(100): "damaged",
        (tmp_path / "empty.mid").read_bytes(): "no notes",
        (tmp_path / "short.mid").read_bytes(): "fewer than four bars",
        bytes(9 * 2**20): "over 8 MB",
    }
    for data, words in cases.items():
        with pytest.raises(Unusable, match=words):
            read(data)


def test_a_hundred_thousand_notes_are_too_many(tmp_path):
    with pytest.raises(Unusable, match="100000 notes"):
        read(many_notes(tmp_path / "a.mid", 100_000).read_bytes())


# ---------------------------------------------------------------- keeping


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    shelf(folder, 5)
    return folder


@pytest.fixture(scope="module")
def filled(songs, tmp_path_factory) -> Path:
    """A library of the songs; tests copy it."""
    path = tmp_path_factory.mktemp("library") / "l.sqlite"
    with Library(path) as library:
        assert add(library, [songs], 2).added == 5
    return path


@pytest.fixture
def library(filled, tmp_path):
    shutil.copy(filled, tmp_path / "l.sqlite")
    with Library(tmp_path / "l.sqlite") as found:
        yield found


def rows(library: Library) -> list[tuple]:
    return library.db.execute(
        "SELECT content, path, valence, arousal FROM pieces ORDER BY content"
    ).fetchall()


def test_what_was_read_is_stored_whole(library, songs):
    for piece in library.pieces(sections=True):
        fresh = describe(read(piece.path.read_bytes()), piece.entry.content, piece.entry.title)
        assert piece.entry == fresh
        assert PieceEntry.from_facts(piece.entry.facts()) == fresh
        assert (piece.size, piece.mtime) == (piece.path.stat().st_size, piece.path.stat().st_mtime_ns)


def test_a_second_add_does_nothing(library, songs):
    before = list(library.db.iterdump())
    again = add(library, [songs], 1)
    assert (again.added, again.known, again.skipped) == (0, 5, [])
    assert list(library.db.iterdump()) == before


def test_bad_files_are_skipped_with_a_reason_now_and_at_once_later(library, songs, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "torn.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\1\0")
    (folder / "empty.mid").touch()
    song(folder / "good.mid", seed=77)
    first = add(library, [folder], 2)
    assert first.added == 1
    assert [p.name for p, _ in first.skipped] == ["empty.mid", "torn.mid"]
    assert all(reason for _, reason in first.skipped)
    second = add(library, [folder], 2)
    assert (second.added, second.known) == (0, 1)
    assert second.skipped == first.skipped


def test_a_file_that_crashes_the_reader_costs_no_other(library, tmp_path, monkeypatch):
    from videoscore.library.read import readers

    start = readers._start
    crash = (
        "import os, sys, json\nfrom videoscore.library.read import reading_process as worker\nlook = worker.look\n"
        "worker.look = lambda p: os._exit(3) if p.name == 'b.mid' else look(p)\nworker.main()"
    )

    def fragile():
        popen = subprocess.Popen
        monkeypatch.setattr(
            subprocess, "Popen", lambda command, **k: popen([sys.executable, "-c", crash], **k)
        )
        try:
            return start()
        finally:
            monkeypatch.setattr(subprocess, "Popen", popen)

    monkeypatch.setattr(readers, "_start", fragile)
    for k, name in enumerate("abc"):
        song(tmp_path / f"{name}.mid", seed=100 + k)
    done = add(library, [tmp_path], 1)
    assert done.added == 2
    assert [(p.name, reason) for p, reason in done.skipped] == [("b.mid", readers.CRASHED)]


def test_a_moved_file_is_found_again_and_keeps_the_users_word(library, songs, tmp_path):
    away = tmp_path / "away"
    shutil.copytree(songs, away)
    add(library, [away], 1)  # copies of what is there: nothing moves
    assert {p.path.parent for p in library.pieces()} == {songs}
    old = song(tmp_path / "here.mid", seed=9)
    add(library, [old], 1)
    library.tag(library.find(str(old)), word("Tired"))
    new = tmp_path / "there.mid"
    old.rename(new)
    done = add(library, [new], 1)
    assert (done.added, done.moved) == (0, 1)
    assert library.find(str(new)).mood == "Tired"
    assert len(library.pieces()) == 6


def test_copies_are_told_and_stored_once(library, songs, tmp_path):
    one = song(tmp_path / "a.mid", seed=31)
    shutil.copy(one, tmp_path / "b.mid")
    done = add(library, [tmp_path / "a.mid", tmp_path / "b.mid"], 2)
    assert (done.added, done.copies) == (1, 1)
    assert len(library.pieces()) == 6
    again = add(library, [tmp_path / "a.mid", tmp_path / "b.mid"], 2)
    assert (again.added, again.known, again.copies) == (0, 2, 0)


def test_a_file_that_was_edited_replaces_its_old_self(library, tmp_path):
    path = song(tmp_path / "a.mid", seed=1, bars=12)
    add(library, [path], 1)
    library.tag(library.find(str(path)), word("Angry"))
    song(path, seed=2, bars=24)
    done = add(library, [path], 1)
    assert done.added == 1
    found = library.find(str(path))
    assert (found.entry.bars, found.mood) == (24, "Angry")
    assert len(library.pieces()) == 6


def test_a_removed_piece_is_forgotten_and_can_be_added_again(library, songs):
    piece = library.pieces()[0]
    library.remove(piece)
    assert piece.path.is_file()
    with pytest.raises(NotFound):
        library.find(str(piece.id) if piece.id > 5 else piece.entry.content)
    assert library.db.execute("SELECT COUNT(*) FROM sections WHERE piece = ?", (piece.id,)).fetchone() == (0,)
    assert add(library, [songs], 1).added == 1


def test_files_are_found_by_suffix_in_all_folders(tmp_path):
    for name in ("a.mid", "b.MIDI", "c.txt", "d/e.kar", "d/._x.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [p.name for p in find_files([tmp_path, tmp_path / "a.mid"])] == ["a.mid", "b.MIDI", "e.kar"]
    assert [p.name for p in find_files([tmp_path / "c.txt"])] == ["c.txt"]
    for wrong in (tmp_path / "none", tmp_path / "d" / "nowhere.mid"):
        with pytest.raises(NotFound):
            find_files([wrong])


def test_a_killed_add_goes_on_where_it_was_without_doubles(tmp_path):
    """Killed with no chance to clean up, at several moments; then run to its end."""
    folder = tmp_path / "songs"
    folder.mkdir()
    song(tmp_path / "base.mid", bars=8)
    for k in range(30):  # another title makes another content
        tail = mido.MidiFile(tmp_path / "base.mid")
        tail.tracks[0].insert(0, mido.MetaMessage("track_name", name=f"song {k}"))
        tail.save(folder / f"{k:02d}.mid")
    place = tmp_path / "l.sqlite"
    command = [
        sys.executable,
        "-m",
        "videoscore",
        "library",
        "add",
        folder,
        "--jobs",
        "2",
        "--library",
        place,
    ]
    counts = []
    for patience in (0, 1):
        run = subprocess.Popen(command, env=command_environment(), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and run.poll() is None:
            if _count(place) > (counts[-1] if counts else -1) + patience:
                break
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        counts.append(_count(place))
    assert counts == sorted(counts)
    done = subprocess.run(command, env=command_environment(), capture_output=True, text=True, check=True)
    assert f"{30 - counts[-1]} added" in done.stdout or counts[-1] == 30
    with Library(place) as library:
        assert len(library.pieces()) == 30 == len({p.path for p in library.pieces()})
        assert library.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert library.db.execute("SELECT COUNT(*) FROM sections").fetchone() == (30,)


def _count(place: Path) -> int:
    if not place.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=5) as db:
            return db.execute("SELECT COUNT(*) FROM pieces").fetchone()[0]
    except sqlite3.OperationalError:  # its tables aren't there yet
        return 0


# ---------------------------------------------------------------- the database itself


def test_migrations_bring_an_old_library_forward(filled, tmp_path, monkeypatch):
    path = tmp_path / "l.sqlite"
    shutil.copy(filled, path)
    monkeypatch.setattr(
        store,
        "STEPS",
        (*STEPS, "ALTER TABLE pieces ADD COLUMN composer TEXT; CREATE INDEX pieces_title ON pieces (title)"),
    )
    with Library(path) as library:
        assert library.db.execute("SELECT composer FROM pieces").fetchall() == [(None,)] * 5
        assert library.db.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 1,)
    monkeypatch.setattr(store, "STEPS", STEPS)
    with pytest.raises(SetupError, match="newer videoscore"):
        Library(path)


def test_a_failed_migration_changes_nothing(filled, tmp_path, monkeypatch):
    path = tmp_path / "l.sqlite"
    shutil.copy(filled, path)
    monkeypatch.setattr(store, "STEPS", (*STEPS, "CREATE TABLE more (x); CREATE TABLE pieces (x)"))
    with pytest.raises(OutputError, match="already exists"):
        Library(path)
    monkeypatch.setattr(store, "STEPS", STEPS)
    with Library(path) as library:
        assert library.db.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)


def test_what_is_no_library_is_refused(tmp_path):
    (tmp_path / "text.sqlite").write_text("this is a text " * 100)
    with pytest.raises(SetupError, match="can't be read"):
        Library(tmp_path / "text.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as db:
        db.execute("CREATE TABLE accounts (x)")
    with pytest.raises(SetupError, match="no library"):
        Library(tmp_path / "other.sqlite")


def test_the_place_of_the_library(monkeypatch, tmp_path):
    monkeypatch.delenv("VIDEOSCORE_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.default_path() == tmp_path / "videoscore" / "library.sqlite"
    monkeypatch.setenv("VIDEOSCORE_LIBRARY", str(tmp_path / "own.sqlite"))
    assert store.default_path() == tmp_path / "own.sqlite"


def test_recency_counts_other_films_back_from_the_last(library):
    library.use("a", ["x", None, "y"])
    time.sleep(0.002)
    library.use("b", ["y"])
    assert library.recent("c") == {"x": 2, "y": 1}
    assert library.recent("b") == {"x": 1, "y": 1}  # a film's own uses don't count
    library.use("a", ["z"])
    assert library.recent("b") == {"z": 1}


# ---------------------------------------------------------------- the user's word


def test_the_users_word_beats_the_tagger_in_every_section(library):
    piece = library.pieces(sections=True)[0]
    before = load(library, builtin=False)
    mine = before.piece == 0
    library.tag(piece, word("Withered"))
    after = load(library, builtin=False)
    v, a, mood = word("Withered")
    found = library.pieces()[0]
    assert (found.valence, found.arousal, found.mood) == (v, a, mood)
    expected = np.clip(before.valence[mine] + v - piece.entry.valence, -1, 1)
    assert np.allclose(after.valence[mine], expected)
    assert np.array_equal(after.valence[~mine], before.valence[~mine])
    library.tag(found, None)
    assert np.array_equal(load(library, builtin=False).valence, before.valence)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("Hapy", None, None), "no mood"),
        ((None, "0.5", None), "arousal is missing"),
        ((None, "2", "0"), "valence is 2"),
        ((None, "nan", "0"), "valence is nan"),
        (("Happy", "-0.5", "-0.5"), "Withered, not Happy"),
    ],
)
def test_words_that_say_nothing_are_refused(words, problem):
    with pytest.raises(UsageError, match=problem):
        read_word(*words)


def test_export_and_import_carry_a_library_to_another_machine(library, tmp_path):
    pieces = library.pieces()
    library.tag(pieces[1], word("Peaceful"))
    library.tag(pieces[2], read_word(None, "-0.3", "0.9"))
    table = tmp_path / "l.csv"
    table.write_text(to_csv(library.pieces()), encoding="utf-8")
    with Library(tmp_path / "other.sqlite") as other:
        done = import_csv(other, table, 1)
        assert (done.added.added, done.tagged, done.missing) == (5, 2, [])
        assert {(p.entry, p.user) for p in other.pieces()} == {(p.entry, p.user) for p in library.pieces()}


def test_import_tells_of_lines_that_name_nothing_and_refuses_bad_ones(library, tmp_path):
    table = tmp_path / "l.csv"
    path = library.pieces()[0].path
    table.write_text(f"path,mood\n{path},Tired\n/nowhere/x.mid,Happy\n", encoding="utf-8")
    done = import_csv(library, table)
    assert (done.tagged, done.missing) == (1, [(3, "/nowhere/x.mid")])
    assert library.find(str(path)).mood == "Tired"
    table.write_text(f"path,mood\n{path},Happy\n{path},Glad\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"line 3: there is no mood 'Glad'"):
        import_csv(library, table)
    assert library.find(str(path)).mood == "Tired"  # nothing of it was taken
    table.write_text("name,mood\nx,y\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column path or content"):
        import_csv(library, table)


# ---------------------------------------------------------------- what comes along


def test_built_in_pieces_are_offered_beside_the_users(library, tmp_path, monkeypatch):
    path = song(tmp_path / "own.mid", seed=55)
    entry = describe(read(path.read_bytes()), "f" * 64, "Own")
    (tmp_path / builtin.MANIFEST).write_text(
        builtin.manifest([(entry, "own.mid", {"seed": 3})]), encoding="utf-8"
    )
    (one,) = builtin.load_builtin(tmp_path)
    assert (one.entry, one.path, one.written) == (entry, path, {"seed": 3})
    monkeypatch.setattr("videoscore.library.store.catalogue.load_builtin", lambda: (one,))
    assert [p.id for p in load(library).pieces] == [1, 2, 3, 4, 5, None]
    assert len(load(None)) == len(entry.sections)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / builtin.MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(SetupError, match="built-in"):
        builtin.load_builtin(tmp_path / "damaged")


def test_signatures_are_those_of_cue_sheets():
    from videoscore.cues.keys import signature_and_mode
    from videoscore.music.theory import key_name

    keys = np.arange(24)
    assert signature_of(keys).tolist() == [
        signature_and_mode(key_name(k % 12, k >= 12))[0] for k in keys.tolist()
    ]


@pytest.mark.slow
def test_the_script_writes_pieces_that_say_how_they_were_written(tmp_path):
    """One short piece of one mood, the better of two by the judge."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "builtin_library.py"
    run = [
        sys.executable,
        script,
        "--moods",
        "tired",
        "--pieces",
        "1",
        "--candidates",
        "2",
        "--seconds",
        "24",
    ]
    for name in ("one", "two"):
        subprocess.run(
            [*run, "--out", tmp_path / name], env=command_environment(), check=True, capture_output=True
        )
    (piece,) = builtin.load_builtin(tmp_path / "one")
    assert piece.path.read_bytes() == (tmp_path / "two" / "tired-1.mid").read_bytes()
    assert piece.entry == describe(read(piece.path.read_bytes()), digest(piece.path.read_bytes()), "Tired 1")
    takes = piece.written["takes"]
    assert [t["seed"] for t in takes] == [601000, 601001]
    assert piece.written["seed"] in [t["seed"] for t in takes]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


def test_tracks_that_are_named_by_role_are_taken_at_their_word(tmp_path):
    from handscore import hand_score

    from videoscore.music.midi import write_midi

    score = hand_score(bars=4)
    write_midi(score, tmp_path / "a.mid")
    music = read((tmp_path / "a.mid").read_bytes())
    assert sorted(zip(music.onset.tolist(), music.role.tolist(), music.pitch.tolist())) == sorted(
        (n.start, int(n.role), n.pitch) for n in score.notes
    )


# ---------------------------------------------------------------- the command


def test_the_commands_one_after_the_other(videoscore, songs, tmp_path):
    place = {"VIDEOSCORE_LIBRARY": str(tmp_path / "l.sqlite")}
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"no")
    said = videoscore("library", "add", songs, bad, "--jobs", "1", "--json", **place)
    assert said.code == 1
    assert said.result["added"] == 5
    assert said.result["skipped"] == [{"path": str(bad), "reason": "damaged, or no MIDI file"}]
    assert said.events[-2]["event"] == "progress"
    assert said.events[-2]["done"] == said.events[-2]["total"] == 6
    said = videoscore("library", "add", songs, **place)
    assert (said.code, "5 known already" in said.out) == (0, True)
    listed = videoscore("library", "list", "--json", **place).result["pieces"]
    assert len(listed) == 5
    path = listed[0]["path"]
    assert videoscore("library", "tag", path, "--mood", "tired", **place).code == 0
    shown = videoscore("library", "show", path, "--json", **place).result
    assert (shown["mood"], shown["source"], len(shown["sections"])) == ("Tired", "user", 2)
    assert [
        p["path"]
        for p in videoscore("library", "list", "--mood", "Tired", "--json", **place).result["pieces"]
        if p["source"] == "user"
    ] == [path]
    table = tmp_path / "l.csv"
    assert videoscore("library", "export", table, **place).code == 0
    with table.open(encoding="utf-8", newline="") as file:
        assert [r["path"] for r in csv.DictReader(file)] == [p["path"] for p in listed]
    assert videoscore("library", "export", table, **place).code == 4
    assert videoscore("library", "remove", path, **place).code == 0
    said = videoscore("library", "import", table, "--jobs", "1", "--json", **place)
    assert (said.code, said.result["tagged"], said.result["added"]) == (0, 1, 1)
    picture = tmp_path / "plane.png"
    said = videoscore("library", "stats", "--picture", picture, "--json", **place)
    assert (said.code, said.result["pieces"], sum(map(sum, said.result["plane"]))) == (
        0,
        5,
        said.result["sections"],
    )
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["add", "nowhere"], 3, "no such file"),
        (["show", "nothing"], 3, "no such piece"),
        (["tag", "x", "--mood", "Hapy"], 2, "Did you mean Happy?"),
        (["tag", "x"], 2, "no mood is given"),
        (["import", "none.csv"], 3, "none.csv"),
        (["add"], 2, "PATH"),
    ],
)
def test_errors_are_one_line_with_their_code(videoscore, tmp_path, words, code, hint):
    said = videoscore("library", *words, cwd=tmp_path, VIDEOSCORE_LIBRARY=str(tmp_path / "l.sqlite"))
    assert said.code == code
    assert len(said.err.strip().splitlines()) == 1
    assert hint in said.err


def test_a_library_that_cannot_be_made_is_told(videoscore, songs, tmp_path):
    (tmp_path / "file").touch()
    said = videoscore("library", "add", songs, "--library", tmp_path / "file" / "l.sqlite")
    assert said.code == 4
    assert os.listdir(tmp_path) == ["file"]
