"""What is shown and played while somebody sits before the camera: no page, no sound, no clock of its own.

The emotion is the majority over the last `WINDOW` pictures. A piece is kept while the emotion holds, and goes on to the
next of the same playlist; `MOVE_ON` seconds of another emotion move on to that one's playlist. After `UNMET` pieces in
a row in which the emotion mostly wasn't the piece's, the listener is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videoscore.mood.faces.emotions import EMOTIONS, Array, majority

WINDOW = 20  # pictures that vote
FEWEST = 10  # pictures before the first piece is chosen
FACES = 0.5  # least share of them with a face; else no face is there
MOVE_ON = 10.0  # seconds of another emotion
UNMET = 5  # pieces in a row
LONGEST_STEP = 2.0  # seconds between two pictures that count; a page that slept has seen nothing


@dataclass(frozen=True)
class Track:
    """A piece of a playlist. number : by which its sound is asked for. seconds : about how long it is."""

    number: int
    title: str
    mood: str
    seconds: float


@dataclass
class Playing:
    """What is heard. turn : counts what was begun. seconds : since then. met : of these, in which the emotion was the
    piece's."""

    turn: int
    emotion: str
    track: Track
    seconds: float = 0.0
    met: float = 0.0


class LiveSession:
    """playlist : the pieces for an emotion, best first; never empty. ready : whether a piece can be heard by now; one
    that never was comes first when its emotion is back."""

    def __init__(
        self,
        playlist: Callable[[str], Sequence[Track]],
        ready: Callable[[Track], bool] = lambda track: True,
    ) -> None:
        self.playlist, self.ready = playlist, ready
        self.pictures: deque[Array | None] = deque(maxlen=WINDOW)
        self.playing: Playing | None = None
        self.choice: str | None = None  # what the listener wants to hear, whatever the camera shows
        self.asking = False
        self._unmet = 0
        self._turns = 0
        self._places: dict[str, int] = {}  # emotion -> pieces of its playlist that were begun
        self._other: tuple[str, float] | None = None  # another emotion, and since when
        self._last: float | None = None

    @property
    def shares(self) -> Array | None:
        """(7,) shares of the vote over the last pictures; None where no face is seen."""
        faces = [p for p in self.pictures if p is not None]
        if not faces or len(faces) < FACES * len(self.pictures):
            return None
        # with a window over all of them, the vote around the last is that of all
        return majority(np.array(faces), 2 * len(faces))[-1]

    @property
    def emotion(self) -> str | None:
        """The emotion that is shown; None where no face is seen."""
        shares = self.shares
        return None if shares is None else EMOTIONS[int(shares.argmax())]

    @property
    def other(self) -> str | None:
        """The emotion that music will move on to, if it lasts."""
        return None if self._other is None else self._other[0]

    @property
    def upcoming(self) -> Track | None:
        """What follows when the piece has ended and nothing has changed."""
        return None if self.playing is None else self.next_of(self.choice or self.playing.emotion)

    def next_of(self, emotion: str) -> Track:
        """The piece that an emotion's playlist goes on with."""
        tracks = self.playlist(emotion)
        return tracks[self._places.get(emotion, 0) % len(tracks)]

    def see(self, t: float, emotions: Array | None) -> None:
        """A picture at `t` seconds: (7,) probabilities of the emotions of its face; None without a face."""
        self.pictures.append(emotions)
        step = 0.0 if self._last is None else min(max(0.0, t - self._last), LONGEST_STEP)
        self._last = t
        now, playing = self.emotion, self.playing
        if playing is not None:
            playing.seconds += step
            playing.met += step * (now == playing.emotion)
        wish = self.choice or now
        if wish is None or (playing is not None and wish == playing.emotion):
            self._other = None
        elif playing is None:
            if len(self.pictures) >= FEWEST:
                self._begin(wish)
        elif self._other is None or self._other[0] != wish:
            self._other = (wish, t)
        elif t - self._other[1] >= MOVE_ON:
            self._begin(wish)

    def ended(self, turn: int) -> None:
        """The piece that was begun as `turn` is over, or nearly; older ones are over already."""
        if self.playing is not None and turn == self.playing.turn:
            self._begin(self.choice or self.emotion or self.playing.emotion)

    def choose(self, emotion: str | None) -> None:
        """The listener wants to hear music for an emotion; None: for what the camera shows. Raises ValueError."""
        if emotion is not None and emotion not in EMOTIONS:
            raise ValueError(f"{emotion} is no emotion")
        self.choice, self.asking, self._unmet = emotion, False, 0
        if emotion is not None and (self.playing is None or self.playing.emotion != emotion):
            self._begin(emotion)
            self._unmet = 0

    def state(self) -> dict[str, Any]:
        """For the page, ready for JSON."""
        shares, playing = self.shares, self.playing
        return {
            "emotion": self.emotion,
            "shares": None if shares is None else {e: round(float(s), 3) for e, s in zip(EMOTIONS, shares)},
            "playing": None
            if playing is None
            else {"turn": playing.turn, "emotion": playing.emotion, **_told(playing.track)},
            "upcoming": None if self.upcoming is None else _told(self.upcoming),
            "other": self.other,
            "choice": self.choice,
            "asking": self.asking,
        }

    def _begin(self, emotion: str) -> None:
        before = self.playing
        if before is not None:
            met = before.met >= 0.5 * before.seconds and before.seconds > 0
            self._unmet = 0 if met or self.choice is not None else self._unmet + 1
            self.asking = self.asking or self._unmet >= UNMET
            if emotion != before.emotion and not self.ready(before.track):
                self._places[before.emotion] -= 1
        track = self.next_of(emotion)
        self._places[emotion] = self._places.get(emotion, 0) + 1
        self._turns += 1
        self._other = None
        self.playing = Playing(self._turns, emotion, track)


def _told(track: Track) -> dict[str, Any]:
    return {"number": track.number, "title": track.title, "mood": track.mood}
