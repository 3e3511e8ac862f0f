"""What the live camera shows and plays: majority, patience, moving on, and the question after five pieces."""

from __future__ import annotations

import numpy as np
import pytest

from videoscore.mood.faces.emotions import EMOTIONS
from videoscore.studio.live_session import LiveSession, Track


def face(emotion: str, sure: float = 0.9) -> np.ndarray:
    rest = (1 - sure) / (len(EMOTIONS) - 1)
    return np.array([sure if e == emotion else rest for e in EMOTIONS])


def tracks(emotion: str) -> list[Track]:
    first = 10 * EMOTIONS.index(emotion)
    return [Track(first + k, f"{emotion} {k}", emotion, 60.0) for k in range(3)]


class Sitter:
    """Somebody before the camera, at five pictures a second."""

    def __init__(self, *unready: str) -> None:
        self.session, self.t = LiveSession(tracks, lambda track: track.title not in unready), 0.0

    def shows(self, emotion: str | None, seconds: float) -> LiveSession:
        for _ in range(round(5 * seconds)):
            self.session.see(self.t, None if emotion is None else face(emotion))
            self.t += 0.2
        return self.session

    @property
    def title(self) -> str:
        assert self.session.playing is not None
        return self.session.playing.track.title


def test_the_emotion_is_the_majority_of_the_last_twenty_pictures():
    sitter = Sitter()
    session = sitter.shows("sad", 4)
    assert session.emotion == "sad" and session.shares is not None
    assert session.shares[EMOTIONS.index("sad")] > 0.99
    sitter.shows("happy", 1.8)  # nine of twenty
    assert session.emotion == "sad"
    sitter.shows("happy", 0.4)
    assert session.emotion == "happy"
    assert session.shares.sum() == pytest.approx(1)


def test_a_piece_is_kept_while_the_emotion_holds_and_the_list_goes_on_when_it_ends():
    sitter = Sitter()
    session = sitter.shows("sad", 60)
    assert sitter.title == "sad 0" and session.playing.turn == 1
    session.ended(1)
    assert sitter.title == "sad 1" and session.upcoming.title == "sad 2"
    session.ended(1)  # told twice
    assert sitter.title == "sad 1"


def test_it_moves_on_after_ten_seconds_of_another_emotion_and_not_before():
    sitter = Sitter()
    session = sitter.shows("sad", 20)
    sitter.shows("happy", 10)
    assert sitter.title == "sad 0" and session.other == "happy"  # the majority turned two seconds ago or so
    sitter.shows("sad", 5)
    assert session.other is None
    sitter.shows("happy", 13)
    assert sitter.title == "happy 0"
    assert session.playing.emotion == "happy"


@pytest.mark.parametrize(("unready", "title"), [((), "sad 1"), (("sad 0",), "sad 0")])
def test_a_piece_that_was_never_heard_comes_first_when_its_emotion_is_back(unready, title):
    sitter = Sitter(*unready)
    for emotion in ("sad", "happy", "sad"):
        sitter.shows(emotion, 15)
    assert sitter.title == title


def test_the_next_piece_can_be_asked_for_before_this_one_is_ready():
    sitter = Sitter("sad 0")
    sitter.shows("sad", 5).ended(1)
    assert sitter.title == "sad 1"


def test_no_face_is_shown_as_none_and_the_music_goes_on():
    sitter = Sitter()
    sitter.shows("happy", 10)
    session = sitter.shows(None, 30)
    assert session.emotion is None and session.state()["shares"] is None
    assert sitter.title == "happy 0"
    assert Sitter().shows(None, 5).playing is None
    assert Sitter().shows("sad", 1).playing is None  # a first glance is no emotion yet


def test_after_five_pieces_that_met_another_emotion_it_asks_and_plays_what_is_chosen():
    sitter = Sitter()
    session = sitter.shows("sad", 5)
    for k in range(5):
        sitter.shows(None, 20)
        assert not session.asking, k
        session.ended(session.playing.turn)
    assert session.asking
    session.choose("happy")
    assert not session.asking and sitter.title == "happy 0"
    sitter.shows("sad", 30)
    assert sitter.title == "happy 0"  # the listener said so
    session.choose(None)
    sitter.shows("sad", 12)
    assert session.playing.emotion == "sad"


def test_pieces_that_met_their_emotion_are_no_reason_to_ask():
    sitter = Sitter()
    session = sitter.shows("sad", 5)
    for _ in range(8):
        sitter.shows("sad", 20)
        session.ended(session.playing.turn)
    assert not session.asking


def test_a_page_that_slept_has_seen_nothing_meanwhile():
    sitter = Sitter()
    session = sitter.shows("sad", 5)
    before = session.playing.seconds
    sitter.t += 3600
    sitter.shows("sad", 0.2)
    assert session.playing.seconds <= before + 2.0


def test_only_emotions_can_be_chosen():
    with pytest.raises(ValueError, match="hungry"):
        Sitter().session.choose("hungry")
