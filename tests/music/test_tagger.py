"""Features of passages, and the tagger and judges that read valence and arousal from them."""

from __future__ import annotations

import tarfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import DATA

from videoscore.errors import InputError, NotFound, SetupError
from videoscore.music import features as F
from videoscore.music.score import PPQ, Note, Role, Score, Section, TempoMap
from videoscore.music.tagger import Tagger, midi_arrays, note_arrays, tag_score, tag_sections

MODELS = ("tagger", "judge", "judge_blind")
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)


def passage(
    mode: tuple[int, int, int],
    beat: float,
    bars: int = 8,
    velocity: int = 80,
    tonic: int = 60,
    spread: float = 0.9,
) -> F.NoteArrays:
    """I-IV-V-I in four beats a bar: chords below, a broken chord on top; `beat` seconds long each."""
    rows = []
    for b in range(bars):
        root = tonic + (0, 5, 7, 0)[b % 4]
        third = 4 if b % 4 == 2 else mode[1]
        start = 4 * b * beat
        rows += [(start, 4 * beat * spread, root - 12 + k) for k in (0, third, 7)]
        rows += [(start + k * beat, beat * spread, root + 12 + (0, third, 7, third)[k]) for k in range(4)]
    onset, duration, pitch = np.array(rows).T
    return F.NoteArrays(onset, duration, pitch.astype(int), np.full(len(rows), velocity))


def named(notes: F.NoteArrays, names: tuple[str, ...] = F.FULL) -> dict[str, float]:
    return dict(zip(names, F.extract(notes, names=names)))


# ---- features


def test_feature_sets_are_nested_and_blind_is_blind() -> None:
    assert set(F.BLIND) < set(F.SCORE) < set(F.FULL)
    assert len(set(F.FULL)) == len(F.FULL)
    assert not {*F.DENSITY, *F.VELOCITY} & set(F.BLIND)


@settings(max_examples=30, deadline=None)
@given(st.integers(-24, 24))
def test_transposition_moves_registers_and_nothing_else(up: int) -> None:
    notes = passage(MINOR, 0.5)
    a, b = named(notes), named(F.NoteArrays(notes.onset, notes.duration, notes.pitch + up, notes.velocity))
    moved = {"pitch", "pitch_low", "pitch_high", "bass", "top"}
    absolute = {"low_share", "high_share"}
    for name in F.FULL:
        if name in moved:
            assert b[name] == pytest.approx(a[name] + up)
        elif name not in absolute:
            assert b[name] == pytest.approx(a[name]), name


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 1.6), st.integers(1, 127))
def test_blind_features_ignore_speed_and_loudness(stretch: float, velocity: int) -> None:
    a = passage(MAJOR, 0.4)
    b = passage(MAJOR, 0.4 * stretch, velocity=velocity)
    assert F.extract(b, names=F.BLIND) == pytest.approx(F.extract(a, names=F.BLIND), abs=1e-9)


def test_features_say_what_they_are_named_after() -> None:
    major, minor = named(passage(MAJOR, 0.5)), named(passage(MINOR, 0.5))
    assert major["mode"] > 0 > minor["mode"] and major["third"] > 0.1 > -0.1 > minor["third"]
    assert major["in_key"] == pytest.approx(1.0) and major["major_triads"] > 0.9 > minor["major_triads"]
    assert minor["minor_triads"] > 0.7
    slow, fast = named(passage(MAJOR, 1.0)), named(passage(MAJOR, 0.25))
    # the last notes fall silent before the bar is over, hence not exactly four times as many
    assert np.expm1(fast["note_rate"]) == pytest.approx(4 * np.expm1(slow["note_rate"]), rel=0.05)
    assert fast["gap"] == pytest.approx(slow["gap"] - np.log(4))
    assert named(passage(MAJOR, 0.5, spread=0.2))["articulation"] < 0.5 < major["articulation"]
    assert major["pattern_repeats"] > 0.5 and major["gap_variation"] == pytest.approx(0.0, abs=1e-9)
    rng = np.random.default_rng(0)
    noise = F.NoteArrays(np.arange(60) * 0.3, np.full(60, 0.2), rng.integers(40, 88, 60), None)
    wild = named(noise, F.SCORE)
    assert wild["entropy"] > 3.2 > major["entropy"] and wild["pattern_repeats"] < 0.1
    assert wild["in_key"] < 0.85


