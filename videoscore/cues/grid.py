"""The bar grid of a cue sheet: ticks, tempo map and sections. Every cue boundary is a downbeat."""

from __future__ import annotations

from fractions import Fraction

from videoscore.cues.contour import mean
from videoscore.cues.sheet import Cue, CueSheet
from videoscore.music.performance import Performance
from videoscore.music.score import PPQ, Section, TempoMap

# MIDI writes a tempo as 24 bits of microseconds a quarter.
LONGEST_QUARTER = (1 << 24) - 1


def tempo_map(sheet: CueSheet) -> TempoMap:
    """Tempo map in which every cue starts on a downbeat, within a microsecond of its time.

    MIDI counts whole microseconds a quarter, so one tempo a cue would drift by up to half a
    microsecond a quarter. Each cue gets two tempi that differ by one microsecond, the slower one
    first, split where the exact end is met; what is left over is carried into the next cue.
    """
    changes: list[tuple[int, int]] = []
    tick, now = 0, 0  # now: microseconds at which the map has arrived
    for cue in sheet.cues:
        quarters = cue.meter.bars * cue.meter.beats
        microseconds = round(cue.end * 1_000_000)
        fast, slow_quarters = divmod(microseconds - now, quarters)
        fast = min(max(fast, 1), LONGEST_QUARTER - 1)
        if slow_quarters:
            changes.append((tick, fast + 1))
        changes.append((tick + slow_quarters * PPQ, fast))
        tick += quarters * PPQ
        now += fast * quarters + slow_quarters
    return TempoMap(tuple(_merge(changes)))


def _merge(changes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without changes that change nothing."""
    out: list[tuple[int, int]] = []
    for tick, us in changes:
        if not out or out[-1][1] != us:
            out.append((tick, us))
    return out


def sections(sheet: CueSheet) -> tuple[Section, ...]:
    """One section a cue, in ticks."""
    out, tick = [], 0
    for cue in sheet.cues:
        end = tick + cue.meter.bars * cue.meter.beats * PPQ
        valence, arousal = mean(cue.curve, cue.start, cue.end)
        bars = cue.meter.bars
        arousals = tuple(cue.at(bar_time(cue.start, cue.end, bars, bar))[1] for bar in range(bars))
        performance = performance_of(cue)
        out.append(
            Section(
                cue.name,
                cue.mood,
                valence,
                arousal,
                cue.key,
                tick,
                end,
                bars,
                cue.meter.beats,
                arousals,
                performance.chords if performance else (),
                performance=performance,
            )
        )
        tick = end
    return tuple(out)


def performance_of(cue: Cue) -> Performance | None:
    """How a locked cue is played; None of one that isn't locked. Notes that came without get a plain one."""
    if not cue.locked:
        return None
    return cue.performance or Performance(cue.seed or 0, 0, quarter_of(cue))


def quarter_of(cue: Cue) -> int:
    """Microseconds of a quarter note, rounded."""
    return min(max(round(60_000_000 / cue.bpm), 1), LONGEST_QUARTER)


def bar_time(start: Fraction, end: Fraction, bars: int, bar: int) -> Fraction:
    """Time of the middle of a bar, in seconds."""
    return start + (end - start) * (2 * bar + 1) / (2 * bars)
