"""How a photograph moves through the frame: slow pans and zooms, never beyond its edges. Pure geometry."""

from __future__ import annotations

from dataclasses import dataclass

from videoscore.slides.photo import Focus

Box = tuple[float, float, float, float]  # x0, y0, x1, y1

# Width over height under which a photograph is shown whole on a ground, since filling the frame would lose too much.
UPRIGHT = 1.2
# Over the frame's own shape by which a photograph is panned along rather than zoomed into; how far, in its crops.
WIDE, PAN = 1.25, 0.5
ROOM = 1.3  # around faces, in their own size


@dataclass(frozen=True)
class Motion:
    """window : pixels of the frame (x0, y0, x1, y1) that the photograph fills; all of it unless it stands on a ground.
    begin, end : the part of the photograph (pixels) in the window, first and last; both of the window's shape."""

    window: tuple[int, int, int, int]
    begin: Box
    end: Box

    def at(self, share: float) -> Box:
        """The part that is seen at 0 .. 1 of the photograph's time."""
        x0, y0, x1, y1 = (a + share * (b - a) for a, b in zip(self.begin, self.end))
        return x0, y0, x1, y1

    def on_ground(self, width: int, height: int) -> bool:
        return self.window != (0, 0, width, height)


def motion(photo: tuple[int, int], frame: tuple[int, int], focus: Focus, zoom: float, inward: bool) -> Motion:
    """photo, frame : width, height in pixels. zoom : how far, 1 and more. inward : toward the focus, or away from it.

    What is seen at the closer end holds the focus, and all faces where these fit into it."""
    width, height = photo
    shape, frame_shape = width / height, frame[0] / frame[1]
    if shape < UPRIGHT:
        wide = min(frame[0], 2 * round(frame[1] * shape / 2) or 2)
        left = (frame[0] - wide) // 2
        window = (left, 0, left + wide, frame[1])
    else:
        window = (0, 0, *frame)
    ratio = (window[2] - window[0]) / (window[3] - window[1])
    most = min(float(width), height * ratio)  # the widest crop of the window's shape
    least = most / zoom
    if focus.box is not None:
        x0, y0, x1, y1 = focus.box
        needs = ROOM * max((x1 - x0) * width, (y1 - y0) * height * ratio)
        least = min(most, max(least, needs))
    if zoom > 1 and window[2] == frame[0] and shape > WIDE * frame_shape:
        half = min(PAN * most, width - most) / 2
        boxes = [_crop(photo, focus.x * width + d, focus.y * height, most, ratio) for d in (-half, half)]
    else:
        boxes = [_crop(photo, focus.x * width, focus.y * height, side, ratio) for side in (most, least)]
    begin, end = boxes if inward else boxes[::-1]
    return Motion(window, begin, end)


def _crop(photo: tuple[int, int], x: float, y: float, side: float, ratio: float) -> Box:
    """`side` pixels wide around (x, y), moved into the photograph."""
    tall = side / ratio
    left = min(max(x - side / 2, 0.0), max(photo[0] - side, 0.0))
    top = min(max(y - tall / 2, 0.0), max(photo[1] - tall, 0.0))
    return left, top, min(left + side, photo[0]), min(top + tall, photo[1])
