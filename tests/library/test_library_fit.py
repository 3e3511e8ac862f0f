"""Pieces on the bar grid of cues: from files to a score, over drawn cue sheets; and the ways in from outside."""

from __future__ import annotations

import dataclasses
import json
import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import run_ffmpeg
from sheets import cue, sheets, two_cues
from songs import shelf, song

from videoscore.cues.check import check
from videoscore.cues.file.sheet_file import dumps, loads, save
from videoscore.cues.sheet import CueSheet, Meter
from videoscore.errors import InputError, NotFound
from videoscore.library.add import add
from videoscore.library.read.read import read
from videoscore.library.select.fit import fit, untangle
from videoscore.library.select.pick import Pick
from videoscore.library.select.ranking import dominant, m3u, rank
from videoscore.library.select.select import bar_words, film_of, play, reasons, remember, select
from videoscore.library.store.catalogue import Piece
from videoscore.library.store.database import Library
from videoscore.mood.circle import MOODS, centre
from videoscore.mood.curve import MoodCurve
from videoscore.music.midi import to_bytes
from videoscore.music.score import PPQ, Note, Role, Score
from videoscore.music.theory import parse_key
from videoscore.settings.fields import LibraryOptions


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    shelf(folder, 6)
    song(folder / "waltz.mid", beats=7, denominator=8, bars=24, bpm=100, seed=40)
    song(folder / "six.mid", beats=3, denominator=8, bars=32, bpm=70, seed=41, mode="minor")
    with Library(folder / "l.sqlite") as library:
        assert add(library, [folder], 2).added == 8
    return folder / "l.sqlite"


def options(place: Path, **more) -> LibraryOptions:
    return LibraryOptions(**{"music": "select", "path": str(place), "builtin": False, **more})


def no_composer(sheet: CueSheet) -> Score:
    raise AssertionError("nothing is to be written")


def check_score(sheet: CueSheet, music: Score) -> None:
    """What a score owes its cue sheet, whoever wrote it."""
    assert music.duration == sheet.duration
    assert abs(music.tempo.seconds(music.sections[-1].end) - sheet.duration) < Fraction(1, 1000)
    for one, section in zip(sheet.cues, music.sections):
        assert abs(music.tempo.seconds(section.start) - one.start) < Fraction(1, 1000)
        assert section.end - section.start == one.meter.bars * one.meter.beats * PPQ
    assert list(music.notes) == sorted(music.notes)
    edges = [s.start for s in music.sections] + [music.sections[-1].end]
    for n in music.notes:
        end = next(e for e in edges if e > n.start)
        assert 0 < n.duration <= end - n.start
        assert 0 <= n.pitch <= 127
        assert 1 <= n.velocity <= 127
    lines: dict[tuple, int] = {}
    for n in music.notes:
        assert n.start >= lines.get((n.role, n.pitch), 0)
        lines[(n.role, n.pitch)] = n.start + n.duration


