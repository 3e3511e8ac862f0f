"""The latent composer: melodies as tokens, the losses of what is drawn, and what its tunes are like for a feeling."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import mido
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets import cue, two_cues

from videoscore.compose.latent.feelings import FEELINGS, read_feelings, way_between
from videoscore.compose.latent.model import TEMPERATURE, WEIGHTS, blank, load, save
from videoscore.compose.latent.network import NONE, MelodyVAE, Shape, history
from videoscore.compose.latent.steps import (
    BARS,
    CHORD_TABLE,
    FIRST,
    HIGH,
    HOLD,
    LOW,
    STEP,
    STEPS,
    TOKENS,
    tokens_of,
    tones_of,
)
from videoscore.compose.locked_notes import notes_in
from videoscore.compose.registry import compose
from videoscore.compose.tone import Tone
from videoscore.cues.sheet import CueSheet, CurvePoint
from videoscore.errors import SetupError, UsageError
from videoscore.music.performance import LockedNote
from videoscore.music.score import Role, Score
from videoscore.settings.fields import ComposeOptions

KOREAN = {
    "fierce": "격렬함", "bright": "밝음", "lively": "발랄함", "peaceful": "평화로움", "refreshing": "청량함",
    "mysterious": "신비로움", "gloomy": "우울함", "clear": "맑음", "dismal": "암울함",
}  # fmt: skip


def tune_of(score: Score) -> list[tuple[int, int]]:
    """(start, pitch) of the melody."""
    return [(n.start, n.pitch) for n in score.notes if n.role is Role.MELODY]


def one_cue(mood: str, bars: int, seconds: int, seed: int = 0) -> CueSheet:
    return CueSheet("film.mp4", Fraction(seconds), (cue("1M1", 0, seconds, mood, bars),), seed=seed)


def random_melodies(seed: int, count: int, bars: int = BARS) -> torch.Tensor:
    """(count, bars, STEPS) tokens, half of them HOLD."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(TOKENS, size=(count, bars, STEPS))
    return torch.from_numpy(np.where(rng.random(tokens.shape) < 0.5, HOLD, tokens))


# ---- feelings


def test_every_feeling_goes_by_its_english_and_its_korean_name():
    assert {f.name: f.korean for f in FEELINGS} == KOREAN
    for k, feeling in enumerate(FEELINGS):
        assert read_feelings(feeling.name.upper()) == read_feelings(f" {feeling.korean} ") == (k,)
    assert read_feelings("gloomy, 밝음") == (6, 1)


def test_korean_names_may_be_taken_apart_and_commas_wide():
    from unicodedata import normalize

    assert read_feelings(normalize("NFD", "밝음，우울함")) == read_feelings("bright, gloomy")


@pytest.mark.parametrize("text", ["gloomi", "gloomy, bright, clear", "", ","])
def test_what_is_no_feeling_is_said_with_those_that_are(text):
    with pytest.raises(UsageError) as error:
        read_feelings(text)
    assert "gloomy" in str(error.value.remedy)


def test_the_way_between_two_feelings_follows_the_curve():
    gloomy, lively = read_feelings("gloomy, lively")
    a, b = FEELINGS[gloomy], FEELINGS[lively]
    curve = [
        (a.valence + s * (b.valence - a.valence), a.arousal + s * (b.arousal - a.arousal))
        for s in (0, 0.3, 1)
    ]
    assert way_between(gloomy, lively, [(-1.0, -1.0), *curve]) == pytest.approx([0, 0, 0.3, 1], abs=1e-9)
    assert way_between(lively, gloomy, curve) == pytest.approx([1, 0.7, 0], abs=1e-9)


# ---- tokens


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([3, 4]))
def test_a_line_on_the_grid_comes_back_from_its_tokens(data, beats):
    steps = sorted(data.draw(st.sets(st.integers(0, BARS * 4 * beats - 1), min_size=1, max_size=80)))
    ends = [*steps[1:], BARS * 4 * beats]
    line = []
    for at, following in zip(steps, ends):
        # a silence of one sixteenth before the next note is filled, so there is none
        lengths = [n for n in range(1, following - at + 1) if n != following - at - 1]
        length = data.draw(st.sampled_from(lengths))
        line.append(Tone(at * STEP, length * STEP, data.draw(st.integers(LOW, HIGH))))
    heard = tones_of(tokens_of(line, beats), beats)
    assert [(t.start, t.pitch) for t in heard] == [(t.start, t.pitch) for t in line]
    assert [t.length for t in heard[:-1]] == [t.length for t in line[:-1]]


def test_history_is_what_one_reads_from_left_to_right():
    tokens = random_melodies(1, 5)
    last, since = history(tokens)
    for row, lasts, sinces in zip(tokens.view(-1, STEPS), last.view(-1, STEPS), since.view(-1, STEPS)):
        known, at = NONE, 0
        for k in range(STEPS):
            assert (int(lasts[k]), int(sinces[k])) == (known, k - at)
            if row[k] != HOLD:
                known, at = int(row[k]), k


# ---- the network


