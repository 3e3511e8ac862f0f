"""Plays parts with FluidSynth into one WAV file each, in a process of its own.

`python -m videoscore.perform.render.stem` reads a `StemJob` from each line of JSON on standard
input, one after another, and writes lines of JSON: {"done": samples} as it goes, {"finished": true}
after each, {"error": ...} when one fails, which ends it. Several such processes use all cores, and a
damaged SoundFont that crashes the library can't take the whole program with it.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoscore.audio.wav import wav_writer
from videoscore.errors import SetupError, VideoscoreError
from videoscore.perform.render import soundfont
from videoscore.perform.render.reverberation import Block, Reverberation
from videoscore.perform.render.spaces import DRY, impulse_response

QUANTUM = 64  # samples: FluidSynth's own block (FLUID_BUFSIZE), on whose borders events take effect
BUFFER = QUANTUM * 512
SILENCE = 1e-6  # -120 dBFS: what is left of a sound when the synthesiser may rest
# The packaged presets' music then has about -20 LUFS before the mix; float samples can't clip.
GAIN = 1.0
DRUM_BANK, DRUM_CHANNEL = 128, 9
EXPRESSED, PEDAL = -1, -2  # in place of a pitch
SECOND, SECOND_CHANNEL = (
    128,
    1,
)  # added to the pitch of a note that the second sound plays; the channel of that


@dataclass(frozen=True)
class StemJob:
    """One part, ready to play.

    events : (sample, pitch, velocity), sorted; velocity 0 ends a note; samples are multiples of 64. From a pitch of
        `SECOND` on it is a note of the second sound. In place of a pitch `EXPRESSED` sets the expression controller to
        the value in place of the velocity, `PEDAL` the sustain pedal (127 down, 0 up).
    samples : length of the file. fade : samples of fade-out at the end.
    space : where it is heard, of `videoscore.perform.render.spaces`, or "dry". reverb : 0 dry to 1. depth : of the
        seat, 0 front to 1. volume, pan : MIDI controllers 7 and 10.
    second : bank, program and volume of a second sound; None: there is none.
    """

    path: str
    soundfont: str
    sample_rate: int
    samples: int
    fade: int
    space: str
    reverb: float
    depth: float
    program: int
    bank: int
    drums: bool
    volume: int
    pan: int
    events: tuple[tuple[int, int, int], ...]
    second: tuple[int, int, int] | None = None


class Synth:
    """FluidSynth with one instrument, or two sounds of it. Samples are float32 and can't clip."""

    def __init__(self, job: StemJob) -> None:
        module = soundfont.fluidsynth()
        self._write = module._fl.fluid_synth_write_float  # pyfluidsynth itself offers 16 bits only
        self._write.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
        ]
        self._sfload = module.fluid_synth_sfload
        settings = {
            "synth.dynamic-sample-loading": 1,  # decode this instrument's samples only: 0.1 s, not 2
            "synth.chorus.active": 0,
            "synth.reverb.active": 0,  # the space is ours: videoscore.perform.render.spaces
        }
        self.synth = module.Synth(gain=GAIN, samplerate=job.sample_rate, **settings)
        font = self._load(job)
        self.channels = [DRUM_CHANNEL if job.drums else 0]
        # fonts lack some banks and programs: bank 0, then the standard kit or the first program, stand in
        banks = (DRUM_BANK,) if job.drums else (job.bank, 0)
        self._choose(font, self.channels[0], job, [(bank, p) for p in (job.program, 0) for bank in banks])
        self.synth.cc(self.channels[0], 7, job.volume)
        if job.second:
            bank, program, volume = job.second
            self.channels.append(SECOND_CHANNEL)
            self._choose(font, SECOND_CHANNEL, job, [(bank, program), (0, program), (0, job.program), (0, 0)])
            self.synth.cc(SECOND_CHANNEL, 7, volume)
        self._control(10, job.pan)

    def _load(self, job: StemJob) -> int:
        # pyfluidsynth's own sfload encodes the name as UTF-8, whatever its bytes are
        font = self._sfload(self.synth.synth, os.fsencode(job.soundfont), 0)
        if font < 0:
            raise SetupError(
                "FluidSynth can't read this SoundFont",
                path=job.soundfont,
                remedy="Give another one with --soundfont.",
            )
        return int(font)

    def _choose(self, font: int, channel: int, job: StemJob, sounds: list[tuple[int, int]]) -> None:
        """The first of these (bank, program) that the font has."""
        if any(self.synth.program_select(channel, font, *sound) == 0 for sound in sounds):
            return
        raise SetupError(
            "this SoundFont has no General MIDI instruments",
            path=job.soundfont,
            remedy="Give another one with --soundfont.",
        )

    def turn(self, pitch: int, velocity: int) -> None:
        """Start a note, or end it (velocity 0), or set the expression or the pedal."""
        if pitch == EXPRESSED:
            self._control(11, velocity)
        elif pitch == PEDAL:
            self._control(64, velocity)
        else:
            sound, key = divmod(pitch, SECOND)
            if velocity:
                self.synth.noteon(self.channels[sound], key, velocity)
            else:
                self.synth.noteoff(self.channels[sound], key)

    def _control(self, number: int, value: int) -> None:
        for channel in self.channels:
            self.synth.cc(channel, number, value)

    def render(self, out: np.ndarray, start: int, stop: int) -> None:
        """Fill `out[start:stop]`, out being (n, 2) float32 and contiguous."""
        pointer = out.ctypes.data
        self._write(self.synth.synth, stop - start, pointer, 2 * start, 2, pointer, 2 * start + 1, 2)

    @property
    def sounding(self) -> bool:
        """Whether any voice still plays, be it only its release."""
        return self.synth.get_active_voice_count() > 0

    def close(self) -> None:
        self.synth.delete()


