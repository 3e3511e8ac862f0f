"""Music that is asked for without a film: as functions, and as a command with the files that it writes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoscore.cues.check import check
from videoscore.cues.sheet import CurvePoint, on_line
from videoscore.cues.wishes import Wishes, cue_sheet, read, read_roles, remarks
from videoscore.errors import NotFound, UsageError
from videoscore.mood.circle import MOODS, mood_of
from videoscore.music.score import Role
from videoscore.pipeline.without_film import read_curve, sheet_for
from videoscore.settings.fields import Options, SpotOptions

D_MINOR = {2, 4, 5, 7, 9, 10, 0, 1}  # natural, and the raised seventh


def line(*points: tuple[float, float, float]) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(Fraction(str(t)), v, a) for t, v, a in points)


def sheet_of(**words):
    return cue_sheet(read(**words))


# ---------------------------------------------------------------- a single mood


def test_a_mood_word_is_music_of_that_mood_in_one_tempo_and_key():
    sheet = sheet_of(mood="peaceful", seconds="1:00")
    (cue,) = sheet.cues
    assert (cue.mood, sheet.duration, cue.start_on) == ("Peaceful", 60, "start")
    assert mood_of(*cue.at(Fraction(30))) == "Peaceful"
    assert 70 <= cue.bpm <= 96 and cue.key.endswith("major")


def test_long_music_of_one_mood_is_parted_at_phrases_and_keeps_tempo_and_key():
    sheet = sheet_of(mood="Tired", seconds=600, tempo=61)
    assert len(sheet.cues) >= 8
    assert len({(cue.bpm, cue.key, cue.meter.beats) for cue in sheet.cues}) == 1
    assert all(cue.meter.bars % 4 == 0 for cue in sheet.cues[:-1])
    assert all(cue.duration <= 75 for cue in sheet.cues)
    assert [cue.start_on for cue in sheet.cues] == ["start"] + ["length"] * (len(sheet.cues) - 1)
    assert (
        sum(cue.meter.bars for cue in sheet.cues) * sheet.cues[0].meter.beats * 60 == 600 * sheet.cues[0].bpm
    )


def test_numbers_say_the_mood_too():
    assert [c.mood for c in sheet_of(valence=0.4, arousal="-.2", seconds=20).cues] == ["Peaceful"]
    assert sheet_of(valence=-0.5, arousal=-0.2, seconds=20).cues[0].at(Fraction(3)) == (-0.5, -0.2)


def test_the_nearest_tempo_that_fills_the_length_is_taken_and_told():
    ask = read(mood="Happy", seconds=60, tempo=97)
    sheet = cue_sheet(ask, seed=3)
    bpm = sheet.cues[0].bpm
    step = Fraction(60 * sheet.cues[0].meter.beats, 60)  # a bar more or less
    assert abs(bpm - 97) <= step / 2
    assert f"tempo {float(bpm):.2f} instead of 97" in remarks(ask, sheet)[0]
    exact = read(mood="Happy", seconds=60, tempo=96)
    assert remarks(exact, cue_sheet(exact)) == ()
    short = read(mood="Angry", seconds=2, tempo=20)
    assert "one whole bar fills 2 s" in remarks(short, cue_sheet(short))[0]


def test_a_key_that_was_asked_for_holds_whatever_the_mood():
    assert [c.key for c in sheet_of(mood="Happy", seconds=200, key="d MINOR").cues] == ["D minor"] * 3
    assert sheet_of(mood="Happy", seconds=20).cues[0].key.endswith("major")


# ---------------------------------------------------------------- curves


def test_a_curve_that_moves_is_parted_and_followed():
    ramp = line((0, -0.6, -0.6), (120, 0.6, 0.6))
    sheet = sheet_of(curve=ramp)
    assert sheet.duration == 120 and len(sheet.cues) >= 2
    moods = [cue.mood for cue in sheet.cues]
    assert moods[0] in ("Withered", "Depressed") and moods[-1] in ("Happy", "Dynamic")
    for cue in sheet.cues:
        for k in range(5):
            t = cue.start + cue.duration * k / 4
            assert cue.at(t) == pytest.approx(on_line(ramp, t), abs=0.05)
    assert sheet.cues[-1].bpm > sheet.cues[0].bpm


def test_a_step_in_a_curve_is_a_cue_boundary_there():
    step = line((0, 0.5, -0.5), (30, 0.5, -0.5), (30.01, -0.5, 0.7), (90, -0.5, 0.7))
    sheet = sheet_of(curve=step)
    assert [cue.mood for cue in sheet.cues] == ["Tired", "Angry"]
    assert abs(sheet.cues[1].start - 30) < Fraction(1, 20)


def test_a_curve_with_a_tempo_runs_at_one_tempo_and_its_cues_start_on_bars():
    step = line(
        (0, 0.5, -0.5), (30, 0.5, -0.5), (30.5, -0.5, 0.7), (90, -0.5, 0.7), (140, 0.6, 0.3), (200, 0.6, 0.3)
    )
    ask = read(curve=step, tempo=100)
    free, tied = cue_sheet(read(curve=step)), cue_sheet(ask)
    assert len(tied.cues) == len(free.cues) >= 3
    assert {cue.bpm for cue in tied.cues} == {tied.cues[0].bpm} and abs(tied.cues[0].bpm - 100) < 2
    bar = tied.cues[0].duration / tied.cues[0].meter.bars
    assert all(abs(a.start - b.start) <= bar / 2 for a, b in zip(free.cues, tied.cues))
    for cue in tied.cues:
        middle = cue.start + cue.duration / 2
        assert cue.at(middle) == pytest.approx(on_line(step, middle), abs=0.05)


def test_points_nearer_than_a_clock_can_tell_do_no_harm():
    near = line((0, 0.5, 0.5), (10, 0.5, 0.5), (10.0001, -0.5, 0.5), (10.0003, 0.5, -0.5), (30, 0.5, -0.5))
    for tempo in (None, 90):
        assert sheet_of(curve=near, tempo=tempo).duration == 30


def test_a_curve_that_hardly_moves_is_one_cue():
    assert len(sheet_of(curve=line((0, 0.3, 0.1), (60, 0.34, 0.12))).cues) == 1


def test_a_level_curve_is_music_of_one_mood():
    level = sheet_of(curve=line((0, 0.5, -0.3), (200, 0.5, -0.3)))
    assert len({cue.bpm for cue in level.cues}) == 1


def test_the_length_of_a_curve_can_be_another():
    ramp = line((0, -0.6, -0.6), (60, 0.6, 0.6))
    longer, shorter = read(curve=ramp, seconds=90), read(curve=ramp, seconds=30)
    assert cue_sheet(longer).cues[-1].at(Fraction(90)) == pytest.approx((0.6, 0.6), abs=0.03)
    assert cue_sheet(shorter).cues[-1].at(Fraction(30)) == pytest.approx((0, 0), abs=0.03)
    assert "held" in remarks(longer, cue_sheet(longer))[0]
    assert "left out" in remarks(shorter, cue_sheet(shorter))[0]


def test_a_key_goes_to_its_relative_where_the_mood_wants_the_other_mode():
    ask = read(curve=line((0, -0.6, -0.6), (60, 0.6, 0.6)), key="D minor")
    sheet = cue_sheet(ask)
    assert {cue.key for cue in sheet.cues} == {"D minor", "F major"}
    assert all(cue.key.endswith("minor") == (cue.at((cue.start + cue.end) / 2)[0] < 0) for cue in sheet.cues)
    assert "relative" in remarks(ask, sheet)[-1]


CURVES = st.lists(
    st.tuples(st.fractions(Fraction(1, 100), 40, max_denominator=1000), st.floats(-1, 1), st.floats(-1, 1)),
    min_size=2,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(
    steps=CURVES,
    tempo=st.none() | st.floats(20, 300),
    seed=st.integers(0, 5),
    seconds=st.none() | st.fractions(Fraction(1, 2), 300, max_denominator=1000),
)
def test_any_curve_gives_a_sound_sheet(steps, tempo, seed, seconds):
    now, points = Fraction(0), []
    for gap, valence, arousal in steps:
        points.append(CurvePoint(now, valence, arousal))
        now += gap
    if points[-1].t < Fraction(1, 2):
        seconds = seconds or Fraction(5)
    sheet = cue_sheet(read(curve=points, tempo=tempo, seconds=seconds), SpotOptions(), seed=seed)
    check(sheet)
    assert sheet.duration == (seconds or points[-1].t).limit_denominator(1_000_000) and sheet.seed == seed
    assert tempo is None or len({cue.bpm for cue in sheet.cues}) == 1


# ---------------------------------------------------------------- what contradicts itself


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({}, "--mood"),
        ({"mood": "Happy"}, "--seconds"),
        ({"mood": "Hapy", "seconds": 9}, "Did you mean Happy?"),
        ({"mood": "xx", "seconds": 9}, "Peaceful"),
        ({"mood": "Happy", "valence": 0.1, "seconds": 9}, "contradict"),
        ({"mood": "Happy", "curve": line((0, 0, 0), (1, 0, 0))}, "contradict"),
        ({"valence": 0.1, "seconds": 9}, "Give --arousal too"),
        ({"valence": 0.1, "arousal": 2, "seconds": 9}, "out of range"),
        ({"valence": "nan", "arousal": 0, "seconds": 9}, "out of range"),
        ({"valence": "much", "arousal": 0, "seconds": 9}, "not a number"),
        ({"mood": "Happy", "seconds": 0}, "Stay within"),
        ({"mood": "Happy", "seconds": -3}, "Stay within"),
        ({"mood": "Happy", "seconds": "-3"}, "Stay within"),
        ({"mood": "Happy", "seconds": 7 * 3600}, "six hours"),
        ({"mood": "Happy", "seconds": float("nan")}, "not a number of seconds"),
        ({"mood": "Happy", "seconds": "1e9999"}, "not a time"),
        ({"mood": "Happy", "seconds": "soon"}, "not a time"),
        ({"mood": "Happy", "seconds": 9, "key": "H minor"}, 'Write it as "D minor"'),
        ({"mood": "Happy", "seconds": 9, "key": "D"}, "--key"),
        ({"mood": "Happy", "seconds": 9, "tempo": 10}, "--tempo: 10 is out of range"),
        ({"mood": "Happy", "seconds": 9, "tempo": 301}, "300"),
        ({"curve": line((0, 0, 0))}, "one point"),
        ({"curve": line((0, 0, 0), (0, 1, 0))}, "don't increase"),
        ({"curve": line((0, 0, 0), (1, float("nan"), 0))}, "from -1 to 1"),
    ],
)
def test_wishes_that_cannot_be_met_say_why(words, hint):
    with pytest.raises(UsageError) as caught:
        read(**words)
    assert hint in str(caught.value) and caught.value.remedy and "\n" not in str(caught.value)


def test_roles_are_read():
    assert read_roles(" Melody,bass ,drums,") == {Role.MELODY, Role.BASS, Role.DRUMS}
    with pytest.raises(UsageError, match="Did you mean melody"):
        read_roles("melodie")
    with pytest.raises(UsageError, match="there is none"):
        read_roles(",")


# ---------------------------------------------------------------- CSV


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "t,valence,arousal\n0,-.5,0.25\n90.5,1,-1\n",
        "\ufeffValence;Time;Arousal;note\n-0,5;0;0,25;x\n1;1:30.5;-1;y\n\n",
        "seconds\tarousal\tvalence\r\n0\t.25\t-.5\r\n9.05e1\t-1\t1\r\n",
    ],
)
def test_a_curve_is_read_in_many_spellings(tmp_path, text):
    assert read_curve(table(tmp_path, text)) == line((0, -0.5, 0.25), (90.5, 1, -1))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no column valence and no arousal and no t"),
        ("t,valenz,arousal\n0,0,0\n", "no column valence"),
        ("t,valence,arousal\n", "holds no points"),
        ("t,valence,arousal\n0,0,0\n", "holds 1 point"),
        ("t,valence,arousal\n0,0,0\n9,nan,0\n", "line 3: valence is nan"),
        ("t,valence,arousal\n0,0,\n9,0,0\n", "line 2: arousal is empty"),
        ("t,valence,arousal\n0,0,0\n9,0,1.4\n", "2x - 1"),
        ("t,valence,arousal\n0,0,0\n9,0\n", "line 3 has only 2 fields"),
        ("t,valence,arousal\n9,0,0\n0,0,0\n", "line 3: the times don't increase"),
        ("t,valence,arousal\n0,0,0\n0,0,0\n", "Sort the lines"),
        ("t,valence,arousal\n0,0,0\nnan,0,0\n", "line 3: a time of nan"),
        ("t,valence,arousal\n-1,0,0\n1,0,0\n", "line 2: a time of -1"),
        ("t,valence,arousal\nnow,0,0\n1,0,0\n", "line 2"),
    ],
)
def test_a_wrong_table_names_the_line(tmp_path, text, hint):
    path = table(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_curve(path)
    assert hint in str(caught.value) and caught.value.path == path and caught.value.remedy


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(NotFound):
        read_curve(tmp_path / "none.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x81" * 9)
    with pytest.raises(UsageError, match="UTF-8"):
        read_curve(tmp_path / "x.csv")


def test_the_source_is_the_curve(tmp_path):
    sheet, _ = sheet_for(Options(seed=4), curve=table(tmp_path, "t,valence,arousal\n0,0.1,0.2\n9,0.1,0.3\n"))
    assert (sheet.source, sheet.seed, sheet.duration) == ("curve.csv", 4, 9)


# ---------------------------------------------------------------- the command


def length_of(path: Path) -> Fraction:
    """Exact seconds of a MIDI file to its last end of track."""
    file = mido.MidiFile(path)
    ticks = max(sum(m.time for m in track) for track in file.tracks)
    seconds, now, tempo = Fraction(0), 0, 500_000
    for message in file.tracks[0]:
        seconds += Fraction(message.time * tempo, file.ticks_per_beat * 1_000_000)
        now += message.time
        tempo = message.tempo if message.type == "set_tempo" else tempo
    return seconds + Fraction((ticks - now) * tempo, file.ticks_per_beat * 1_000_000)


def pitches(path: Path) -> list[int]:
    return [
        m.note
        for track in mido.MidiFile(path).tracks
        for m in track
        if m.type == "note_on" and m.velocity and m.channel != 9
    ]


def names(path: Path) -> set[str]:
    return {track.name for track in mido.MidiFile(path).tracks[1:]}


def test_compose_writes_what_was_asked_for(videoscore, tmp_path):
    words = [
        "compose",
        "--mood",
        "withered",
        "--seconds",
        "12.3",
        "--key",
        "D minor",
        "--tempo",
        "78",
        "--roles",
        "melody,bass,drums",
        "--seed",
        "5",
        "--json",
    ]
    said = videoscore(*words, "-o", tmp_path / "a.mid", "--cues", tmp_path / "a.cues.json")
    assert said.code == 0, said.err
    (cue,) = said.result["plan"]
    assert "tempo" in said.result["remarks"][0]
    assert abs(length_of(tmp_path / "a.mid") - Fraction("12.3")) < Fraction(1, 1000)
    assert abs(cue["bpm"] - 78) < 6 and cue["key"] == "D minor"
    tempo = next(m.tempo for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "set_tempo")
    assert 60e6 / tempo == pytest.approx(cue["bpm"], abs=0.01)
    notes = pitches(tmp_path / "a.mid")
    assert sum(note % 12 in D_MINOR for note in notes) > 0.9 * len(notes) > 10
    assert names(tmp_path / "a.mid") == {"melody", "bass", "drums"}
    # the sheet that was written gives the same music
    videoscore("compose", tmp_path / "a.cues.json", "--roles", "melody,bass,drums", "-o", tmp_path / "c.mid")
    assert (tmp_path / "c.mid").read_bytes() == (tmp_path / "a.mid").read_bytes()
    videoscore(*words, "--seed", "6", "-o", tmp_path / "d.mid")
    assert (tmp_path / "d.mid").read_bytes() != (tmp_path / "a.mid").read_bytes()


def test_compose_from_the_curve_that_analyze_writes(videoscore, film, tmp_path):
    videoscore("analyze", film.path, "-o", tmp_path / "curve.csv")
    said = videoscore(
        "compose",
        "--curve",
        tmp_path / "curve.csv",
        "--seconds",
        "4",
        "-o",
        tmp_path / "a.mid",
        "--played",
        "--preset",
        "piano",
    )
    assert said.code == 0, said.err
    assert length_of(tmp_path / "a.mid") == pytest.approx(4, abs=1e-3)
    assert names(tmp_path / "a.mid") == {"piano"} and "held to the end" in said.err


CONTRADICTIONS = [
    (["--mood", "Happy", "--seconds", "9"], "-o"),
    (["{cues}", "--mood", "Happy", "-o", "x.mid"], "--mood has no effect with the cue sheet"),
    (["{cues}", "--tempo", "90", "-o", "x.mid"], "--tempo has no effect"),
    (["{cues}", "--min-cue", "9", "-o", "x.mid"], "--min-cue has no effect"),
    (["{cues}", "--cues", "y.json", "-o", "x.mid"], "--cues has no effect"),
    (["--mood", "Hapy", "--seconds", "9", "-o", "x.mid"], "Did you mean Happy?"),
    (["--mood", "Happy", "--seconds", "-9", "-o", "x.mid"], "Stay within"),
    (["--mood", "Happy", "--seconds", "9", "--roles", "flute", "-o", "x.mid"], "no role 'flute'"),
    (
        [
            "--mood",
            "Happy",
            "--seconds",
            "9",
            "--roles",
            "drums",
            "--preset",
            "piano",
            "--played",
            "-o",
            "x.mid",
        ],
        "nobody plays drums",
    ),
    (["--curve", "{table}", "-o", "x.mid"], "line 3"),
    (["-o", "x.mid"], "nothing says what to write"),
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A cue sheet and a curve with a fault in the working folder."""
    from videoscore.cues.file.sheet_file import save

    save(sheet_of(mood="Happy", seconds=9), tmp_path / "h.cues.json")
    table(tmp_path, "t,valence,arousal\n0,0,0\n9,nan,0\n")
    monkeypatch.chdir(tmp_path)
    return {"cues": "h.cues.json", "table": "curve.csv"}


