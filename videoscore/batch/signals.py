"""Ctrl-C once: finish what runs. Twice, or SIGTERM or SIGHUP: stop now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Stopper:
    """While it is entered, these signals are counted instead of killing; a third Ctrl-C does what it always does.

    no_more : no new film. now : leave running ones, too. tell : called with a line for the user.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.no_more = False
        self.now = False
        self._tell = tell
        self._depth = 0  # it may be entered again inside
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopper:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                if hasattr(signal, name):
                    number = getattr(signal, name)
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            for number, before in self._before.items():
                signal.signal(number, before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and not self.no_more:
            self.no_more = True
            self._tell("finishing the films that are under way; Ctrl-C again stops now")
            return
        self.no_more = self.now = True
        signal.signal(signal.SIGINT, self._before[signal.SIGINT])
