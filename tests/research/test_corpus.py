"""The composer's corpus: keys and chords, bar lines, roles, splits, and what the npz holds."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import DATA

from videoscore.errors import NotFound
from videoscore.music import theory
from videoscore.music.score import Role
from videoscore.music.tagger import Tagger

symusic = pytest.importorskip("symusic", reason="the training extra is not installed")

from videoscore.library.read import bars as meter  # noqa: E402
from videoscore.library.read import roles  # noqa: E402
from videoscore.research.composer import corpus, sets, works  # noqa: E402

# "Ah! vous dirai-je, maman" over broken chords: plain C major, 8 bars of 2/4
TUNE = [60, 60, 67, 67, 69, 69, 67, None, 65, 65, 64, 64, 62, 62, 60, None]
CHORDS = [(48, 55, 52, 55)] * 2 + [(53, 60, 57, 60), (48, 55, 52, 55)] + [(53, 60, 57, 60), (48, 55, 52, 55)]
CHORDS += [(43, 50, 47, 50), (48, 55, 52, 55)]


def write_tune(path: Path, up: int = 0, repeats: int = 3, velocity: int = 80) -> None:
    """A voice and a piano at 120 quarters a minute, `up` semitones above C major."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=120, resolution=480)
    midi.time_signature_changes = [pretty_midi.TimeSignature(2, 4, 0.0)]
    voice, piano = pretty_midi.Instrument(52, name="Voice"), pretty_midi.Instrument(0, name="Piano")
    for r in range(repeats):
        for k, pitch in enumerate(TUNE):
            start = (16 * r + k) * 0.5
            if pitch is not None:
                held = 1.0 if k % 8 == 6 else 0.5
                voice.notes.append(pretty_midi.Note(velocity, pitch + 12 + up, start, start + held))
        for half, figure in enumerate(CHORDS):
            for k, pitch in enumerate(figure):
                start = (16 * r + 2 * half) * 0.5 + k * 0.25
                piano.notes.append(pretty_midi.Note(velocity, pitch - 12 + up, start, start + 0.25))
    midi.instruments += [voice, piano]
    midi.write(str(path))


def write_notes(path: Path, instruments: list[tuple[int, bool, list[tuple[int, int, float, float]]]]) -> None:
    midi = pretty_midi.PrettyMIDI(initial_tempo=100, resolution=480)
    for program, drums, notes in instruments:
        part = pretty_midi.Instrument(program, is_drum=drums)
        part.notes = [pretty_midi.Note(v, p, start, start + length) for p, v, start, length in notes]
        midi.instruments.append(part)
    midi.write(str(path))


# ---- keys and chords


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("minor", [False, True])
def test_key_moves_to_c_major_or_a_minor(tonic: int, minor: bool) -> None:
    shift = theory.shift_to_normal(tonic, minor)
    assert -6 <= shift <= 5
    assert (tonic + shift) % 12 == (9 if minor else 0)
    assert theory.parse_key(theory.key_name(tonic, minor)) == (tonic, minor)


@pytest.mark.parametrize(
    ("text", "key"),
    [("Bb minor", (10, True)), ("f#m", (6, True)), ("E♭ major", (3, False)), ("G", (7, False))],
)
def test_key_names_are_read(text: str, key: tuple[int, bool]) -> None:
    assert theory.parse_key(text) == key


