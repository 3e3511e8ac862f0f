"""Reading processes: paths in, what became of them out; see `videoscore.library.read.reading_process`."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from videoscore.errors import SetupError
from videoscore.workers.child import start_module

LONGEST = 120.0  # seconds that one file may take
CRASHED = f"the reader crashed on it, or took over {LONGEST:.0f} s"
Answer = dict[str, Any]


def read_all(paths: Iterable[Path], jobs: int) -> Generator[tuple[Path, Answer], None, None]:
    """Read files in `jobs` processes; (path, what `worker.look` says), in the order in which they are done.

    Close the iterator to end the processes early. Raises SetupError when a reader can't run at all.
    """
    waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
    total = 0
    for path in paths:
        waiting.put(path)
        total += 1
    answers: queue.SimpleQueue[tuple[Path, Answer]] = queue.SimpleQueue()
    readers = [_Reader(waiting, answers) for _ in range(jobs)]
    try:
        for _ in range(total):
            path, answer = answers.get()
            if "setup" in answer:
                raise SetupError(answer["setup"], remedy="Run `videoscore doctor`.")
            yield path, answer
    finally:
        for reader in readers:
            reader.stop()


class _Reader:
    """A thread that keeps one `videoscore.library.read.reading_process` busy, and starts another when it crashes."""

    def __init__(
        self, waiting: queue.SimpleQueue[Path], answers: queue.SimpleQueue[tuple[Path, Answer]]
    ) -> None:
        self.waiting, self.answers, self.stopping = waiting, answers, False
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        with self.lock:
            self.stopping = True
            if self.process is not None:
                self.process.kill()
        self.thread.join()

    def _run(self) -> None:
        any_answer = False
        while not self.stopping:
            try:
                path = self.waiting.get_nowait()
            except queue.Empty:
                break
            answer = self._ask(path)
            if answer is None and not self.stopping and not any_answer and not self._works():
                answer = {"setup": "the process that reads MIDI files can't start", "content": None}
            any_answer = any_answer or answer is not None
            self.answers.put((path, answer or {"problem": CRASHED, "content": None}))
        with self.lock:
            if self.process is not None:
                self.process.kill()
                self.process.wait()
                self._close(self.process)

    def _ask(self, path: Path) -> Answer | None:
        """What the worker says of a file; None when it crashed."""
        with self.lock:
            if self.stopping:
                return None
            if self.process is None or self.process.poll() is not None:
                self.process = _start()
            process = self.process
        assert process.stdin is not None and process.stdout is not None
        watch = threading.Timer(LONGEST, process.kill)
        watch.start()
        line = ""
        try:
            process.stdin.write(json.dumps(str(path)) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            pass
        finally:
            watch.cancel()
        if line.endswith("\n"):
            return json.loads(line)
        process.kill()  # it is dead or as good as that; the next file gets another
        process.wait()
        self._close(process)
        return None

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    @staticmethod
    def _works() -> bool:
        """Whether a worker starts and ends in good order when it is asked nothing."""
        process = _start()
        try:
            process.communicate("", timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode == 0


def _start() -> subprocess.Popen[str]:
    return start_module(
        "videoscore.library.read.reading_process",
        errors=subprocess.DEVNULL,
        own_session=True,
        OMP_NUM_THREADS="1",
    )