@given(sheet=sheets(most_cues=4, longest=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sheet_is_filled_exactly(place, sheet):
    chosen = select(sheet, options(place))
    check(chosen.sheet)
    assert loads(dumps(chosen.sheet)) == chosen.sheet
    music = play(chosen, no_composer)
    check_score(chosen.sheet, music)
    assert len(chosen.remarks) == len(sheet.cues)
    for before, after, pick in zip(sheet.cues, chosen.sheet.cues, chosen.picks):
        assert (before.start, before.end, before.mood) == (after.start, after.end, after.mood)
        assert -3 <= pick.semitones <= 3
        assert float(after.bpm) == pytest.approx(float(after.bpm))
        if after.meter.bars * after.meter.beats >= 8:
            assert 1 / 1.081 <= pick.stretch <= 1.081
    for one, other in pairwise(chosen.picks):
        assert one.piece != other.piece
    assert to_bytes(play(select(sheet, options(place)), no_composer)) == to_bytes(music)


def one_cue(seconds=16, mood="Happy", bars=8, beats=4, **more) -> CueSheet:
    return CueSheet("f", Fraction(seconds), (cue("1M1", 0, seconds, mood, bars, beats, **more),))


def picked(bars, key="C major", semitones=0, meter=None) -> Pick:
    meter = meter or Meter(8, 4)
    return Pick(Piece("0" * 64, "x", Path("x"), 1, 0.0, 0), tuple(bars), meter, 1.0, semitones, key, 0.0, {})


def test_bars_keep_their_notes_and_are_moved(tmp_path):
    music = read(song(tmp_path / "a.mid", bars=12, drums=True).read_bytes())
    one = one_cue(bars=4, seconds=8).cues[0]
    notes = fit(one, picked(range(4, 8), semitones=2, meter=Meter(4, 4)), music, "C major", flows_on=True)
    inside = [
        (int(t) - 4 * 1920, int(r), int(p) + 2 * (r != Role.DRUMS), int(d))
        for t, r, p, d in zip(music.onset, music.role, music.pitch, music.duration)
        if 4 * 1920 <= t < 8 * 1920
    ]
    assert sorted((n.start, int(n.role), n.pitch, n.duration) for n in notes) == sorted(inside)


def test_a_jump_cuts_what_would_sound_over_it(tmp_path):
    music = read(song(tmp_path / "a.mid", bars=12).read_bytes())
    long = dataclasses.replace(music, duration=np.where(music.role == Role.BASS, 4 * 1920, music.duration))
    one = one_cue(bars=4, seconds=8).cues[0]
    notes = fit(one, picked((4, 5, 4, 5), meter=Meter(4, 4)), long, "C major", flows_on=True)
    for n in notes:
        assert n.start + n.duration <= (2 if n.start < 2 * 1920 else 4) * 1920
    first = [dataclasses.replace(n, start=n.start + 2 * 1920) for n in notes if n.start < 2 * 1920]
    assert first == [n for n in notes if n.start >= 2 * 1920]


def test_a_held_note_is_struck_where_the_cut_begins(tmp_path):
    music = read(song(tmp_path / "a.mid", bars=12).read_bytes())
    held = dataclasses.replace(
        music,
        duration=np.where((music.role == Role.BASS) & (music.onset == 3 * 1920), 3 * 1920, music.duration),
    )
    notes = fit(
        one_cue(bars=2, seconds=4).cues[0], picked((4, 5), meter=Meter(2, 4)), held, "C major", flows_on=True
    )
    pitch = int(music.pitch[(music.role == Role.BASS) & (music.onset == 3 * 1920)][0])
    carried = [n for n in notes if n.role == Role.BASS and n.start == 0 and n.pitch == pitch]
    assert carried
    assert carried[0].duration >= 1920


def test_a_cue_ends_on_the_dominant_of_the_next_key(tmp_path):
    music = read(song(tmp_path / "a.mid", bars=12, each=2).read_bytes())
    one = one_cue(bars=8).cues[0]
    notes = fit(one, picked(range(8)), music, "E minor")
    tail = [n for n in notes if n.start >= 8 * 1920 - 960 and n.role != Role.DRUMS]
    assert tail
    assert {n.pitch % 12 for n in tail} <= {11, 3, 6, 9}  # B D# F# A
    assert all(n.pitch % 12 in {11, 3, 6, 9} for n in notes if n.start + n.duration > 8 * 1920 - 960)
    flowing = fit(one, picked(range(8)), music, "E minor", flows_on=True)
    assert [(n.start, n.role, n.pitch) for n in notes if n.start < 8 * 1920 - 960] == [
        (n.start, n.role, n.pitch) for n in flowing if n.start < 8 * 1920 - 960
    ]


@pytest.mark.parametrize(
    ("key", "triad"), [("C major", {0, 4, 7}), ("A minor", {9, 0, 4}), ("Eb major", {3, 7, 10})]
)
def test_the_last_cue_ends_on_its_tonic_chord_held(tmp_path, key, triad):
    music = read(song(tmp_path / "a.mid", bars=12, tonic=parse_key(key)[0], mode=key.split()[1]).read_bytes())
    notes = fit(one_cue(bars=8).cues[0], picked(range(8), key), music, None)
    last = [n for n in notes if n.start + n.duration > 7 * 1920]
    assert {n.pitch % 12 for n in last} == triad
    assert {n.start for n in last} == {7 * 1920}
    assert {Role.BASS, Role.MELODY} <= {n.role for n in last}
    assert min(last, key=lambda n: n.pitch).pitch % 12 == parse_key(key)[0]
    quiet = (8 * 1920 - max(n.start + n.duration for n in last)) / 1920 * 2  # seconds: a bar lasts two
    assert 0.5 < quiet <= 0.75


def test_a_piece_that_ends_there_keeps_its_own_end(tmp_path):
    music = read(song(tmp_path / "a.mid", bars=8).read_bytes())
    own = fit(one_cue(bars=8).cues[0], picked(range(8)), music, None)
    assert len({n.start for n in own if n.start >= 7 * 1920}) == 4  # the tune goes on to its end
    other = fit(
        one_cue(bars=8).cues[0], picked(range(8), "G major"), music, None
    )  # its tonic isn't in the bass
    assert len({n.start for n in other if n.start >= 7 * 1920}) == 1


@given(
    st.lists(
        st.builds(
            Note,
            st.integers(0, 40),
            st.sampled_from([Role.MELODY, Role.PAD]),
            st.integers(60, 62),
            st.integers(1, 30),
            st.integers(1, 127),
        ),
        max_size=30,
    )
)
def test_untangled_notes_never_overlap_on_a_key(notes):
    out = untangle(notes)
    assert {(n.role, n.pitch, n.start) for n in out} == {(n.role, n.pitch, n.start) for n in notes}
    ends: dict[tuple, int] = {}
    for n in out:
        assert n.duration > 0
        assert n.start >= ends.get((n.role, n.pitch), 0)
        ends[(n.role, n.pitch)] = n.start + n.duration


# ---------------------------------------------------------------- from the database


def test_a_film_goes_on_choosing_the_same_for_itself_and_something_else_for_others(place, tmp_path):
    own = tmp_path / "l.sqlite"
    shutil.copy(place, own)
    wishes = options(own, recency=5.0)
    first = select(two_cues(), wishes)
    remember(first, wishes)
    assert [p.piece for p in select(two_cues(), wishes).picks] == [p.piece for p in first.picks]
    other = dataclasses.replace(two_cues(), source="other.mp4")
    assert not {p.piece.content for p in select(other, wishes).picks} & {p.piece.content for p in first.picks}
    with Library(own) as library:
        assert set(library.recent(film_of(other))) == {p.piece.content for p in first.picks}


def test_files_that_are_gone_are_passed_over_and_told_of(place, tmp_path):
    folder = tmp_path / "songs"
    shelf(folder, 4)
    with Library(tmp_path / "l.sqlite") as library:
        add(library, [folder], 1)
    wishes = options(tmp_path / "l.sqlite")
    gone = select(two_cues(), wishes).picks[0].piece
    gone.path.unlink()
    after = select(two_cues(), wishes)
    assert gone not in [p.piece for p in after.picks]
    assert "no longer where" in after.remarks[-1]
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="no piece of the library can fill"):
        select(two_cues(), wishes)


def test_a_piece_that_was_changed_is_refused_when_it_is_played(tmp_path):
    path = song(tmp_path / "a.mid")
    with Library(tmp_path / "l.sqlite") as library:
        add(library, [path], 1)
    chosen = select(one_cue(), options(tmp_path / "l.sqlite"))
    song(path, seed=5)
    with pytest.raises(InputError, match="changed since it was added"):
        play(chosen, no_composer)


def test_a_library_that_is_named_and_missing_is_an_error_and_an_empty_one_too(tmp_path):
    with pytest.raises(NotFound):
        select(two_cues(), options(tmp_path / "none.sqlite"))
    with Library(tmp_path / "l.sqlite"), pytest.raises(InputError, match="empty"):
        select(two_cues(), options(tmp_path / "l.sqlite"))
    assert select(two_cues(), options(tmp_path / "l.sqlite", music="auto")).picks == (None, None)


def test_auto_puts_written_cues_between_chosen_ones(place):
    from handscore import hand_score

    sheet = CueSheet(
        "f",
        Fraction(60),
        tuple(
            cue(f"1M{k}", 20 * k, 20 * k + 20, mood, 8)
            for k, mood in enumerate(("Happy", "Anxiety", "Happy"))
        ),
    )
    chosen = select(sheet, options(place))
    mixed = dataclasses.replace(
        chosen,
        picks=(chosen.picks[0], None, chosen.picks[2]),
        sheet=dataclasses.replace(
            chosen.sheet, cues=(chosen.sheet.cues[0], sheet.cues[1], chosen.sheet.cues[2])
        ),
    )
    asked = []

    def composer(wanted: CueSheet) -> Score:
        asked.append(wanted)
        from videoscore.cues.grid import sections, tempo_map

        places = sections(wanted)
        notes = hand_score(bars=8, moods=("Anxiety",)).notes
        return Score(
            tuple(dataclasses.replace(n, start=n.start + places[1].start) for n in notes),
            places,
            tempo_map(wanted),
            wanted.duration,
        )

    music = play(mixed, composer)
    check_score(mixed.sheet, music)
    assert asked == [mixed.sheet]
    middle = music.sections[1]
    assert [
        dataclasses.replace(n, start=n.start - middle.start)
        for n in music.notes
        if middle.start <= n.start < middle.end
    ] == list(hand_score(bars=8, moods=("Anxiety",)).notes)
    assert [r["music"] for r in reasons(mixed.sheet, mixed.picks)] == ["select", "generate", "select"]


def test_only_the_roles_that_are_asked_for_are_played(place):
    music = play(select(two_cues(), options(place)), no_composer, frozenset({Role.MELODY, Role.BASS}))
    assert {n.role for n in music.notes} == {Role.MELODY, Role.BASS}


def test_bars_are_spoken_as_people_count_them():
    assert bar_words((8, 9, 10, 8, 9, 3)) == "9-11, 9-10, 4"


# ---------------------------------------------------------------- playlists


def curve_of(*moods: str, confidence=0.9) -> tuple[MoodCurve, dict[str, np.ndarray]]:
    points = np.array([centre(m) for m in moods])
    likely = np.array([[0.65 if m == one else 0.05 for one in MOODS] for m in moods])
    n = len(moods)
    curve = MoodCurve(np.arange(n, dtype=float), points[:, 0], points[:, 1], likely, np.full(n, confidence))
    return curve, {"scene": np.ones(n), "face": np.zeros(n), "held": np.zeros(n)}


def test_the_dominant_emotion_is_that_of_most_evidence():
    curve, shares = curve_of("Angry", "Tired", "Tired", "Angry", "Tired")
    assert dominant(curve, shares).mood == "Tired"
    held = shares | {"held": np.array([0.0, 1, 1, 0, 1])}
    found = dominant(curve, held)
    assert (found.mood, found.seen, found.faces) == ("Angry", pytest.approx(0.4), 0.0)
    assert (found.valence, found.arousal) == pytest.approx(centre("Angry"))


def test_where_no_mood_was_read_there_is_none():
    curve, shares = curve_of("Angry", "Tired")
    assert dominant(curve, shares | {"held": np.ones(2)}) is None
    assert dominant(*curve_of("Angry", confidence=0.0)) is None


def test_playlists_go_from_near_to_far_and_hold_files(place):
    with Library(place) as library:
        pieces = library.pieces()
    emotion = dominant(*curve_of("Happy", "Happy"))
    tracks = rank(emotion, pieces, (), 5)
    assert len(tracks) == 5
    order = [(t.mood != "Happy", t.distance) for t in tracks]
    assert order == sorted(order)
    lines = m3u(tracks).splitlines()
    assert lines[0] == "#EXTM3U"
    assert [Path(line).is_file() for line in lines[2::2]] == [True] * 5
    assert lines[1] == f"#EXTINF:{round(tracks[0].seconds)},{tracks[0].title}"


# ---------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def black(tmp_path_factory) -> Path:
    """Two black seconds."""
    path = tmp_path_factory.mktemp("black") / "black.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "color=black:size=160x90:rate=10:duration=2", "-c:v", "libx264", path)
    return path


def test_match_explains_and_compose_plays_what_it_chose(videoscore, place, tmp_path):
    sheet = tmp_path / "film.cues.json"
    save(two_cues(), sheet)
    said = videoscore(
        "library", "match", sheet, "--library", place, "--builtin-music", "false", "--json"
    ).result
    assert [p["music"] for p in said["picks"]] == ["select", "select"]
    for p in said["picks"]:
        assert sum(p["terms"].values()) == pytest.approx(p["cost"], abs=0.01)
    words = videoscore("library", "match", sheet, "--library", place, "--explain").out
    assert "costs" in words
    assert "mood" in words
    made = videoscore(
        "compose", sheet, "--music", "select", "--library", place, "--builtin-music", "false", "--json"
    )
    assert made.code == 0, made.err
    assert Path(made.result["output"]).read_bytes() == to_bytes(
        play(select(dataclasses.replace(two_cues()), options(place)), no_composer)
    )
    assert [r["key"] for r in made.result["plan"]] == [p["key"] for p in said["picks"]]
    idle = videoscore("compose", sheet, "--match-near", "1", "--overwrite")
    assert (idle.code, "no effect with --music generate" in idle.err) == (2, True)
    refused = videoscore("compose", sheet, "--music", "chose")
    assert (refused.code, "select" in refused.err) == (2, True)


def test_a_film_is_scored_from_the_library_with_reasons(videoscore, film, place, tmp_path):
    own = tmp_path / "l.sqlite"
    shutil.copy(place, own)
    output = tmp_path / "scored.mp4"
    said = videoscore(
        film.path,
        "-o",
        output,
        "--music",
        "select",
        "--library",
        own,
        "--explain",
        "--keep",
        "midi",
        "--json",
    )
    assert said.code == 0, said.err
    result = said.result
    assert output.is_file()
    assert all(row["music"] == "select" for row in result["music"])
    sheet = json.loads(Path(result["kept"]["cues"]).read_text(encoding="utf-8"))
    assert [c["key"] for c in sheet["cues"]] == [row["key"] for row in result["music"]]
    assert any("from the library" in remark for remark in result["remarks"])
    with Library(own) as library:
        assert library.recent("another")
    assert [row["cue"] for row in result["reasons"]] == [row["cue"] for row in result["music"]]
    assert videoscore(film.path, "-o", output, "--match-near", "1", "--overwrite").code == 2


def test_a_clip_gets_a_playlist_or_hears_why_not(videoscore, film, black, place, tmp_path):
    target = tmp_path / "list.json"
    assert videoscore("playlist", film.path, "--library", place, "-o", target, "--count", "3").code == 0
    listed = json.loads(target.read_text(encoding="utf-8"))
    assert (len(listed["tracks"]), listed["emotion"]["mood"] in MOODS) == (3, True)
    assert "no face was found: the emotion is that of the scenes" in listed["remarks"]
    said = videoscore("playlist", black, "--library", place)
    assert (said.code, "no picture of it shows a mood" in said.err) == (6, True)
