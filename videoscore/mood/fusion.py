"""What stills can't show: motion, cutting, loudness and changes of light. Pure: arrays in, MoodCurve out.

    arousal' = clip(arousal + motion * (MOTION * g_motion + MOTION_LEVEL * mean of g_motion around)
                    + cutting * CUTTING * g_cutting + sound * SOUND * g_sound
                    + brightness * BRIGHTNESS[1] * g_brightness + colour * COLOUR[1] * g_colour)
    valence' = clip(valence + brightness * BRIGHTNESS[0] * g_brightness + colour * COLOUR[0] * g_colour)

Each gauge g lies in [-1, 1] and is 0 at the ordinary; the small letters are the user's weights in
`PerceiveOptions`, and 0 switches a term off. The large ones are fitted on rated clips (`videoscore.mood.time_model`),
each with the sign of the literature: motion, shorter shots and sound energy raise arousal in Hanjalic & Xu 2005,
"Affective video content representation and modeling" (IEEE Trans. Multimedia 7(1)); brightness raises pleasure and
lowers arousal, saturation raises both in Valdez & Mehrabian 1994, "Effects of color on emotions" (J. Experimental
Psychology: General 123). Of brightness and colour only what changes within a film counts: of single pictures the scene
model knows it by itself. The gauges' reference values were set by hand from films.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoscore.mood.curve import MoodCurve
from videoscore.mood.evidence import Evidence
from videoscore.mood.octants import octant_probabilities
from videoscore.mood.perceivers.perceiver import Reading
from videoscore.mood.time_model import around, load
from videoscore.settings.fields import PerceiveOptions
from videoscore.video.frames import Cut

Array = NDArray[np.float64]

USUAL_CHANGE = 0.15  # of brightness and colourfulness within a film: makes a gauge of tanh(1)

USUAL_MOTION = 0.05  # `Frame.motion` of an ordinary shot: median over the clips of ../shared/data
MOTION_NOISE = 0.01  # below it motion can't be told from noise
USUAL_CUTS = 8.0  # a minute. Features have 5-15 (Cutting et al. 2011, i-Perception 2(6)), clips fewer
CUTS_NOISE = 2.0
CUT_WINDOW = 20.0  # seconds over which cuts are counted
UNCUT = 0.5  # people's own films are mostly single shots: few cuts say less than many
USUAL_LOUDNESS = -24.0  # LUFS of programmes (EBU R 128 asks for -23)
LOUDNESS_RANGE = 10.0  # LU that make a gauge of tanh(1)
RELATIVE = 0.7  # share of "against the rest of this film" in the loudness gauge
GATE = -70.0  # LUFS; silence doesn't count in the film's own level (ITU-R BS.1770-4)
FADE = 10.0  # seconds in which the mood before a black picture sinks to 1/e


def motion_gauge(motion: Array) -> Array:
    """(n,) `Frame.motion` -> (n,) in [-1, 1], increasing, 0 at `USUAL_MOTION`."""
    return np.tanh(np.log((motion + MOTION_NOISE) / (USUAL_MOTION + MOTION_NOISE)))


def cutting_gauge(t: Array, cuts: Sequence[Cut], duration: float) -> Array:
    """Cuts a minute in `CUT_WINDOW` seconds around each time -> (n,) in [-1, 1], 0 at `USUAL_CUTS`.

    A film shorter than the window says less about its cutting, and counts by its share of the window.
    """
    times = np.sort(np.array([float(c.t) for c in cuts]))
    low, high = np.maximum(t - CUT_WINDOW / 2, 0), np.minimum(t + CUT_WINDOW / 2, max(duration, 1e-3))
    count = np.searchsorted(times, high, "right") - np.searchsorted(times, low, "left")
    seconds = np.maximum(high - low, 1e-3)
    gauge = np.tanh(np.log((60 * count / seconds + CUTS_NOISE) / (USUAL_CUTS + CUTS_NOISE)))
    return np.where(gauge < 0, UNCUT * gauge, gauge) * min(1.0, duration / CUT_WINDOW)


def loudness_gauge(loudness: Array) -> Array:
    """(n,) LUFS -> (n,) in [-1, 1]: against the film's own median, and against the usual.

    A sound track that is silent from end to end says nothing: 0 throughout.
    """
    above_gate = loudness[loudness > GATE]
    if not len(above_gate):
        return np.zeros_like(loudness)
    relative = np.tanh((loudness - np.median(above_gate)) / LOUDNESS_RANGE)
    absolute = np.tanh((loudness - USUAL_LOUDNESS) / LOUDNESS_RANGE)
    return RELATIVE * relative + (1 - RELATIVE) * absolute


def change_gauge(level: Array, visible: Array) -> Array:
    """(n,) brightness or colourfulness -> (n,) in [-1, 1] against the film's own median over what is visible."""
    levels = level[visible > 0]
    return (
        np.tanh((level - np.median(levels)) / USUAL_CHANGE) * visible if len(levels) else np.zeros_like(level)
    )