note = st.tuples(st.floats(0, 60), st.floats(0, 20), st.integers(0, 127), st.integers(1, 127))


@settings(max_examples=60, deadline=None)
@given(st.lists(note, min_size=1, max_size=40), st.randoms())
def test_any_notes_give_finite_features_in_any_order(rows: list, random) -> None:
    def arrays() -> F.NoteArrays:
        onset, duration, pitch, velocity = np.array(rows, float).T
        return F.NoteArrays(onset, duration, pitch.astype(int), velocity)

    first = F.extract(arrays())
    assert np.isfinite(first).all()
    for name in MODELS:
        assert all(-1 <= value <= 1 for value in Tagger.load(name).predict(arrays()))
    if len({(r[0], r[2]) for r in rows}) == len(rows):
        random.shuffle(rows)
        assert F.extract(arrays()) == pytest.approx(first)


def test_no_notes_and_missing_velocities_are_refused() -> None:
    empty = F.NoteArrays(*np.zeros((3, 0)))
    with pytest.raises(ValueError, match="no notes"):
        F.extract(empty, names=F.SCORE)
    silent = passage(MAJOR, 0.5)
    with pytest.raises(ValueError, match="velocities"):
        F.extract(F.NoteArrays(silent.onset, silent.duration, silent.pitch), names=F.FULL)


# ---- models


@pytest.mark.parametrize(
    ("name", "golden"),
    [("tagger", (-0.7396, -0.2896)), ("judge", (-0.1869, -0.4442)), ("judge_blind", (-0.1442, 0.1005))],
)
def test_golden_output(name: str, golden: tuple[float, float]) -> None:
    assert Tagger.load(name).predict(passage(MINOR, 0.45, tonic=57)) == pytest.approx(golden, abs=2e-4)


@pytest.mark.parametrize("name", ["tagger", "judge"])
def test_fast_major_is_happier_and_more_aroused_than_slow_minor(name: str) -> None:
    model = Tagger.load(name)
    for tonic in range(54, 66):
        happy = model.predict(passage(MAJOR, 0.25, bars=16, velocity=110, tonic=tonic))
        sad = model.predict(passage(MINOR, 0.9, velocity=50, tonic=tonic))
        assert happy[0] > sad[0] + 0.2 and happy[1] > sad[1] + 0.5, tonic


@pytest.mark.parametrize("name", MODELS)
def test_mode_alone_moves_valence(name: str) -> None:
    model = Tagger.load(name)
    gains = [
        model.predict(passage(MAJOR, 0.5, tonic=t))[0] - model.predict(passage(MINOR, 0.5, tonic=t))[0]
        for t in range(54, 66)
    ]
    assert min(gains) > 0.1


