"""Stems: exact, alike, balanced."""

from __future__ import annotations

import dataclasses
import io
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from handscore import dense_score, hand_score
from stems import CLAVES, DRY, EVEN, arrange, decibels, one_stem, sound, sound_is_installed  # noqa: F401 (a fixture)

from videoscore.audio.loudness import Meter
from videoscore.errors import Cancelled, OutputError, SetupError
from videoscore.mood.circle import MOODS
from videoscore.music.score import PPQ, Role, TempoMap
from videoscore.perform.orchestrate.orchestrate import orchestrate
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.perform.parts import Part, Played
from videoscore.perform.played_midi import to_bytes
from videoscore.perform.render import soundfont
from videoscore.perform.render.render import job, render
from videoscore.perform.render.stem import play
from videoscore.resources import IMPORT_ROOT
from videoscore.settings.fields import Options, RenderOptions
from videoscore.settings.preset_file import list_presets, preset_options

# ---------------------------------------------------------------- stems


@pytest.mark.parametrize("rate", [44100, 48000])
def test_stems_are_exactly_as_long_as_the_film_and_float(tmp_path, rate):
    score = dataclasses.replace(hand_score(("Happy",), bars=2), duration=Fraction(7007, 1500))
    arrangement = orchestrate(score, load_preset("piano"))
    stems = render(arrangement, tmp_path / "new" / "stems", RenderOptions(sample_rate=rate))
    assert [s.samples for s in stems] == [round(score.duration * rate)]
    sound(stems[0])
    assert soundfile.info(stems[0].path).subtype == "FLOAT"
    assert sorted(p.name for p in stems[0].path.parent.iterdir()) == ["01-piano.wav"]


@pytest.mark.parametrize("rate", [44100, 48000])
def test_onsets_are_within_a_millisecond_of_the_tempo_map(tmp_path, rate):
    tempo = TempoMap(((0, 413_793), (4 * PPQ, 612_245), (8 * PPQ, 350_877)))
    ticks = [PPQ * k + 37 * (k % 3) for k in range(1, 14)]
    notes = tuple(Played(tick, 100, CLAVES, 127) for tick in ticks)
    seconds = tempo.seconds(16 * PPQ)
    stem = one_stem(
        arrange(notes, seconds, drums=True, tempo=tempo), tmp_path, dataclasses.replace(DRY, sample_rate=rate)
    )
    loud = np.flatnonzero(np.abs(sound(stem)).max(axis=1) > 1e-3) / rate
    late = []
    for tick in ticks:
        wanted = float(tempo.seconds(tick))
        late.append(loud[np.searchsorted(loud, wanted - 0.01)] - wanted)
    # the sample itself begins with a fraction of a millisecond of silence, the same for every note
    assert max(late) - min(late) <= 2 * 0.5 * 64 / rate + 2 / rate
    assert abs(np.median(late)) < 0.003