@dataclass(frozen=True, eq=False)
class Gauges:
    """(n,) each, in [-1, 1], 0 at the ordinary."""

    motion: Array
    motion_level: Array
    cutting: Array
    sound: Array
    brightness: Array
    colour: Array


def measure(t: Array, evidence: Evidence, weight: Array, cuts: Sequence[Cut], duration: float) -> Gauges:
    """All gauges of a film. weight : (n,) how far there is anything to be seen."""
    # between a sample and the next lies no less motion than before it: the first has none of its own
    motion = evidence.motion.copy()
    if len(motion) > 1:
        motion[0] = motion[1]
    moving = weight * motion_gauge(motion)
    silent = np.zeros_like(t)
    return Gauges(
        motion=moving,
        motion_level=around(t, moving[:, None], weight)[:, 0],
        cutting=cutting_gauge(t, cuts, duration),
        sound=silent if evidence.loudness is None else loudness_gauge(evidence.loudness),
        brightness=change_gauge(evidence.brightness, weight),
        colour=change_gauge(evidence.colour, weight),
    )


def fuse(
    t: Array,
    reading: Reading,
    evidence: Evidence,
    cuts: Sequence[Cut],
    duration: float,
    options: PerceiveOptions,
) -> MoodCurve:
    """One curve from the pictures' readings and what happens between them.

    Parameters
    ----------
    t : (n,) seconds, increasing. reading : n readings. duration : of the film, seconds.

    Where nothing is visible, or the perceiver had nothing to read, the mood seen last is held and sinks to
    neutral within some `FADE` seconds, and the confidence is (near) 0, so that smoothing fills the gap from
    both sides.
    """
    weight = evidence.visible * reading.seen
    valence, arousal, moods = _hold(t, reading, weight)
    model = load()
    gauges = measure(t, evidence, weight, cuts, duration)
    light, colour = options.brightness * gauges.brightness, options.colour * gauges.colour
    push = options.motion * (model.motion * gauges.motion + model.motion_level * gauges.motion_level)
    push += options.cutting * model.cutting * gauges.cutting + options.sound * model.sound * gauges.sound
    push += model.brightness[1] * light + model.colour[1] * colour
    lift = model.brightness[0] * light + model.colour[0] * colour
    shift = np.clip(valence + lift, -1, 1), np.clip(arousal + push, -1, 1)
    return MoodCurve(
        t=t,
        valence=shift[0],
        arousal=shift[1],
        moods=_shift(moods, (valence, arousal), shift),
        confidence=np.clip(reading.confidence * weight, 0, 1),
    )


def _hold(t: Array, reading: Reading, visible: Array) -> tuple[Array, Array, Array]:
    """Readings, replaced by the share that isn't visible with a fading memory of what was."""
    columns = np.column_stack([reading.valence, reading.arousal, reading.moods])  # (n, 10)
    neutral = np.concatenate([[0.0, 0.0], octant_probabilities(np.zeros(1), np.zeros(1))[0]])
    out = np.empty_like(columns)
    memory = neutral
    for i, share in enumerate(visible):
        if i:
            memory = neutral + (memory - neutral) * np.exp(-(t[i] - t[i - 1]) / FADE)
        out[i] = memory = share * columns[i] + (1 - share) * memory
    return out[:, 0], out[:, 1], out[:, 2:]


def _shift(moods: Array, before: tuple[Array, Array], after: tuple[Array, Array]) -> Array:
    """Probabilities moved along with the point, whatever perceiver gave them: each is multiplied by the ratio
    of what `octant_probabilities` gives for the point after and before."""
    shifted_moods = moods * octant_probabilities(*after) / np.maximum(octant_probabilities(*before), 1e-9)
    return shifted_moods / shifted_moods.sum(1, keepdims=True)