@pytest.mark.parametrize("text", ["", "H minor", "C dorian", "major"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        theory.parse_key(text)


@pytest.mark.parametrize("chord", range(1, theory.CHORDS))
def test_every_triad_is_recognised(chord: int) -> None:
    hist, bass = np.zeros((1, 12)), np.zeros((1, 12))
    hist[0, list(theory.chord_pitch_classes(chord))] = 24
    bass[0, theory.chord_pitch_classes(chord)[0]] = 24
    assert theory.chords(hist, bass).tolist() == [chord]


def test_a_silent_bar_has_no_chord() -> None:
    assert theory.chords(np.zeros((2, 12)), np.zeros((2, 12))).tolist() == [0, 0]
    assert theory.chord_pitch_classes(0) == ()


def test_a_modulation_is_found_and_a_short_digression_is_not() -> None:
    c = theory.MAJOR_PROFILE
    e, g = np.roll(c, 4), np.roll(c, 7)
    bars = np.array([c] * 16 + [e] * 16 + [c] * 4 + [e] * 12)
    assert theory.local_keys(bars).tolist() == [0] * 16 + [4] * 32
    assert set(theory.local_keys(np.array([c] * 12 + [g] * 2 + [c] * 12))) == {0}


@given(st.lists(st.integers(0, 23), min_size=1, max_size=60), st.integers(0, 11))
def test_local_keys_follow_a_transposition(which: list[int], up: int) -> None:
    bars = theory.key_profiles()[which]
    keys, moved = theory.local_keys(bars), theory.local_keys(np.roll(bars, up, axis=1))
    lengths = np.diff(np.r_[0, np.flatnonzero(np.diff(keys)) + 1, len(keys)])
    assert len(lengths) == 1 or lengths.min() >= 8
    # ties between keys may fall differently; the fit may not
    fit = theory.key_correlation(bars)
    own = fit[np.arange(len(bars)), keys].sum()
    back = np.where(moved >= 12, 12, 0) + (moved - up) % 12
    assert fit[np.arange(len(bars)), back].sum() == pytest.approx(own, abs=2.0)


# ---- bar lines


def waltz(upbeat: int, bars: int = 24) -> meter.Notes:
    """Bass on one, chords on two and three, a melody with a long note on each downbeat, after an upbeat."""
    rows = [(0, upbeat, 67)] if upbeat else []
    for b in range(bars):
        start = upbeat + 72 * b
        root = (48, 53, 55, 48)[b % 4]
        rows += [(start, 24, root - 12), (start, 48, 72 + b % 3), (start + 48, 24, 76)]
        rows += [(start + k, 20, root + p) for k in (24, 48) for p in (4, 7)]
    onset, duration, pitch = np.array(sorted(rows)).T
    same = np.ones(len(onset), int)
    return meter.Notes(onset, duration, pitch, same * 80, same * 0)


@pytest.mark.parametrize("upbeat", [0, 12, 24, 48])
def test_bar_lines_are_found_after_an_upbeat(upbeat: int) -> None:
    bars = meter.bar_grid(waltz(upbeat), [meter.Signature(0, 72, 4)], search=True)
    first = upbeat - 72 if upbeat else 0
    assert bars.start.tolist() == list(range(first, upbeat + 72 * 24, 72))
    assert set(bars.length.tolist()) == {72}


def test_a_short_bar_inside_is_found() -> None:
    half = waltz(0, 32)
    again = 32 * 72 + 24  # a bar of one quarter lies between two halves
    twice = [np.r_[half.onset, half.onset + again]]
    twice += [np.r_[column, column] for column in (half.duration, half.pitch, half.velocity, half.track)]
    bars = meter.bar_grid(meter.Notes(*twice), [meter.Signature(0, 72, 4)], search=True)
    assert np.isin(again + 72 * np.arange(32), bars.start).all()
    assert np.isin(72 * np.arange(31), bars.start).all()
    assert (bars.length != 72).sum() == 1


def test_sequencer_files_keep_their_bars_and_long_bars_are_cut() -> None:
    notes = waltz(24)
    bars = meter.bar_grid(notes, [meter.Signature(0, 216, 4)], search=False)
    assert set(bars.length.tolist()) == {108}
    assert bars.start[0] == 0
    with pytest.raises(ValueError, match="a bar of 149"):
        meter.bar_grid(notes, [meter.Signature(0, 149, 4)], search=False)


@pytest.mark.data
@pytest.mark.slow
def test_bar_lines_agree_with_later_time_signatures(tmp_path: Path) -> None:
    """Where the time signature changes there is a bar line: it gives the true phase of all before it."""
    archive = DATA / "music" / "openscore_lieder.tar.xz"
    if not archive.is_file():
        pytest.skip(f"{archive} is absent")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    found, plain = [], []
    for path in sorted(tmp_path.rglob("*.mid")):
        notes, _, signatures, _, _ = sets.read(path)
        first = signatures[0]
        if len(signatures) < 2 or signatures[1].start < 6 * first.length or first.length % meter.STEP:
            continue
        stop = signatures[1].start
        if stop % meter.STEP:
            continue
        odds = meter.accents(notes, first.length, 0, stop) @ meter.ACCENT_WEIGHTS + meter.ACCENT_BIAS
        lines = meter.STEP * meter.find_lines(odds, first.length, True, False)
        true = np.arange(stop % first.length, stop, first.length)
        found.append(np.isin(true, lines).mean())
        plain.append(stop % first.length == 0)
    assert len(found) > 150
    assert np.mean(found) > 0.95 > np.mean(plain) + 0.1


# ---- roles


def rows(*notes: tuple[int, int, int, int]) -> meter.Notes:
    """From (onset, duration, pitch, track)."""
    onset, duration, pitch, track = np.array(notes).T
    return meter.Notes(onset, duration, pitch, np.full(len(onset), 80), track)


def test_a_quartet_is_read_by_its_score_order() -> None:
    tracks = [
        roles.MidiTrack(n, p, False)
        for n, p in (("Violin 1", 40), ("Violin 2", 40), ("Viola", 41), ("Cello", 42))
    ]
    notes = rows((0, 24, 50, 0), (0, 24, 70, 1), (0, 24, 60, 2), (0, 24, 65, 3))
    assert roles.assign(notes, tracks, "quartet").tolist() == [
        Role.MELODY,
        Role.COUNTER,
        Role.ACCOMPANIMENT,
        Role.BASS,
    ]


def test_a_song_is_voice_bass_and_the_rest() -> None:
    tracks = [roles.MidiTrack("Singstimme", 52, False), roles.MidiTrack("Pianoforte", 0, False)]
    notes = rows(
        (0, 96, 67, 0), (0, 96, 43, 1), (24, 24, 55, 1), (48, 24, 64, 1), (96, 24, 62, 1), (96, 24, 66, 1)
    )
    assert roles.assign(notes, tracks, "song").tolist() == [
        Role.MELODY,
        Role.BASS,
        Role.ACCOMPANIMENT,  # below middle C, but the held 43 is the bass
        Role.ACCOMPANIMENT,
        Role.ACCOMPANIMENT,  # the lowest, but too high for a bass
        Role.ACCOMPANIMENT,
    ]


def test_a_band_has_drums_bass_pad_and_lines() -> None:
    tracks = [
        roles.MidiTrack("drums", 0, True),
        roles.MidiTrack("bass", 33, False),
        roles.MidiTrack("choir", 52, False),
        roles.MidiTrack("lead", 80, False),
        roles.MidiTrack("second", 73, False),
        roles.MidiTrack("strum", 25, False),
        roles.MidiTrack("gunshot", 127, False),
    ]
    beat = np.arange(16) * 24
    notes = [(int(t), 12, 36, 0) for t in beat] + [(int(t), 24, 40, 1) for t in beat]
    notes += [(t, 96, p, 2) for t in (0, 96, 192, 288) for p in (60, 64, 67)]
    notes += [(int(t), 24, 76 + k % 5, 3) for k, t in enumerate(beat)]
    notes += [(int(t), 24, 64 + k % 3, 4) for k, t in enumerate(beat)]
    notes += [(int(t), 20, p, 5) for t in beat for p in (52, 55, 59)] + [(0, 24, 60, 6)]
    table = rows(*notes)
    given_roles = roles.assign(table, tracks, "band")
    wanted = [Role.DRUMS, Role.BASS, Role.PAD, Role.MELODY, Role.COUNTER, Role.ACCOMPANIMENT, roles.DROP]
    for track, role in enumerate(wanted):
        assert set(given_roles[table.track == track].tolist()) == {role}, track


def test_outer_voices_respect_held_notes() -> None:
    notes = rows((0, 48, 40, 0), (24, 24, 45, 0), (48, 24, 45, 0), (48, 24, 60, 0))
    assert roles.outer_voice(notes, lowest=True).tolist() == [True, False, True, False]
    assert roles.outer_voice(notes, lowest=False).tolist() == [True, True, False, True]


# ---- pieces and the whole


def test_a_transposed_piece_gives_the_same_notes(tmp_path: Path) -> None:
    written = []
    for up in range(-5, 7):
        path = tmp_path / f"up{up}.mid"
        write_tune(path, up)
        p = corpus.piece(path, "openscore_lieder")
        assert set(p.bars["shift"].tolist()) == {-up}
        assert not p.bars["minor"].any()
        written.append((p.notes["pitch"].tolist(), p.notes["role"].tolist(), p.bars["chord"].tolist()))
    assert all(w == written[0] for w in written)
    c, f, g = 1, 1 + 3 * 5, 1 + 3 * 7
    assert written[0][2] == [c, c, f, c, f, c, g, c] * 3


def test_times_tempo_and_doubled_notes(tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    write_tune(path)
    p = corpus.piece(path, "openscore_lieder")
    assert p.bars["len"].tolist() == [48] * 24
    assert p.bars["tempo"] == pytest.approx(np.full(24, 120.0))
    melody = p.notes["role"] == Role.MELODY
    assert p.notes["pitch"][melody][:7].tolist() == [72, 72, 79, 79, 81, 81, 79]
    assert p.notes["pos"][melody][:7].tolist() == [0, 24, 0, 24, 0, 24, 0]
    assert p.notes["dur"][melody][:7].tolist() == [24, 24, 24, 24, 24, 24, 48]
    assert p.bars["last"].tolist() == [0] * 23 + [1]
    table = np.array([[0, 0, 0, 60, 5, 70], [0, 0, 0, 60, 9, 50], [0, 0, 1, 60, 2, 40]])
    assert corpus._merge(table).tolist() == [[0, 0, 0, 60, 9, 70], [0, 0, 1, 60, 2, 40]]


note = st.tuples(
    st.integers(20, 105),
    st.integers(1, 127),
    st.floats(0, 30, allow_nan=False),
    st.floats(0.02, 9, allow_nan=False),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(note, min_size=1, max_size=25), min_size=1, max_size=4),
    st.sampled_from(sorted(sets.KINDS)),
)
def test_no_note_lies_outside_its_bar(
    tmp_path_factory: pytest.TempPathFactory, parts: list, kind: str
) -> None:
    path = tmp_path_factory.mktemp("midi") / "random.mid"
    write_notes(path, [((40, 0, 33, 52)[k], k == 3, part) for k, part in enumerate(parts)])
    try:
        p = corpus.piece(path, kind)
    except sets.Unusable:
        return
    tagger = Tagger.load("tagger")
    corpus.label(p, tagger)
    arrays = corpus.join([p])
    bar = arrays["note_bar"]
    assert ((arrays["note_pos"] >= 0) & (arrays["note_pos"] < arrays["bar_len"][bar])).all()
    assert ((arrays["note_dur"] >= 1) & (arrays["note_dur"] <= 288)).all()
    keys = np.stack([bar, arrays["note_pos"], arrays["note_role"], -arrays["note_pitch"]])
    assert (np.lexsort(keys[::-1]) == np.arange(len(bar))).all()
    assert ((arrays["note_pitch"] >= 0) & (arrays["note_pitch"] < 128)).all()
    assert (np.abs(np.stack([arrays["bar_valence"], arrays["bar_arousal"]])) <= 1).all()
    assert arrays["bar_last"].sum() == 1 and (arrays["bar_len"] <= meter.LONGEST).all()
    same = np.diff(arrays["bar_segment"]) == 0
    assert (np.diff(arrays["bar_len"])[same] == 0).all() and (np.diff(arrays["bar_shift"])[same] == 0).all()


def test_build_reads_only_what_it_may(tmp_path: Path) -> None:
    for name in ("openscore_lieder", "mutopia", "emopia_dev"):
        (tmp_path / name).mkdir()
    lieder = tmp_path / "openscore_lieder"
    write_tune(lieder / "A,_B__Songs__1_Star__lc1.mid")
    write_tune(lieder / "A,_B__Songs__2_Moon__lc2.mid", repeats=4)
    write_tune(lieder / "A,_B__Songs__2_Moon__lc3.mid", repeats=4)  # a copy
    write_tune(tmp_path / "mutopia" / "BachJS__X__y.mid", up=2, repeats=5)
    write_tune(tmp_path / "mutopia" / "HandelGF__X__y.mid", up=3, repeats=6)
    write_tune(tmp_path / "emopia_dev" / "Q1_no.mid", up=4)
    (lieder / "broken.mid").write_bytes(b"MThd nonsense")
    listing = [
        {"rel": "BachJS/X/y.ly", "license": "Public Domain"},
        {"rel": "HandelGF/X/y.ly", "license": "Creative Commons Attribution-ShareAlike 3.0"},
        {"done": 1.0},
    ]
    (tmp_path / "mutopia" / "mutrun.jsonl").write_text("\n".join(map(json.dumps, listing)))
    said: list[str] = []
    corpus.build(tmp_path, tmp_path / "out" / "c.npz", said.append, workers=1)
    arrays = np.load(tmp_path / "out" / "c.npz", allow_pickle=False)
    assert arrays["piece_name"].tolist() == [
        "A,_B__Songs__1_Star__lc1",
        "A,_B__Songs__2_Moon__lc2",
        "BachJS__X__y",
    ]
    assert arrays["piece_set"].tolist() == ["openscore_lieder"] * 2 + ["mutopia"]
    assert np.bincount(arrays["bar_piece"]).tolist() == [24, 32, 40]
    assert len(np.unique(arrays["piece_split"])) == 1  # one tune, one side
    assert any("broken.mid" in line for line in said) and any("a copy" in line for line in said)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["c.npz"]


def test_build_without_any_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="openscore_quartets"):
        corpus.build(tmp_path, tmp_path / "c.npz", workers=1)
    assert not (tmp_path / "c.npz").exists()


def test_copies_and_movements_stay_on_one_side() -> None:
    some = np.arange(50)

    def keys(stem: str, kind: str, seed: int) -> tuple[str, ...]:
        return works.work_keys(stem, kind, np.random.default_rng(seed).integers(40, 80, 50))

    quartet = keys(
        "Beethoven,_Ludwig_van__String_Quartet_No.4,_Op.18_No.4__sq8913219", "openscore_quartets", 1
    )
    movement = keys(
        "BeethovenLv__O18__QuartetOpus18_No4_2__QuartetOpus18_No4_2-lys__QuartetOpus18_No4_2", "mutopia", 2
    )
    assert set(quartet) & set(movement)
    first = keys("Schubert,_Franz_____Die_Forelle,_Op.32,_D550d__lc6900961", "openscore_lieder", 3)
    second = keys("SchubertF__D550__forelle__forelle-lys__forelle", "mutopia", 4)
    assert set(first) & set(second)
    cycle = [keys(f"Wolf,_Hugo__Goethe-Lieder__{k}_Song{k}__lc{k}", "openscore_lieder", k) for k in range(30)]
    lone = [keys(f"Composer{k},_A_____Title{k}__lc{k}", "openscore_lieder", 100 + k) for k in range(2000)]
    split = works.split([quartet, movement, first, second, *cycle, *lone])
    assert split[0] == split[1] and split[2] == split[3] and len(set(split[4:34].tolist())) == 1
    assert 0.03 < split[34:].mean() < 0.07
    assert (works.split([quartet, movement, first, second, *cycle, *lone]) == split).all()
    assert set(works.work_keys("a", "freedoom", some)) & set(works.work_keys("b", "freedoom", some))