def network(seed: int = 0) -> tuple[MelodyVAE, torch.Tensor, torch.Tensor]:
    """An untrained network whose output isn't all alike, and chords and metre for four melodies."""
    torch.manual_seed(seed)
    net = MelodyVAE(Shape(part=6, bar=24, piece=16, conductor=24, step=24)).eval()
    with torch.no_grad():
        net.out.weight *= 8
        net.place.weight *= 4
    labels = np.random.default_rng(seed).integers(1, len(CHORD_TABLE), size=(4, BARS, 2))
    return net, torch.from_numpy(CHORD_TABLE[labels]), torch.tensor([0, 1, 1, 0])


def test_what_is_decoded_step_by_step_is_what_the_known_melody_makes_likeliest():
    net, chords, metre = network()
    plans = net.conduct(torch.randn(4, BARS, 6), chords, metre)
    tokens = net.decode(plans, 1.0, None)
    assert torch.equal(net.taught(plans, tokens).argmax(-1), tokens)
    assert len(torch.unique(tokens)) >= 4


def test_each_bar_hangs_on_its_own_part_of_the_vector():
    net, chords, metre = network()
    z = torch.randn(4, BARS, 6)
    other = z.clone()
    other[:, 9] += 1.0
    one, two = (net.conduct(v, chords, metre) for v in (z, other))
    assert torch.equal(one[:, :9], two[:, :9])  # the conductor reads from left to right
    assert (one[:, 9] - two[:, 9]).abs().mean() > (one[:, 12] - two[:, 12]).abs().mean()


def test_the_losses_measure_what_is_drawn():
    """The sums of probabilities along a drawn melody have the mean of the counts of drawn melodies."""
    from videoscore.research.latent.losses import density_loss, pitch_loss

    net, chords, metre = network(3)
    count = 400
    plans = net.conduct(torch.randn(1, BARS, 6), chords[:1], metre[1:2]).expand(count, -1, -1, -1)
    draws = torch.rand(count, BARS, STEPS, generator=torch.Generator().manual_seed(5))
    tokens = net.decode(plans, TEMPERATURE, draws)
    share = torch.softmax(net.taught(plans, tokens) / TEMPERATURE, -1).detach()
    begins = (tokens >= FIRST).float().sum((1, 2))
    assert float(share[..., FIRST:].sum((1, 2, 3)).mean()) == pytest.approx(float(begins.mean()), rel=0.02)
    height = torch.where(tokens >= FIRST, tokens - FIRST + LOW, 0).float().sum((1, 2)) / begins
    pitches = (share[..., FIRST:] * torch.arange(LOW, HIGH + 1)).sum((1, 2, 3)) / share[..., FIRST:].sum(
        (1, 2, 3)
    )
    assert float(pitches.mean()) == pytest.approx(float(height.mean()), abs=0.3)
    mask, beats = torch.ones(count, 1, STEPS), torch.full((count,), 4.0)
    fits = density_loss(share, mask, beats, target_density(float(begins.mean()) / (4 * BARS)).expand(count))
    misses = density_loss(share, mask, beats, target_density(float(begins.mean()) / (2 * BARS)).expand(count))
    assert float(fits.mean()) < 0.3 < float(misses.mean())
    low, high = (
        pitch_loss(share, chords[:1].expand(count, -1, -1, -1), mask, torch.full((count,), t))
        for t in (-9.0, 9.0)
    )
    assert float(low.mean()) > 20 and float(high.mean()) > 20


def target_density(notes: float) -> torch.Tensor:
    from videoscore.compose.latent.feelings import DENSITY_MEAN, DENSITY_SPREAD

    return torch.tensor((math.log(notes) - DENSITY_MEAN) / DENSITY_SPREAD)


def test_chord_tones_cost_little_and_others_much():
    from videoscore.research.latent.losses import note_costs

    label = next(
        k for k, row in enumerate(CHORD_TABLE) if list(np.flatnonzero(row[:12])) == [0, 4, 7] and row[12]
    )
    cost = note_costs(torch.from_numpy(CHORD_TABLE[[[[label, 0]]]]))[0, 0]
    by_class = {pitch % 12: float(cost[0, pitch - LOW]) for pitch in range(60, 72)}
    assert by_class[0] < by_class[4] == by_class[7] < 0.2 < by_class[2] == by_class[6]
    assert not cost[-1].any()  # where no chord is known nothing costs


# ---- the composer


@pytest.mark.parametrize("mood", ["Happy", "Tired"])
def test_a_lively_tune_lies_higher_and_has_more_notes_than_a_gloomy_one(mood):
    tunes = {}
    for feeling in ("발랄함", "gloomy"):
        scores = [
            compose(one_cue(mood, 16, 32, seed), ComposeOptions(composer="latent", feeling=feeling))
            for seed in range(4)
        ]
        tunes[feeling] = [tune_of(score) for score in scores]
    many, few = (sum(len(tune) for tune in tunes[f]) for f in tunes)
    high, low = (np.mean([pitch for tune in tunes[f] for _, pitch in tune]) for f in tunes)
    assert many > 1.3 * few and high > low + 1.0