@pytest.mark.parametrize(("words", "hint"), CONTRADICTIONS)
def test_contradictions_are_usage_errors(files, words, hint):
    from videoscore.cli.main import commands
    from videoscore.cli.teller import Teller

    with pytest.raises(UsageError) as caught:
        commands.main(["compose", *(w.format(**files) for w in words)], standalone_mode=False, obj=Teller())
    assert hint in str(caught.value) and caught.value.exit_code == 2
    assert not Path("x.mid").exists()


@pytest.mark.parametrize(("words", "hint"), CONTRADICTIONS[1:3])
def test_contradictions_cost_one_line_and_code_2(videoscore, files, words, hint):
    said = videoscore("compose", *(w.format(**files) for w in words))
    assert said.code == 2 and not Path("x.mid").exists()
    assert len(said.err.strip().splitlines()) == 1 and hint in said.err


def test_from_python(monkeypatch):
    import videoscore

    music = videoscore.write_music(mood="Angry", seconds=6, seed=2, preset="piano", roles="melody,bass")
    assert music.score.duration == 6 and {note.role for note in music.score.notes} <= {Role.MELODY, Role.BASS}
    assert music.sheet.preset == "piano" and [p.name for p in music.arrangement.parts] == ["piano"]
    assert set(music.seconds) == {"compose", "orchestrate"} and isinstance(music.remarks, tuple)


def test_moods_are_all_accepted():
    assert [sheet_of(mood=mood.upper(), seconds=12).cues[0].mood for mood in MOODS] == list(MOODS)
    assert isinstance(read(mood="Happy", seconds=1), Wishes)


def test_the_plan_tells_the_mean_over_time():
    from videoscore.text.tables import cue_row

    crowded = line((0, 0.4, 0.1), (20, 0.4, 0.1), (20.5, 0.4, 0.16), (21, 0.4, 0.22), (21.5, 0.4, 0.3))
    (cue,) = sheet_of(curve=crowded).cues
    assert cue_row(cue)["arousal"] == pytest.approx(0.107, abs=0.01)
