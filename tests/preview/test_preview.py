"""What `preview` and `tune` show is what the cue sheet says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import Said
from media import Clip, make_clip
from PIL import Image

from videoscore.cues.sheet import CueSheet
from videoscore.cues.spot.spot import spot
from videoscore.errors import PresetError
from videoscore.mood.circle import MOODS, centre
from videoscore.mood.curve import MoodCurve
from videoscore.perform.orchestrate.palette_file import load_preset
from videoscore.pipeline.watch import Analysis
from videoscore.preview.html_page import page
from videoscore.preview.terminal import LETTERS, ribbon
from videoscore.preview.timeline import Timeline, label, letters
from videoscore.preview.tune import deviation, preset_text, tune
from videoscore.settings.build import build
from videoscore.settings.fields import Options, SpotOptions
from videoscore.settings.preset_file import list_presets
from videoscore.video.frames import Cut
from videoscore.video.probe import probe


def analysis(film: Path, seconds: int = 60, moods: tuple[str, ...] = ("Happy", "Depressed")) -> Analysis:
    """As of a film of that length whose moods change at equal distances, each time on a cut."""
    media = probe(film)
    media = replace(media, video=replace(media.video, duration=Fraction(seconds)))
    t = np.arange(0.25, seconds, 0.5)
    part = np.minimum((t / seconds * len(moods)).astype(int), len(moods) - 1)
    rng = np.random.default_rng(0)
    points = np.array([centre(m) for m in moods])[part] + 0.05 * rng.normal(size=(len(t), 2))
    rows = np.full((len(t), 8), 0.05)
    rows[np.arange(len(t)), [MOODS.index(moods[k]) for k in part]] = 0.65
    curve = MoodCurve(t, points[:, 0], points[:, 1], rows, np.full(len(t), 0.8))
    cuts = tuple(Cut(Fraction(seconds * k, len(moods)), 0.9) for k in range(1, len(moods)))
    sheet = spot(curve, cuts, media.duration, SpotOptions(), source="film.mp4")
    return Analysis(media, curve, curve, cuts, {"scene": np.ones(len(t))}, sheet, {}, ("A remark.",))


@pytest.fixture(scope="module")
def seen(film: Clip) -> Analysis:
    return analysis(film.path)


def test_the_ribbon_changes_where_the_cue_does(seen: Analysis) -> None:
    lines = ribbon(Timeline(seen, ((Fraction(0), Fraction(15)),)), width=88).splitlines()
    row = {line[:8].strip(): line[8:] for line in lines}
    columns = 79
    half = round(columns / 2)
    assert set(row["mood"][: half - 1]) == {LETTERS["Happy"]} and set(row["mood"][half + 1 :]) == {
        LETTERS["Depressed"]
    }
    assert row["cues"].index("1m2") == pytest.approx(half + 1, abs=1)
    assert row["cuts"].index("|") == pytest.approx(half, abs=1)
    assert row["speech"].count("=") == pytest.approx(columns / 4, abs=1)
    assert max(map(len, lines)) <= 88
    assert "\x1b" not in "".join(lines) and "\x1b[" in ribbon(Timeline(seen), 88, colour=True)


class Page(HTMLParser):
    """Cells of the table, the data, and what would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.inside, self.data, self.fetched = "", "", []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.inside = "data" if given.get("id") == "data" else tag
        self.fetched += [v for k, v in given.items() if k in ("src", "href") and v and v.startswith("http")]

    def handle_data(self, data):
        if self.inside == "data":
            self.data += data
        elif self.inside == "td" and data.strip():
            self.cells.append(data)


def test_the_page_needs_nothing_else_and_names_are_data(seen: Analysis) -> None:
    text = page(Timeline(seen), "a<b>&</script>.mp4")
    read = Page()
    read.feed(text)
    data = json.loads(read.data)
    assert not read.fetched and "a<b>" not in text
    assert [c["name"] for c in data["cues"]] == [c.name for c in seen.sheet.cues]
    assert [c for c in read.cells if re.fullmatch(r"1m\d \w+", c)] == [c.name for c in seen.sheet.cues]
    assert (
        0 < data["left"] < data["right"] < 1 and data["duration"] == 60 and len(data["t"]) == len(seen.curve)
    )
    assert "<svg" in text and "A remark." in text


def test_deviation_is_nothing_where_every_cue_has_one_mood(seen: Analysis) -> None:
    even = MoodCurve(
        seen.raw.t,
        *np.array([centre(m) for m in ("Happy",)]).repeat(len(seen.raw), 0).T,
        seen.raw.moods,
        seen.raw.confidence,
    )
    assert deviation(even, seen.sheet) == pytest.approx(0)
    one = CueSheet("x", seen.sheet.duration, (replace(seen.sheet.cues[0], end=seen.sheet.duration),))
    between = float(np.linalg.norm(np.subtract(centre("Happy"), centre("Depressed")))) / 2
    assert deviation(seen.raw, one) == pytest.approx(between, abs=0.05)
    assert deviation(seen.raw, seen.sheet) < 0.12


def test_tune_finds_the_changes_and_prefers_what_is_set(seen: Analysis) -> None:
    found = tune(seen)
    assert len(found.trials) == 27
    assert found.best.cues == 2 and found.best.on_cuts == 1 and found.best.sheet.cues[1].start == 30
    assert found.best.window == Options().smooth.window and found.best.min_cue == Options().spot.min_cue
    assert f"{found.best.window:g} s" in found.reason


