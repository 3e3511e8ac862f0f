"""A cue too short for a tune: one chord, struck or held."""

from __future__ import annotations

from videoscore.compose.chords import chord
from videoscore.compose.cue import Page, Wish
from videoscore.compose.drums import CRASH, Stroke
from videoscore.compose.form import UNITS, Harmony, Phrase
from videoscore.compose.marks import Gesture
from videoscore.compose.tone import Tone
from videoscore.compose.voicing import bass_line, layouts
from videoscore.music.score import Role

STRUCK = 2 * UNITS  # how long a stinger's chord is held at most
TOP = 72


def write_gesture(wish: Wish, gesture: Gesture) -> Page:
    """The tonic chord of the cue in every part that may play."""
    length = wish.bars * wish.beats * UNITS
    tonic = Harmony(0, length, chord("i" if wish.minor else "I", wish.minor))
    phrase = Phrase("k", 0, 0, wish.bars, "end", wish.minor, 0, (tonic,))
    bass = bass_line([tonic])
    layout = layouts([tonic], bass, 3, 52, [TOP - 2])[0]
    sounding = length if gesture is Gesture.HELD else min(length, STRUCK)
    top = next(p for p in range(TOP, TOP + 12) if p % 12 in tonic.chord.tones)
    pitches = {
        Role.MELODY: (top,),
        Role.COUNTER: (layout[-1],),
        Role.ACCOMPANIMENT: layout,
        Role.PAD: layout,
        Role.BASS: (bass[0],),
    }
    page = Page([phrase], [tonic])
    for role in Role:
        if role in wish.roles and role in pitches:
            page.tones[role] = [Tone(0, sounding, p) for p in pitches[role]]
    if Role.DRUMS in wish.roles and gesture is Gesture.STINGER:
        page.strokes = [Stroke(0, CRASH, 0.9), Stroke(0, 36, 0.9)]
    return page
