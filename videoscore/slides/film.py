"""The picture of a slide show: frames from photographs, and MoviePy that takes them one after the other and encodes.

Only the photographs that are seen are in memory. Dissolves are blended here: MoviePy's composition of clips with masks
asks every clip of the film for every frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videoscore.errors import InputError, OutputError, SetupError, VideoscoreError
from videoscore.files import is_full, write_error
from videoscore.progress import Progress, silent
from videoscore.settings.fields import SlideOptions
from videoscore.slides.motion import Motion, motion
from videoscore.slides.photo import Photo
from videoscore.slides.reading import library, read
from videoscore.slides.titles import Lettering, caption, font_file, lay, lettering

if TYPE_CHECKING:
    from PIL.Image import Image

FADE = Fraction(1)  # seconds in which a title or a caption comes and goes
TITLE_TIME = Fraction(5)  # seconds of a title at most
GROUND_BLUR, GROUND_LIGHT = (
    1 / 30,
    0.55,
)  # of the ground of an upright photograph: in heights; share of its light
# Colours as players take them for HD, and said in the file; MoviePy alone leaves them to be guessed.
_COLOURS = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
_CODING = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-crf", "18", "-g", "250")
PRESET = "veryfast"


@dataclass(frozen=True)
class Slide:
    """A photograph in its time: seconds at which it has come half, and is half gone."""

    photo: Photo
    start: Fraction
    end: Fraction


def moviepy() -> Any:
    """The library. Raises SetupError without the extra.

    As it is imported it would read a file .env in the folders above it, and try programs by name.
    """
    from videoscore.perform.mux.remux import ffmpeg_path

    quiet = {
        "PYTHON_DOTENV_DISABLED": "1",
        "FFMPEG_BINARY": "ffmpeg-imageio",
        "FFPLAY_BINARY": ffmpeg_path(),
    }
    with _environment(quiet):
        try:
            import moviepy as module
        except ImportError as error:
            raise SetupError(
                f"{error.name or 'moviepy'} is missing", remedy='Run: pip install "videoscore[slideshow]"'
            ) from error
    return module


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def write_film(
    slides: Sequence[Slide], path: Path, options: SlideOptions, progress: Progress = silent
) -> None:
    """The slides as H.264 in MP4, without sound; it lasts until the end of the last one, a whole number of pictures.

    progress : told of ("film", seconds done, seconds in all).
    Raises OutputError, DiskFull, InputError (a photograph is gone) or SetupError. Something may be left at `path`.
    """
    module = moviepy()
    show = _Show(slides, options, module, progress)
    frames = round(slides[-1].end * options.fps)
    # half a frame more: MoviePy rounds down, and a whole number of frames may come out as a hair less
    clip = module.VideoClip(show.frame, duration=(frames + 0.5) / options.fps)
    try:
        clip.write_videofile(
            str(path),
            fps=options.fps,
            codec="libx264",
            preset=PRESET,
            audio=False,
            logger=None,
            threads=os.cpu_count(),
            ffmpeg_params=[*_CODING, *_COLOURS],
        )
    except VideoscoreError:
        raise
    except OSError as error:  # what ffmpeg said stands in it
        if is_full(error, str(error)):
            raise write_error(path, OSError(28, "No space left on device")) from error
        words = " ".join(str(error).split())[-200:]
        raise OutputError(
            f"the film can't be encoded ({words})", path=path, remedy="Free some space."
        ) from error
    progress("film", float(slides[-1].end), float(slides[-1].end))


@dataclass(eq=False)
class _Held:
    """A photograph that is seen now. image : no larger than is needed. ground : the frame behind it, if any."""

    image: Image
    motion: Motion
    ground: Image | None
    text: Lettering | None


@dataclass
class _Show:
    """Frames by their number; asked for in order, it holds one photograph, or two in a dissolve."""

    slides: Sequence[Slide]
    options: SlideOptions
    moviepy: Any
    progress: Progress
    first: int = 0  # the first slide that may still be seen
    held: dict[int, _Held] = field(default_factory=dict)
    title: Lettering | None = None

    def __post_init__(self) -> None:
        self.size = (2 * round(self.options.height * 8 / 9), self.options.height)
        self.font = font_file(self.options) if self.options.title or self.options.captions != "none" else None
        if self.options.title and self.font:
            self.title = lettering(self.moviepy, self.options.title, self.font, self.size, True)
        self.total = float(self.slides[-1].end)

    def frame(self, seconds: float) -> NDArray[np.uint8]:
        """uint8 (height, width, 3) at a time of MoviePy's, which is a frame's number over the rate."""
        t = Fraction(round(seconds * self.options.fps), self.options.fps)
        visible = [(k, share) for k, share in self._visible(t) if share > 0]
        for k in [k for k in self.held if k < visible[0][0]]:
            del self.held[k]
        image = self._drawn(visible[0][0], t)
        for k, share in visible[1:]:
            image = library().blend(image, self._drawn(k, t), float(share))
        out = np.array(image)
        self._letter(out, t, visible)
        self.progress("film", min(float(t), self.total), self.total)
        return out

    def _visible(self, t: Fraction) -> list[tuple[int, Fraction]]:
        """The slides that are seen, and how far each covers those before it."""
        while self.first + 1 < len(self.slides) and t >= self._dissolve(self.first + 1)[1]:
            self.first += 1
        out = [(self.first, Fraction(1))]
        for k in range(self.first + 1, len(self.slides)):
            begin, end = self._dissolve(k)
            if t < begin:
                break
            out.append((k, (t - begin) / (end - begin)))
        return out

    def _dissolve(self, k: int) -> tuple[Fraction, Fraction]:
        """When slide k comes and has come: around its start, never over half of what it or the one before lasts."""
        shortest = min(s.end - s.start for s in self.slides[k - 1 : k + 1])
        half = min(self.options.dissolve, shortest / 2) / 2
        return self.slides[k].start - half, self.slides[k].start + half

    def _span(self, k: int) -> tuple[Fraction, Fraction]:
        """From when until when slide k is seen."""
        begin = self._dissolve(k)[0] if k else Fraction(0)
        return begin, self._dissolve(k + 1)[1] if k + 1 < len(self.slides) else self.slides[k].end

    def _drawn(self, k: int, t: Fraction) -> Image:
        if k not in self.held:
            self.held[k] = self._load(k)
        held = self.held[k]
        begin, end = self._span(k)
        x0, y0, x1, y1 = held.motion.window
        box = held.motion.at(float((t - begin) / (end - begin)))
        seen = held.image.resize((x1 - x0, y1 - y0), library().Resampling.BILINEAR, box=box)
        if held.ground is None:
            return seen
        frame = held.ground.copy()
        frame.paste(seen, (x0, y0))
        return frame

    def _load(self, k: int) -> _Held:
        slide, zoom = self.slides[k], self.options.zoom
        width, height = self.size
        try:
            image, _ = read(slide.photo.path, round(width * zoom), round(height * zoom))
        except InputError as error:
            raise InputError(
                f"it could be read before, and now can't ({error.problem})",
                path=slide.photo.path,
                remedy="Run again.",
            ) from error
        way = motion(image.size, self.size, slide.photo.focus, zoom, inward=k % 2 == 0)
        text = caption(slide.photo, self.options)
        return _Held(
            image,
            way,
            _ground(image, self.size) if way.on_ground(width, height) else None,
            lettering(self.moviepy, text, self.font, self.size, False) if text and self.font else None,
        )

    def _letter(self, frame: NDArray[np.uint8], t: Fraction, visible: Sequence[tuple[int, Fraction]]) -> None:
        for k, share in visible:
            text = self.held[k].text
            gone = max((s for other, s in visible if other > k), default=Fraction(0))
            if text is not None:
                lay(frame, text, float(min(share, 1 - gone)))
        if self.title is not None:
            end = min(self.slides[0].end, TITLE_TIME)
            fade = min(FADE, end / 3)
            lay(frame, self.title, float(min(t / fade, (end - t) / fade, Fraction(1))))


def _ground(image: Image, size: tuple[int, int]) -> Image:
    """The photograph itself, filling the frame, blurred and darker."""
    from PIL import ImageFilter, ImageOps

    small = (size[0] // 8, size[1] // 8)  # a blur hides what is lost
    ground = ImageOps.fit(image, small).filter(ImageFilter.GaussianBlur(GROUND_BLUR * small[1]))
    return ground.point(lambda v: int(v * GROUND_LIGHT)).resize(size, library().Resampling.BICUBIC)