def test_a_chord_held_to_the_end_is_faded_not_cut(tmp_path):
    notes = tuple(Played(0, 8 * PPQ, pitch, 120) for pitch in (48, 60, 64, 67))
    samples = sound(one_stem(arrange(notes, Fraction(4), program=48), tmp_path, RenderOptions(fade=1.0)))
    assert decibels(samples[-480:]) < -60
    assert decibels(samples[-48000 * 3 // 2 : -48000]) > -20
    # no step anywhere in the fade: the loudest change between samples is no larger than before it
    steps = np.abs(np.diff(samples, axis=0)).max(axis=1)
    assert steps[-48000:].max() <= steps[48000:-48000].max()


def test_very_short_and_empty_music(tmp_path):
    short = arrange((Played(0, PPQ, 60, 100),), Fraction(1, 10))
    samples = sound(render(short, tmp_path)[0])
    assert len(samples) == 4800 and decibels(samples) > -60 and decibels(samples[-10:]) < -60
    assert render(dataclasses.replace(short, parts=()), tmp_path) == ()


def test_the_synthesiser_rests_in_silence_and_wakes_up(tmp_path):
    notes = (Played(0, 100, CLAVES, 120), Played(40 * PPQ, 100, CLAVES, 120))
    samples = sound(one_stem(arrange(notes, Fraction(22), drums=True), tmp_path, DRY))
    assert not samples[48000 * 8 : 48000 * 19].any()
    assert decibels(samples[48000 * 20 : 48000 * 21]) > -30


def test_pan_volume_and_reverb(tmp_path):
    notes = (Played(0, PPQ, 60, 100),)
    left, soft, wet = (
        sound(one_stem(arrange(notes, Fraction(3), **controls), tmp_path, options))
        for controls, options in (({"pan": 0}, DRY), ({"volume": 64}, DRY), ({}, RenderOptions()))
    )
    plain = sound(one_stem(arrange(notes, Fraction(3)), tmp_path, DRY))
    assert decibels(left[:, 0]) > decibels(left[:, 1]) + 5
    assert decibels(plain) - decibels(soft) == pytest.approx(40 * math.log10(100 / 64), abs=1)
    tail = slice(48000 * 3 // 2, 48000 * 2)
    assert np.abs(wet[tail]).mean() > 3 * np.abs(plain[tail]).mean()


def test_the_same_arrangement_gives_the_same_samples(tmp_path):
    arrangement = orchestrate(hand_score(("Angry",), bars=1), load_preset("band"))
    once, again = (
        render(arrangement, tmp_path / name, workers=workers) for name, workers in (("a", 1), ("b", 4))
    )
    assert [s.name for s in once] == [p.name for p in arrangement.parts] == [s.name for s in again]
    assert all(np.array_equal(sound(a), sound(b)) for a, b in zip(once, again))


def test_progress_ends_at_the_duration(tmp_path):
    told: list[tuple[str, float, float]] = []
    arrangement = orchestrate(hand_score(("Happy",), bars=2), load_preset("piano"))
    render(arrangement, tmp_path, progress=lambda *word: told.append(word))
    duration = float(arrangement.duration)
    assert told[-1] == ("render", pytest.approx(duration, abs=1e-4), pytest.approx(duration, abs=1e-4))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_cancelling_ends_the_workers_and_leaves_nothing(tmp_path):
    def cancel(stage: str, done: float, total: float) -> None:
        raise Cancelled("stopped")

    arrangement = orchestrate(dense_score(600), load_preset("chamber"))
    with pytest.raises(Cancelled):
        render(arrangement, tmp_path, progress=cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_soundfont_is_one_clear_error(tmp_path):
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFF\x10\x00\x00\x00sfbk" + bytes(100))
    arrangement = arrange((Played(0, PPQ, 60, 100),), Fraction(1))
    with pytest.raises(SetupError, match="broken.sf2") as caught:
        render(arrangement, tmp_path / "stems", RenderOptions(soundfont=str(broken)))
    assert "\n" not in str(caught.value) and list((tmp_path / "stems").iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        render(arrange((Played(0, PPQ, 60, 100),), Fraction(1)), tmp_path / "file" / "stems")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path):
    code = """if True:
        import json, sys
        from videoscore.perform.render.stem import StemJob, play
        from videoscore.workers.memory import own_peak
        job = json.load(sys.stdin)
        job["events"] = [tuple(e) for e in job["events"]]
        play(StemJob(**job))
        print(own_peak())
    """
    from videoscore.perform.render.stem import to_json

    peaks = []
    for minutes in (10, 60):
        arrangement = orchestrate(dense_score(60 * minutes), load_preset("piano"))
        one = job(
            arrangement.parts[0],
            arrangement,
            tmp_path / "stem.wav",
            RenderOptions(),
            soundfont.find_soundfont(),
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=to_json(one),
            text=True,
            capture_output=True,
            check=True,
            cwd=IMPORT_ROOT,
        )
        peaks.append(int(done.stdout))
    # a note costs an event of some 200 bytes; the sound itself costs nothing
    assert peaks[1] < 1.3 * peaks[0]


# ---------------------------------------------------------------- balance


def loudness_of(preset_name: str, mood: str, tmp_path: Path, roles: tuple[Role, ...]) -> float:
    preset = load_preset(preset_name)
    arrangement = orchestrate(hand_score((mood,), bars=2, bpms=(100,), roles=roles, radius=0.3), preset)
    options = preset_options(preset.path, Options()).render
    total: np.ndarray | float = 0.0
    for k, part in enumerate(arrangement.parts):
        path = tmp_path / f"{mood}-{k}.wav"
        play(job(part, arrangement, path, options, soundfont.find_soundfont()))
        total = total + soundfile.read(path, dtype="float32")[0]
        path.unlink()
    meter = Meter(48000)
    meter.add(np.asarray(total))
    result = meter.result()
    assert result.integrated is not None and result.true_peak < 6
    return result.integrated


def balanced(name: str, mood: str, tmp_path: Path) -> float:
    """Loudness of all; the melody alone must lead the accompaniment alone."""
    melody, accompaniment = (
        loudness_of(name, mood, tmp_path, (role,)) for role in (Role.MELODY, Role.ACCOMPANIMENT)
    )
    assert 2 <= melody - accompaniment <= 8, (name, mood, melody, accompaniment)
    everything = loudness_of(name, mood, tmp_path, tuple(Role))
    assert -27 < everything < -12, (name, mood, everything)
    return everything


@pytest.mark.parametrize("name, mood", [("cinematic", "Happy"), ("piano", "Tired")])
def test_the_melody_leads(name, mood, tmp_path):
    balanced(name, mood, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", list_presets())
def test_the_melody_leads_in_every_mood_and_no_preset_is_silent(name, tmp_path):
    levels = [balanced(name, mood, tmp_path) for mood in MOODS]
    assert max(levels) - min(levels) < 10


# ---------------------------------------------------------------- articulation


def test_held_notes_are_played_by_the_other_sound(tmp_path):
    """Strings with a slow attack for held notes: a short one is there at once in both, a held one only in one."""

    def rise(long: bool, held: tuple[int, int] | None) -> float:
        notes = (Played(0, 1440, 67, 90, long),)
        part = Part("s", 48, False, notes, held=held)
        music = arrange(notes, Fraction(3), program=48)
        one = job(part, music, tmp_path / "s.wav", DRY, soundfont.find_soundfont())
        play(one)
        level = np.abs(soundfile.read(tmp_path / "s.wav")[0]).max(axis=1)
        smooth = np.convolve(level**2, np.ones(960) / 960, "same")
        return float(np.argmax(smooth > 0.25 * smooth.max()) / 48000)

    assert rise(False, (0, 49)) == rise(False, None) == rise(True, None)
    assert rise(True, (0, 49)) > rise(True, None) + 0.02


def test_the_midi_file_changes_its_program_for_held_notes():
    notes = (
        Played(0, 240, 60, 90),
        Played(480, 960, 64, 90, True),
        Played(480, 120, 67, 90),
        Played(1920, 240, 60, 90),
    )
    music = arrange(notes, Fraction(4), program=48)
    music = dataclasses.replace(music, parts=(dataclasses.replace(music.parts[0], held=(20, 49)),))
    file = mido.MidiFile(file=io.BytesIO(to_bytes(music)))
    now, changes = 0, []
    for message in file.tracks[1]:
        now += message.time
        if message.type == "program_change":
            changes.append((now, message.program))
    assert changes == [(0, 48), (480, 49), (1920, 48)]


# ---------------------------------------------------------------- SoundFonts


def test_a_font_is_turned_down_where_it_is_louder(tmp_path):
    loud = soundfont.Font(Path("f.sf3"), "", "", "", levels={"20/44": 7.1, "0/45": -2.6})
    assert (loud.evened(100, 0, 44), loud.evened(127, 0, 45)) == (100, 127)
    assert 40 * np.log10(loud.evened(100, 20, 44) / 100) == pytest.approx(-7.1, abs=0.15)
    assert 40 * np.log10(loud.evened(100, 0, 45) / 100) == pytest.approx(2.6, abs=0.15)
    (tmp_path / "MuseScore_General_Full.sf3").write_bytes(b"RIFF\x10\x00\x00\x00sfbk")
    assert soundfont.find_soundfont(tmp_path).levels["20/44"] > 5