def thirds(curve: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Notes, and mean pitch, in each third of tunes between gloomy and lively whose mood goes from one feeling's place
    to another's."""
    a, b = (FEELINGS[k] for k in curve)
    notes: list[list[int]] = [[], [], []]
    for seed in range(4):
        sheet = one_cue("Happy", 16, 32, seed)
        points = (
            CurvePoint(Fraction(1), a.valence, a.arousal),
            CurvePoint(Fraction(31), b.valence, b.arousal),
        )
        sheet = replace(sheet, cues=(replace(sheet.cues[0], curve=points),))
        score = compose(sheet, ComposeOptions(composer="latent", feeling="gloomy, lively"))
        for start, pitch in tune_of(score):
            notes[3 * start // score.sections[0].end].append(pitch)
    return [float(len(row)) for row in notes], [float(np.mean(row)) for row in notes]


def test_the_tune_goes_from_one_feeling_to_the_other_where_the_mood_does():
    gloomy, lively = read_feelings("gloomy, lively")
    (up, high_up), (down, high_down) = thirds((gloomy, lively)), thirds((lively, gloomy))
    assert down[0] > 1.1 * up[0] and up[2] > down[2]  # there are fewer notes toward any close
    assert high_up[2] > high_up[0] + 1.0 and high_down[0] > high_down[2] + 1.0


def test_the_same_sheet_gives_the_same_notes_and_another_seed_others():
    options = ComposeOptions(composer="latent")
    one, same, other = (compose(two_cues(seed), options) for seed in (1, 1, 2))
    assert one == same and tune_of(one) != tune_of(other)
    assert tune_of(one) != tune_of(compose(two_cues(1)))


def test_every_cue_gets_an_accompaniment_and_a_bass_under_its_tune():
    score = compose(two_cues(), ComposeOptions(composer="latent"))
    for section in score.sections:
        roles = {n.role for n in score.notes if section.start <= n.start < section.end}
        assert {Role.MELODY, Role.BASS} <= roles and roles & {Role.ACCOMPANIMENT, Role.PAD}


def test_a_locked_cue_keeps_its_notes_and_its_tune_is_taken_up():
    moods = ("Happy", "Angry", "Happy")
    cues = tuple(cue(f"1M{k}", 8 * k, 8 * k + 8, mood, 4) for k, mood in enumerate(moods))
    sheet = CueSheet("film.mp4", Fraction(24), cues, cuts=(Fraction(8), Fraction(16)))
    own = tuple(LockedNote(480 * k, 0, 72 + step, 480, 80) for k, step in enumerate((0, 4, 2, 5) * 4))
    sheet = replace(sheet, cues=(replace(sheet.cues[0], notes=own), *sheet.cues[1:]))
    passages, latent = (compose(sheet, ComposeOptions(composer=name)) for name in ("passages", "latent"))
    first, middle, last = latent.sections
    assert notes_in(latent, first) == own
    assert notes_in(latent, last) == notes_in(passages, last)  # its tune is the user's, by the planner
    assert notes_in(latent, middle) != notes_in(passages, middle)


def test_without_its_weights_it_says_so(tmp_path):
    with pytest.raises(SetupError) as error:
        load(tmp_path / "none.safetensors")
    assert "train latent" in str(error.value.remedy)


def test_a_model_comes_back_from_its_file(tmp_path):
    model = blank()
    model.vectors.mean.normal_()
    save(tmp_path / "m.safetensors", model)
    back = load(tmp_path / "m.safetensors")
    assert torch.equal(back.vectors.mean, model.vectors.mean.half().float())


def test_all_weights_together_stay_small():
    files = list(WEIGHTS.parent.glob("*.safetensors"))
    assert WEIGHTS in files and sum(f.stat().st_size for f in files) < 60e6


# ---- the command


def videoscore(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "videoscore", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_the_command_composes_for_a_feeling(tmp_path):
    midi = tmp_path / "tune.mid"
    base = ["compose", "--mood", "Happy", "--seconds", 20, "-o", midi]
    done = videoscore(*base, "--composer", "latent", "--feeling", "우울함")
    assert done.returncode == 0, done.stderr
    assert mido.MidiFile(midi).length == pytest.approx(20, abs=1.5)
    refused = videoscore(*base, "--composer", "latent", "--feeling", "glomy", "--overwrite")
    assert refused.returncode and "gloomy" in refused.stderr and "Traceback" not in refused.stderr
    alone = videoscore(*base, "--feeling", "gloomy", "--overwrite")
    assert alone.returncode and "--composer latent" in alone.stderr
    unknown = videoscore(*base, "--composer", "laten", "--overwrite")
    assert unknown.returncode and "latent" in unknown.stderr


def test_a_wrong_word_is_said_before_the_film_is_watched(tmp_path):
    from videoscore.pipeline.settle import check_players
    from videoscore.settings.build import build

    for words in ({"composer": "laten"}, {"composer": "latent", "feeling": "glomy"}, {"feeling": "gloomy"}):
        with pytest.raises(UsageError) as error:
            check_players(build(**words))
        assert "latent" in str(error.value.remedy) or "gloomy" in str(error.value.remedy)
