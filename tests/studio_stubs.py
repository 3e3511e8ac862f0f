"""A film without a file, and scores without a composer, for the studio's tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np

from videoscore.compose.locked_notes import standing
from videoscore.cues.grid import sections, tempo_map
from videoscore.cues.sheet import CueSheet
from videoscore.cues.spot.spot import spot
from videoscore.mood.circle import MOODS, centre
from videoscore.mood.curve import MoodCurve
from videoscore.mood.smooth import smooth
from videoscore.music.score import Note, Role, Score
from videoscore.perform.parts import Arrangement
from videoscore.pipeline.watch import Analysis
from videoscore.settings.fields import Options
from videoscore.studio.session import Session
from videoscore.studio.state import Composition, Request, Take
from videoscore.video.frames import Cut
from videoscore.video.media import Media, VideoStream

RATE = Fraction(24000, 1001)


def seen(seconds: int = 120, scenes: int = 6, seed: int = 0, options: Options | None = None) -> Analysis:
    """A film whose mood changes every seconds / scenes s, mostly on cuts, which lie on pictures of 23.976 a second."""
    options, rng = options or Options(), np.random.default_rng(seed)
    duration = Fraction(round(seconds * RATE)) / RATE
    t = np.arange(0.25, float(duration), 0.5)
    scene = np.minimum((t / seconds * scenes).astype(int), scenes - 1)
    moods = rng.permutation(np.arange(scenes) % 8)
    points = np.array([centre(MOODS[m]) for m in moods])[scene] + 0.15 * rng.normal(size=(len(t), 2))
    rows = np.full((len(t), 8), 0.05)
    rows[np.arange(len(t)), moods[scene]] = 0.65
    raw = MoodCurve(t, points[:, 0].clip(-1, 1), points[:, 1].clip(-1, 1), rows, rng.uniform(0.3, 1, len(t)))
    times = {Fraction(round(seconds * k / scenes * RATE)) / RATE for k in range(1, scenes)}
    times |= {Fraction(int(k)) / RATE for k in rng.integers(48, int(duration * RATE) - 48, seconds // 6)}
    cuts = tuple(Cut(time, float(rng.uniform(0.4, 1))) for time in sorted(times))
    curve = smooth(raw, cuts, options.smooth)
    sheet = spot(
        curve, cuts, duration, options.spot, source="film.mp4", seed=options.seed, preset=options.preset
    )
    stream = VideoStream(0, "h264", 640, 360, 0, Fraction(1, 24000), 0, duration, 1 / RATE)
    media = Media(Path("film.mp4"), "mp4", stream, ())
    return Analysis(media, raw, curve, cuts, {"scene": np.ones(len(t))}, sheet, {})


def session(**film: int) -> Session:
    return Session(seen(**film), Options())


def score_of(sheet: CueSheet) -> Score:
    """What stands in for the composer: notes that hang on the cue's mood and seed; those of locked cues as they are."""
    notes: list[Note] = []
    for cue, place in zip(sheet.cues, sections(sheet)):
        if cue.locked:
            notes += standing(cue, place.start)
            continue
        chance = Random(f"{sheet.seed if cue.seed is None else cue.seed} {cue.mood} {cue.key} {sheet.preset}")
        notes += [
            Note(place.start + 480 * k, Role.MELODY, chance.randrange(48, 84), 240, 80)
            for k in range(cue.meter.bars * cue.meter.beats)
        ]
    return Score(tuple(sorted(notes)), sections(sheet), tempo_map(sheet), sheet.duration)


def made(sheet: CueSheet) -> Composition:
    score = score_of(sheet)
    arrangement = Arrangement((), score.sections, score.tempo, score.duration)
    return Composition(
        Path("take"), score, arrangement, Path("mix.wav"), Path("music.wav"), Path("music.mid"), -14.0, (0.1,)
    )


def compose(at_work: Session, request: Request | None = None) -> Take:
    """Do what was asked."""
    request = request or at_work.ask_changes()
    return at_work.add_take(request, made(request.sheet))


def notes_of(take: Take, number: int) -> tuple[tuple[int, int, int], ...]:
    """The notes of a cue, from its start."""
    place = take.composition.score.sections[number]
    return tuple(
        (n.start - place.start, n.pitch, n.duration)
        for n in take.composition.score.notes
        if place.start <= n.start < place.end
    )
