"""The live camera on the server: faces read from the page's pictures, pieces of the library played into files.

A picture is looked at and forgotten; none is written anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videoscore import __version__
from videoscore.cache import FolderCache, cache_folder
from videoscore.errors import Cancelled, InputError, VideoscoreError
from videoscore.mood.circle import mood_of
from videoscore.mood.faces.emotions import EMOTIONS, Array, music_point
from videoscore.settings.fields import Options
from videoscore.studio.job_runner import Runner
from videoscore.studio.live_session import LiveSession, Track
from videoscore.studio.tasks import Play

if TYPE_CHECKING:
    from videoscore.library.select.ranking import PlaylistEntry

MODEL = "vgg16-fer"
WIDTH, HEIGHT = 320, 240  # pixels of a picture at most
SMALLEST = 40  # pixels; side of the smallest face that counts as somebody before the camera
PIECES = 12  # of a playlist, at most
LONGEST = 900.0  # seconds of a piece
KEPT = 400 << 20  # bytes of played pieces that are kept for the next time


class FaceReader:
    """The emotions of the largest face of a picture. Slow to make (torch), and used from one thread at a time.

    Raises SetupError when the weights of the finder or of the model can't be read.
    """

    def __init__(self) -> None:
        from videoscore.mood.faces.finder import FaceFinder
        from videoscore.mood.faces.models import load_face_model

        self.finder = FaceFinder(threads=1, smallest=SMALLEST)
        self.model = load_face_model(MODEL)

    def read(self, rgb: NDArray[np.uint8]) -> Array | None:
        """(h, w, 3) -> (7,) probabilities; None without a face."""
        from videoscore.mood.faces.crop import face_crop
        from videoscore.mood.faces.models import SIDE

        faces = self.finder.find([rgb])[0]
        if not faces:
            return None
        largest = max(faces, key=lambda face: face.area)
        emotions = self.model.read(face_crop(rgb, largest, SIDE)[None]).emotions
        assert emotions is not None
        return emotions[0]


class Live:
    """One listener before one camera. folder : for played pieces; options : how they are played.

    library : the user's library file, if another than the usual.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder, self.options = folder / "live", options
        self.folder.mkdir(exist_ok=True)
        self.entries: list[PlaylistEntry] = []
        self.session = self._session()
        self.trouble = ""
        self._lists: dict[str, list[Track]] = {}
        self._reader: FaceReader | None = None
        self._reading = threading.Lock()
        self._runner = Runner()
        self._task: asyncio.Task[None] | None = None
        self._failed: set[int] = set()
        place = cache_folder("live")
        self._cache = None if place is None else FolderCache(place, KEPT, ".flac")

    def begin(self) -> None:
        """Forget what was seen: somebody turns the camera on."""
        self.session, self.trouble = self._session(), ""

    def _session(self) -> LiveSession:
        return LiveSession(self.playlist, lambda track: self.sound(track.number) is not None)

    async def look(self, t: float, rgb: NDArray[np.uint8]) -> None:
        """A picture of the camera at `t` seconds of the page's clock."""
        self.session.see(t, await asyncio.to_thread(self._read, rgb))
        self.prepare()

    def _read(self, rgb: NDArray[np.uint8]) -> Array | None:
        with self._reading:
            if self._reader is None:
                self._reader = FaceReader()
            return self._reader.read(rgb)

    def playlist(self, emotion: str) -> Sequence[Track]:
        """The pieces for an emotion: those of its mood, else the nearest. Raises InputError when there is no music."""
        if emotion not in self._lists:
            self._lists[emotion] = self._ranked(emotion)
        tracks = [t for t in self._lists[emotion] if t.number not in self._failed]
        if not tracks:
            raise InputError(
                "the library holds no piece that can be played",
                remedy="Add MIDI files with `videoscore library add FOLDER`.",
            )
        return tracks

    def _ranked(self, emotion: str) -> list[Track]:
        from videoscore.library.select.ranking import Dominant, rank
        from videoscore.library.select.select import open_library
        from videoscore.library.store.builtin import load_builtin

        valence, arousal = music_point(emotion)
        mood = mood_of(valence, arousal)
        database = open_library(self.options.library.path)
        with database if database is not None else contextlib.nullcontext():
            own = [] if database is None else [p for p in database.pieces() if p.path.is_file()]
        builtin = load_builtin() if self.options.library.builtin else ()
        wish = Dominant(mood, valence, arousal, 1.0, 1.0, 1.0)
        entries = [e for e in rank(wish, own, builtin, 10 * PIECES) if e.seconds <= LONGEST]
        matching = [e for e in entries if e.mood == mood] or entries[:1]
        return [self._track(entry) for entry in matching[:PIECES]]

    def _track(self, entry: PlaylistEntry) -> Track:
        paths = [known.path for known in self.entries]
        number = paths.index(entry.path) if entry.path in paths else len(paths)
        if number == len(paths):
            self.entries.append(entry)
        return Track(number, entry.title, entry.mood, entry.seconds)

    # ------------------------------------------------------------ sound

    def sound(self, number: int) -> Path | None:
        """The file of a piece that has been played; None for another."""
        path = self.folder / f"{number}.flac"
        return path if 0 <= number < len(self.entries) and path.is_file() else None

    def state(self) -> dict[str, Any]:
        """What the page is told: that of the session, what can be heard of it, and what went wrong."""
        told = self.session.state()
        for name in ("playing", "upcoming"):
            if told[name] is not None:
                told[name]["ready"] = self.sound(told[name]["number"]) is not None
        return {**told, "emotions": list(EMOTIONS), "trouble": self.trouble}

    def prepare(self) -> None:
        """See to it that the pieces that are needed next are being played into files, the nearest first."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._play_needed())

    def _needed(self) -> int | None:
        session = self.session
        tracks = [session.playing.track] if session.playing is not None else []
        if session.other is not None:
            tracks.append(session.next_of(session.other))
        if session.upcoming is not None:
            tracks.append(session.upcoming)
        return next((t.number for t in tracks if self.sound(t.number) is None), None)

    async def _play_needed(self) -> None:
        while (number := self._needed()) is not None:
            try:
                await asyncio.to_thread(self._play, number)
            except Cancelled:
                return
            except VideoscoreError as error:
                self.trouble = f"{self.entries[number].title} can't be played: {error}"
                self._failed.add(number)
                playing = self.session.playing
                if playing is not None and playing.track.number == number:
                    self.session.ended(playing.turn)

    def _play(self, number: int) -> None:
        entry, target = self.entries[number], self.folder / f"{number}.flac"
        name = self._name(entry)

        def copy(kept: Path) -> bool:
            shutil.copy(kept, target)
            return True

        if self._cache is not None and self._cache.get(name, copy):
            return
        part = target.with_suffix(".part")
        self._runner.run(Play(entry.path, entry.mood, entry.valence, entry.arousal, self.options, part))
        part.replace(target)
        if self._cache is not None:
            with target.open("rb") as sound:
                self._cache.put(name, lambda file: shutil.copyfileobj(sound, file))

    def _name(self, entry: PlaylistEntry) -> str:
        o = self.options
        how = repr(
            (__version__, entry.mood, entry.valence, entry.arousal, o.preset, o.seed, o.render, o.master)
        )
        return hashlib.sha256(entry.path.read_bytes() + how.encode()).hexdigest()

    async def close(self) -> None:
        self._runner.cancel()
        if self._task is not None:
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._runner.close)