def play(job: StemJob, tell: Callable[[int], None] = lambda done: None) -> None:
    """Render `job` to its file, exactly `job.samples` long, in constant memory.

    Parameters
    ----------
    tell : called with the number of samples done.

    Raises
    ------
    SetupError : no FluidSynth, or no usable SoundFont. OutputError, DiskFull : from writing.
    """
    synth = Synth(job)
    try:
        with wav_writer(Path(job.path), job.sample_rate, job.samples) as wav:
            done = 0
            for block in _heard(_played(synth, job, tell), job):
                _fade(block, done, job)
                wav.write(block)
                done += len(block)
    finally:
        synth.close()


def _played(synth: Synth, job: StemJob, tell: Callable[[int], None]) -> Iterator[Block]:
    """What the synthesiser plays, without a space around it."""
    events, position, resting = job.events, 0, True
    for start in range(0, job.samples, BUFFER):
        # whole quanta are rendered, so that the next event falls on a border again
        buffer = np.zeros((BUFFER, 2), np.float32)
        at = 0
        while at < BUFFER:
            while position < len(events) and events[position][0] <= start + at:
                synth.turn(*events[position][1:])
                position, resting = position + 1, False
            stop = min(BUFFER, events[position][0] - start) if position < len(events) else BUFFER
            if not resting:
                synth.render(buffer, at, stop)
            at = stop
        resting = resting or not synth.sounding and float(np.abs(buffer[-QUANTUM:]).max()) < SILENCE
        yield buffer[: job.samples - start]
        tell(min(start + BUFFER, job.samples))


def _heard(blocks: Iterator[Block], job: StemJob) -> Iterator[Block]:
    """The same in its space."""
    if job.space == DRY:
        return blocks
    response = impulse_response(job.space, job.pan, job.depth, job.reverb, job.sample_rate)
    return Reverberation(response, job.samples).run(blocks)


def _fade(block: np.ndarray, start: int, job: StemJob) -> None:
    """Raised-cosine fade in place over the job's last samples: -60 dB by its last 2 %."""
    first = job.samples - job.fade
    if start + len(block) <= first or job.fade == 0:
        return
    envelope = np.clip((job.samples - 1 - np.arange(start, start + len(block))) / job.fade, 0.0, 1.0)
    block *= (np.sin(0.5 * math.pi * envelope) ** 2)[:, None].astype(np.float32)


def main() -> int:
    """Read jobs from standard input, tell of them on standard output."""

    def say(**fact: Any) -> None:
        print(json.dumps(fact), flush=True)

    try:
        for line in sys.stdin:
            job = json.loads(line)
            job["events"] = [tuple(event) for event in job["events"]]
            play(StemJob(**job), lambda done: say(done=done))
            say(finished=True)
    except VideoscoreError as error:
        say(
            error=type(error).__name__,
            problem=error.problem,
            remedy=error.remedy,
            path=None if error.path is None else str(error.path),
        )
        return error.exit_code
    return 0


def to_json(job: StemJob) -> str:
    """The job as `main` reads it, one line."""
    return json.dumps(dataclasses.asdict(job))


if __name__ == "__main__":
    sys.exit(main())