def test_a_short_film_is_tuned_without_cues_longer_than_itself(film: Clip) -> None:
    assert {t.min_cue for t in tune(analysis(film.path, 10)).trials} == {Fraction(4)}
    assert {t.cues for t in tune(analysis(film.path, 2)).trials} == {1}


def test_restless_moods_ask_for_more_smoothing(film: Clip) -> None:
    """Eight moods in a minute: cues that change every 7.5 s cost more than they give."""
    found = tune(analysis(film.path, 60, MOODS))
    assert found.best.changes <= 4


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [("1m1 Happy", 1.0, "1m1 Happy"), ("1m1 Happy", 0.06, "1m1 H…"), ("1m1 Happy", 0.03, "")],
)
def test_names_are_shortened_to_their_room(text: str, width: float, fits: str) -> None:
    assert letters(text, width, 0.01) == fits


@pytest.mark.parametrize(("width", "fits"), [(9, "1m1 Happy"), (8, "1m1"), (3, "1m1"), (2, "")])
def test_a_cue_is_named_whole_or_by_its_number(film: Clip, width: float, fits: str) -> None:
    (cue, *_) = analysis(film.path, 60, ["Happy"]).sheet.cues
    assert cue.name == "1m1 Happy"
    assert label(cue, width, 1) == fits


BASE = """
title = "Mine"   # a comment stays
[instruments.piano]
program = 0
[moods.default]
melody = ["piano"]
[smooth]
edge = 0.7    # sharp
window = 5
%s
[spot]        # where
max_cue = 44
[mix]
loudness = -20
"""


def test_a_saved_preset_has_all_of_its_base(seen: Analysis, tmp_path: Path) -> None:
    base, mine = tmp_path / "base.toml", tmp_path / "mine.toml"
    base.write_text(BASE % "")
    found = tune(seen, build(str(base)))
    best = found.trials[0]
    mine.write_text(preset_text(replace(found, best=best), base))
    made, was = build(str(mine)), build(str(base))
    assert made.smooth == replace(was.smooth, window=best.window) and made.smooth.edge == 0.7
    assert made.spot == replace(was.spot, min_cue=best.min_cue) and made.spot.max_cue == 44
    assert made.mix.loudness == -20 and was.smooth.window == 5
    text = mine.read_text()
    assert text.count("[smooth]") == text.count("window") == text.count("[spot]") == 1
    assert "# a comment stays" in text and "# sharp" in text
    again = preset_text(replace(found, best=best), mine)
    assert again == text
    for name in list_presets():
        mine.write_text(preset_text(found, load_preset(name).path))
        assert load_preset(mine).options["spot"]["min_cue"] == found.best.min_cue
    mine.write_text("smooth.edge = 0.3\nspot = { max_cue = 50 }\n" + BASE[: BASE.index("[smooth]")])
    with pytest.raises(PresetError, match="can't be changed"):
        preset_text(found, mine)


# ---------------------------------------------------------------- the commands


def test_preview_writes_what_its_suffix_says(videoscore: Callable[..., Said], tmp_path: Path) -> None:
    film = make_clip(tmp_path / "a film's.mp4", seconds=3, cuts=[40], audio="tone").path
    done = videoscore("preview", film, "-o", tmp_path / "t.png", "--text", "--perceiver", "scene")
    assert done.code == 0, done.err
    assert Image.open(tmp_path / "t.png").size == (1280, 900)
    assert "mood" in done.out and "1m1" in done.out and "0:00.000" in done.out
    again = videoscore("preview", film, "-o", tmp_path / "t.png")
    assert again.code != 0 and "already there" in again.err and "Traceback" not in again.err
    wrong = videoscore("preview", film, "-o", tmp_path / "t.gif")
    assert wrong.code == 2 and ".html" in wrong.err
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix in (".png", ".gif", ".part")) == ["t.png"]


def test_preview_of_many_is_a_contact_sheet(
    videoscore: Callable[..., Said], film: Clip, tmp_path: Path
) -> None:
    done = videoscore(
        "preview", film.path, film.path, "-o", tmp_path / "all.svg", "--json", "--perceiver", "scene"
    )
    assert done.code == 0, done.err
    assert (tmp_path / "all.svg").read_text().startswith("<?xml")
    assert [len(f["cues"]) for f in done.result["films"]] == [1, 1]
    no_page = videoscore("preview", film.path, film.path, "-o", tmp_path / "all.html")
    assert no_page.code == 2


def test_tune_saves_a_preset_that_scoring_reads(
    videoscore: Callable[..., Said], film: Clip, tmp_path: Path
) -> None:
    done = videoscore(
        "tune",
        film.path,
        "--save",
        tmp_path / "mine.toml",
        "--picture",
        tmp_path / "w.png",
        "--json",
        "--perceiver",
        "scene",
        "--preset",
        "piano",
    )
    assert done.code == 0, done.err
    options = build(str(tmp_path / "mine.toml"))
    best = done.result["best"]
    assert options.smooth.window == best["window"] and float(options.spot.min_cue) == float(best["min_cue"])
    assert Image.open(tmp_path / "w.png").size[0] == 1280
