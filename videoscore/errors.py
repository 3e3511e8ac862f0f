"""Every error that videoscore raises on purpose, as one tree.

VideoscoreError
├── InputError          exit 3   the file can't be scored
│   ├── NotFound                 there is no such file, or it may not be read
│   ├── NotAVideo                no picture stream, or no known container
│   ├── BrokenVideo              a video, but nothing of it can be decoded
│   └── TooLarge                 a video beyond the bounds on length, picture size and streams
├── UsageError          exit 2   options that don't go together
│   ├── PresetError
│   └── CueSheetError            a cue sheet that breaks its schema
├── OutputError         exit 4   the result can't be written
│   ├── OutputExists             and --overwrite was not given
│   ├── ContainerError           the output's container can't hold the streams
│   └── DiskFull
├── SetupError          exit 5   a part of the system is missing (FluidSynth, a SoundFont, weights)
├── NoFace              exit 6   faces were to be read, and the video shows none
├── NoMood              exit 6   nothing in the video shows a mood, and one is needed
└── Cancelled           exit 130

Each error says in one line what is wrong, names the file, and ends in the remedy.
"""

from __future__ import annotations

from pathlib import Path

from videoscore.file_names import shown

MOST = 600  # characters of a problem that are shown


class VideoscoreError(Exception):
    """Base of the tree.

    Parameters
    ----------
    problem : what is wrong, in a few words without a full stop.
    path : the file it is about, if any.
    remedy : what the user can do, as an imperative sentence.
    """

    exit_code = 1

    def __init__(self, problem: str, *, path: str | Path | None = None, remedy: str = "") -> None:
        self.problem = problem
        self.path = None if path is None else Path(path)
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        where = "" if self.path is None else f"{shown(self.path)}: "
        what = f"{where}{_short(shown(self.problem)).rstrip('.')}."
        return f"{what} {shown(self.remedy)}".rstrip()

    def __reduce__(self) -> tuple:
        # the default reduction passes str(self) as `problem` and drops the keywords
        return (_rebuild, (type(self), self.problem, self.path, self.remedy))


def _rebuild(kind: type[VideoscoreError], problem: str, path: Path | None, remedy: str) -> VideoscoreError:
    return kind(problem, path=path, remedy=remedy)


def _short(text: str) -> str:
    """A name or value in a stranger's file may be of any length; who reads an error wants its ends."""
    return text if len(text) <= MOST else f"{text[: MOST // 2]} … {text[-MOST // 2 :]}"


class InputError(VideoscoreError):
    exit_code = 3


class NotFound(InputError):
    pass


class NotAVideo(InputError):
    pass


class BrokenVideo(InputError):
    pass


class TooLarge(InputError):
    pass


class UsageError(VideoscoreError):
    exit_code = 2


class PresetError(UsageError):
    pass


class CueSheetError(UsageError):
    pass


class OutputError(VideoscoreError):
    exit_code = 4


class OutputExists(OutputError):
    pass


class ContainerError(OutputError):
    pass


class DiskFull(OutputError):
    pass


class SetupError(VideoscoreError):
    exit_code = 5


class NoFace(VideoscoreError):
    exit_code = 6


class NoMood(VideoscoreError):
    exit_code = 6


class Cancelled(VideoscoreError):
    exit_code = 130
