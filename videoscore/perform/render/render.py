"""Renders an arrangement to stems: one WAV file a part, played by one process a core."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections import deque
from pathlib import Path
from typing import Any

from videoscore import errors
from videoscore.errors import OutputError, SetupError
from videoscore.perform.parts import Arrangement, Part, Stem
from videoscore.perform.render import soundfont
from videoscore.perform.render.spaces import DRY
from videoscore.perform.render.stem import DRUM_BANK, EXPRESSED, PEDAL, QUANTUM, SECOND, StemJob, to_json
from videoscore.progress import Progress, silent
from videoscore.settings.fields import RenderOptions
from videoscore.workers.capacity import core_count
from videoscore.workers.child import start_module

DEFAULTS = RenderOptions()
# At most this share of the music is faded at its end, so that a clip of a second still sounds.
LONGEST_FADE = 0.25
# (index of the part, what is said of it), or (the worker, None) when that has ended
Line = tuple["int | _Worker", "dict[str, Any] | None"]


def render(
    arrangement: Arrangement,
    folder: Path,
    options: RenderOptions = DEFAULTS,
    workers: int | None = None,
    progress: Progress = silent,
) -> tuple[Stem, ...]:
    """Play every part with FluidSynth into ``folder/NN-name.wav``.

    Each stem is stereo float32 and exactly ``round(duration * sample_rate)`` samples long. Note times
    are rounded to FluidSynth's 64-sample grid: 0.67 ms off at most at 48 kHz, and never later on. The
    stems' plain sum is the music; each ends in a raised-cosine fade of ``options.fade`` seconds.

    Parameters
    ----------
    folder : made when it isn't there. Needs 23 MB a minute and part at 48 kHz.
    workers : processes at a time; by default the number of usable cores.
    progress : gets ("render", seconds of music done on average over the parts, duration).

    Raises
    ------
    SetupError : FluidSynth or a SoundFont is missing or unusable.
    OutputError, DiskFull : the folder can't be written.
    """
    soundfont.fluidsynth()
    font = soundfont.find_soundfont(options.soundfont)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder can't be made ({error.strerror})", path=folder, remedy="Choose another folder."
        ) from error
    samples = round(arrangement.duration * options.sample_rate)
    paths = [folder.resolve() / f"{k:02d}-{part.name}.wav" for k, part in enumerate(arrangement.parts, 1)]
    jobs = [job(part, arrangement, path, options, font) for part, path in zip(arrangement.parts, paths)]
    try:
        _run(jobs, workers or core_count(), options.sample_rate, progress)
    except BaseException:
        for path in paths:
            for leftover in (path, *path.parent.glob(f"{path.name}.part*")):
                with contextlib.suppress(OSError):
                    leftover.unlink()
        raise
    return tuple(
        Stem(part.name, path, options.sample_rate, samples) for part, path in zip(arrangement.parts, paths)
    )


def job(
    part: Part, arrangement: Arrangement, path: Path, options: RenderOptions, font: soundfont.Font
) -> StemJob:
    """What a worker needs to play `part`: its notes as events at samples on FluidSynth's grid."""
    rate = options.sample_rate
    samples = round(arrangement.duration * rate)
    quanta = rate // QUANTUM if rate % QUANTUM == 0 else None
    events: list[tuple[int, int, int]] = []

    def sample(tick: int) -> int:
        seconds = arrangement.tempo.seconds(tick)
        return QUANTUM * round(seconds * quanta) if quanta else QUANTUM * round(seconds * rate / QUANTUM)

    for note in part.notes:
        start = sample(note.start)
        end = max(sample(note.start + note.duration), start + QUANTUM)
        pitch = note.pitch + (SECOND if part.held and note.held else 0)
        events += [(start, pitch, note.velocity), (end, pitch, 0)]
    events += [(sample(tick), EXPRESSED, value) for tick, value in part.expression]
    events += [
        (sample(tick), PEDAL, value) for down, up in part.pedal for tick, value in ((down, 127), (up, 0))
    ]
    # at the same sample a note ends before the next of its pitch begins, and the pedal holds those that end
    events.sort(key=lambda event: (event[0], event[1] != PEDAL, event[2] > 0, event[1]))
    fade = min(options.fade, LONGEST_FADE * float(arrangement.duration))
    return StemJob(
        str(path),
        str(font.path.resolve()),
        rate,
        samples,
        round(fade * rate),
        options.space if options.reverb > 0 else DRY,
        options.reverb,
        part.depth,
        part.program,
        part.bank,
        part.drums,
        font.evened(part.volume, DRUM_BANK if part.drums else part.bank, part.program),
        part.pan,
        tuple(events),
        (*part.held, font.evened(part.volume, *part.held)) if part.held else None,
    )


class _Worker:
    """A running `videoscore.perform.render.stem`, which takes jobs as long as there are any; what it says of each
    arrives in `lines`, and None when it has ended."""

    def __init__(self, font: str, waiting: deque[tuple[int, str]], lines: queue.SimpleQueue[Line]) -> None:
        self.font, self.last_words = font, ""
        self.process = start_module("videoscore.perform.render.stem")
        # two threads, so that neither a full stdout nor a full stderr can stop the worker
        self.threads = [
            threading.Thread(target=self._talk, args=(waiting, lines), daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _talk(self, waiting: deque[tuple[int, str]], lines: queue.SimpleQueue[Line]) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        # an OSError: it has ended; an IndexError: nothing waits any more
        with self.process.stdout, contextlib.suppress(OSError, IndexError), self.process.stdin:
            ended = False
            while not ended:
                k, job = waiting.popleft()
                self.process.stdin.write(job + "\n")
                self.process.stdin.flush()
                ended = self._told(k, lines)
        lines.put((self, None))

    def _told(self, k: int, lines: queue.SimpleQueue[Line]) -> bool:
        """Pass on what is said of the job `k`. Returns whether it was the last that was heard of the process."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                fact = json.loads(line)
            except ValueError:  # cut off by a crash
                self.process.kill()
                return True
            if "finished" in fact:
                return False
            lines.put((k, fact))
        return True

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.last_words = line.strip() or self.last_words

    def finish(self) -> None:
        """Wait for a worker that has said all. Raises SetupError when it crashed."""
        code = self.process.wait()
        for thread in self.threads:
            thread.join()
        if code:
            raise SetupError(
                f"the synthesiser ended with code {code} {self.last_words}".rstrip(),
                path=self.font,
                remedy="Try another SoundFont with --soundfont.",
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _run(jobs: list[StemJob], workers: int, sample_rate: int, progress: Progress) -> None:
    """Run all jobs in `workers` processes, the busiest first; on any exception end them all."""
    busiest = sorted(range(len(jobs)), key=lambda k: -len(jobs[k].events))
    waiting = deque((k, to_json(jobs[k])) for k in busiest)
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
    progress_of = dict.fromkeys(range(len(jobs)), 0)
    running: set[_Worker] = set()
    try:
        for _ in range(min(workers, len(jobs))):
            running.add(_Worker(jobs[0].soundfont, waiting, lines))
        while running:
            who, fact = lines.get()
            if fact is None:
                assert isinstance(who, _Worker)
                who.finish()
                running.remove(who)
                continue
            if "error" in fact:
                raise getattr(errors, fact["error"])(
                    fact["problem"], path=fact["path"], remedy=fact["remedy"]
                )
            assert isinstance(who, int)
            progress_of[who] = fact["done"]
            progress(
                "render", sum(progress_of.values()) / len(jobs) / sample_rate, jobs[0].samples / sample_rate
            )
    finally:
        for worker in running:
            worker.kill()