def test_the_blind_judge_cannot_be_pleased_by_speed_or_loudness() -> None:
    judge = Tagger.load("judge_blind")
    calm, driven = passage(MAJOR, 0.6, velocity=40), passage(MAJOR, 0.3, velocity=120)
    assert judge.predict(calm) == pytest.approx(judge.predict(driven), abs=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_models_know_how_good_they_are(name: str) -> None:
    ceiling = Tagger.load(name).ceiling
    assert 0.7 < ceiling["valence"] < 1 and 0.7 < ceiling["arousal"] < 1 and 0.5 < ceiling["quadrant"] < 1


def test_a_model_survives_saving(tmp_path: Path) -> None:
    model = Tagger.load("tagger")
    model.save(tmp_path / "copy.safetensors")
    again = Tagger.load("copy", tmp_path)
    notes = passage(MAJOR, 0.5)
    assert again.predict(notes) == model.predict(notes)
    assert again.names == model.names and again.ceiling == model.ceiling
    assert [p.name for p in tmp_path.iterdir()] == ["copy.safetensors"]


def test_missing_and_broken_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="none.safetensors"):
        Tagger.load("none", tmp_path)
    (tmp_path / "bad.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(SetupError, match="Install videoscore again"):
        Tagger.load("bad", tmp_path)


# ---- scores and files


def two_sections() -> Score:
    """Sixteen fast major bars, then nine slow minor ones, and drums all the way."""
    notes, sections, at = [], [], 0
    for name, mode, bars in (("A", MAJOR, 16), ("B", MINOR, 9)):
        source = passage(mode, 1.0, bars=bars)
        for onset, length, pitch in zip(source.onset, source.duration, source.pitch):
            notes.append(Note(at + round(onset * PPQ), Role.MELODY, int(pitch), round(length * PPQ), 80))
        notes += [Note(at + k * PPQ, Role.DRUMS, 36, 60, 100) for k in range(4 * bars)]
        end = at + bars * 4 * PPQ
        sections.append(Section(name, "Happy", 0.5, 0.5, "C major", at, end, bars, 4))
        at = end
    tempo = TempoMap(((0, 300_000), (sections[1].start, 900_000)))
    return Score(tuple(sorted(notes)), tuple(sections), tempo, tempo.seconds(at))


def test_a_score_is_tagged_section_by_section() -> None:
    score, tagger = two_sections(), Tagger.load("tagger")
    assert score.duration == Fraction(4 * (16 * 3 + 9 * 9), 10)
    tags = tag_score(score, tagger)
    assert [(t.name, (t.end - t.start) // (4 * PPQ)) for t in tags] == [("A", 8), ("A", 8), ("B", 9)]
    means = tag_sections(score, tagger)
    assert means["A"].valence > means["B"].valence and means["A"].arousal > means["B"].arousal
    assert means["A"].arousal == pytest.approx((tags[0].affect.arousal + tags[1].affect.arousal) / 2)
    undrummed = Score(
        tuple(n for n in score.notes if n.role != Role.DRUMS), score.sections, score.tempo, score.duration
    )
    assert tag_score(undrummed, tagger) == tags
    with pytest.raises(ValueError, match="at least one bar"):
        tag_score(score, tagger, 0)


def test_a_section_without_pitched_notes_has_no_tag() -> None:
    score = two_sections()
    late = tuple(n for n in score.notes if n.start >= score.sections[1].start or n.role == Role.DRUMS)
    assert set(
        tag_sections(Score(late, score.sections, score.tempo, score.duration), Tagger.load("tagger"))
    ) == {"B"}


def test_a_midi_file_reads_like_its_score(tmp_path: Path) -> None:
    from videoscore.music.midi import write_midi

    score = two_sections()
    write_midi(score, tmp_path / "score.mid")
    read, own = midi_arrays(tmp_path / "score.mid"), note_arrays(score)
    assert len(read) == len(own)
    tagger = Tagger.load("tagger")
    assert tagger.predict(read) == pytest.approx(tagger.predict(own), abs=1e-3)
    (tmp_path / "text.mid").write_text("no notes here")
    with pytest.raises(InputError, match="standard MIDI"):
        midi_arrays(tmp_path / "text.mid")
    with pytest.raises(NotFound):
        midi_arrays(tmp_path / "none.mid")


# ---- training


def unpack(name: str, to: Path) -> None:
    archive = DATA / "music" / f"{name}.tar.xz"
    if not archive.is_file():
        pytest.skip(f"{archive} is absent")
    with tarfile.open(archive) as tar:
        tar.extractall(to, filter="data")


@pytest.mark.data
@pytest.mark.slow
def test_shipped_models_are_right_about_songs_they_never_saw(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the training extra is not installed")
    from videoscore.research.tagger import data as affect
    from videoscore.research.tagger import train as training

    for name in ("emopia_dev", "vgmidi_dev"):
        unpack(name, tmp_path)
    rows = affect.read(tmp_path)
    half = rows.half
    assert not set(rows.group[half == 0]) & set(rows.group[half == 1])
    for name, (origin, features) in training.MODELS.items():
        held = rows.where(half != origin)
        shipped = Tagger.load(name)
        assert shipped.names == F.SETS[features]
        scores = training.accuracy(training.raw(shipped, held), held)
        assert scores == pytest.approx(shipped.ceiling, abs=0.01)
        chance = training.chance(held)
        assert all(scores[key] > chance[key] + 0.1 for key in ("valence", "arousal", "quadrant"))
    small = rows.where((half == 1) & rows.whole)
    retrained = training.fit(small, "score", 0)
    assert training.raw(retrained, small) == pytest.approx(
        training.raw(training.fit(small, "score", 0), small)
    )
