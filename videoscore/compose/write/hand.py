"""One take being written: where the pen is, what may come next, and what has been written.

`Hand` turns the plan and what lies on the page into masks and biases for the fields of
the next step. It is pure bookkeeping on numpy arrays; the network is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from videoscore.compose.network.steps import DURATIONS, GRID, POSITIONS, ROLES
from videoscore.compose.plan.form import Return
from videoscore.compose.plan.harmony import TONIC, scale_of
from videoscore.compose.plan.plan import Gesture, Mark, PlannedBar
from videoscore.music.score import Role
from videoscore.music.theory import chord_pitch_classes

BARLINE = POSITIONS
NO = -1e9

# Onsets on sixteenths and on eighth triplets; anything finer in the corpus is ornament or noise.
PLAYABLE = np.array([p % 6 == 0 or p % 8 == 0 for p in range(POSITIONS)] + [True])
# In one bar either the one or the other divides the beat: positions in 1/24 quarters that do.
STRAIGHT, TRIPLET = (
    np.array([p % GRID in those for p in range(POSITIONS)] + [False]) for those in ((6, 12, 18), (8, 16))
)
# Notes of one role that may start together, and normalised pitches a role may use.
VOICES = {Role.MELODY: 1, Role.COUNTER: 2, Role.ACCOMPANIMENT: 4, Role.BASS: 1, Role.PAD: 4, Role.DRUMS: 4}
RANGES = {
    Role.MELODY: (60, 84),
    Role.COUNTER: (50, 84),
    Role.ACCOMPANIMENT: (40, 80),
    Role.BASS: (28, 57),
    Role.PAD: (43, 72),
    Role.DRUMS: (35, 81),
}
LONGEST_REST = 0.9  # seconds without a sounding note before an onset is asked for
# Quarters that a role may rest, in the calmest and in the most aroused bar; those left out rest as long as they like.
# Without it the network, asked for six parts, lets the tune be silent for half of the time.
RESTS = {
    Role.MELODY: (3.0, 1.25),
    Role.ACCOMPANIMENT: (4.0, 0.75),
    Role.BASS: (6.0, 1.5),
    Role.PAD: (4.0, 4.0),
    Role.DRUMS: (8.0, 1.0),
}
# Taken off the logit of a note above the tune, which would bury it.
UNDER = {Role.COUNTER: 0.8, Role.ACCOMPANIMENT: 1.6, Role.PAD: 2.4}
FAR = 7  # semitones that the tune may leap for nothing
LEAP = 0.15  # taken off the logit for every further semitone
CROWD = (3.0, 15.0)  # notes a second allowed at arousal -1 and +1: the density corridor's ceiling
DRUM = 0.33  # notes that a drum stroke counts as there
# Taken off the logit of a pitch outside the scale. Far more made everything so clean that it sounded canned: 1.2
# left no note in a hundred outside, real music has one in ten.
CHROMATIC = 0.3
STRUCK = 1.0  # quarters that a stinger's chord sounds at most


@dataclass(frozen=True)
class Written:
    """One note on the page: bar number in the plan, then onset, role, pitch, duration as in the network."""

    bar: int
    position: int
    role: int
    pitch: int
    duration: int  # 1/24 quarters


@dataclass
class Hand:
    """Writes the bars `first` <= number < `stop` of a plan.

    strength : how strongly scale and chord pull, 1 is normal.
    dictated : what stands in each of these bars already, by number; nothing is drawn then.
    """

    bars: Sequence[PlannedBar]
    first: int
    stop: int
    rng: np.random.Generator
    strength: float = 1.0
    page: list[Written] = field(default_factory=list)
    earlier: dict[int, list[Written]] = field(default_factory=dict)  # finished bars, for replays
    sounding: float = 0.0  # quarters after the start of the current bar until which something sounds
    until: dict[int, float] = field(default_factory=dict)  # likewise for each role
    same_melody: int = 0
    dictated: Mapping[int, Sequence[Written]] | None = None

    def __post_init__(self) -> None:
        self.bar = self.first - 1
        self.here: list[Written] = []
        self.queue: list[Written | None] = []
        self.tune: list[Written] = []  # what returns in this bar as its melody, and is still to come
        self.given = False  # the bar has such a melody

    @property
    def done(self) -> bool:
        return self.bar >= self.stop

    @property
    def planned(self) -> PlannedBar:
        return self.bars[min(self.bar, self.stop - 1)]

    @property
    def seconds_a_tick(self) -> float:
        return 60.0 / self.planned.plan.bpm / GRID

    def open_bar(self) -> None:
        """Cross the bar line."""
        if self.bar >= self.first:
            self.earlier[self.bar] = self.here
            self.sounding -= self.planned.plan.length / GRID
            self.until = {r: u - self.planned.plan.length / GRID for r, u in self.until.items()}
        self.bar, self.here, self.queue, self.tune, self.given = self.bar + 1, [], [], [], False
        if not self.done and self.dictated is not None:
            self.queue = [*self.dictated.get(self.bar, ()), None]
        elif not self.done and self.planned.replay is not None:
            old = self.earlier.get(self.planned.replay, [])
            if self.planned.how is Return.MELODY:
                self.tune = [w for w in old if w.role == Role.MELODY]
                self.given = bool(self.tune)
            else:
                self.queue = [*old, None] if old else []

    def write(self, note: Written) -> None:
        same = [w for w in self.page[-12:] if w.role == note.role]
        if note.role == Role.MELODY:
            self.same_melody = self.same_melody + 1 if same and same[-1].pitch == note.pitch else 0
            self.tune = self.tune[1:]
        self.here.append(note)
        self.page.append(note)
        stop = (note.position + note.duration) / GRID
        self.sounding = max(self.sounding, stop)
        self.until[note.role] = max(self.until.get(note.role, stop), stop)

    # -- masks, in the order in which the fields are asked for --

    def onset_mask(self) -> NDArray[np.bool_]:
        """(145,) onsets that may come next in this bar, and the bar line."""
        plan, last = self.planned.plan, self.here[-1] if self.here else None
        mask = PLAYABLE.copy()
        mask[plan.length : POSITIONS] = False
        if self.planned.chordal:
            return self._chord_mask(mask)
        if last is not None:
            mask[: last.position] = False
            if not self._roles_left(last.position).any():
                mask[last.position] = False
        if any(STRAIGHT[w.position] for w in self.here):
            mask &= ~TRIPLET
        elif any(TRIPLET[w.position] for w in self.here):
            mask &= ~STRAIGHT
        mask[: self._earliest()] = False
        latest = min(
            [round(self.sounding * GRID + LONGEST_REST / self.seconds_a_tick), *self._rested().values()]
        )
        if latest < plan.length:
            open_now = np.flatnonzero(mask[:POSITIONS])
            if len(open_now):
                mask[max(latest, int(open_now[0])) + 1 :] = False
        self._not_past(mask)
        if not mask.any():
            mask[BARLINE] = True
        return mask

    def _rested(self) -> dict[Role, int]:
        """Role -> onset in this bar from which it has rested long enough (`RESTS`); those that can't play are out."""
        level = 0.5 + 0.5 * float(np.clip(self.planned.plan.arousal or 0.0, -1, 1))
        out = {}
        for role, (calm, wild) in RESTS.items():
            if role in self.planned.plan.roles and not (role == Role.MELODY and self.given):
                rest = calm + (wild - calm) * level
                out[role] = round((self.until.get(role, 0.0) + rest) * GRID)
        return out

    def _not_past(self, mask: NDArray[np.bool_]) -> None:
        """Neither a hit nor a note of a returning tune may be passed over: the next of them stays in reach."""
        waiting = [self.tune[0].position] if self.tune else []
        mark = self._due()
        if mark is not None:
            waiting.append(mark.position)
            if self.here and self.here[-1].position == mark.position:  # struck, but not yet by all
                mask[:] = False
        if waiting:
            mask[min(waiting) + 1 :] = False
            mask[min(waiting)] = True

    def _due(self) -> Mark | None:
        """The first hit point of the bar that not all roles have struck."""
        for mark in self.planned.marks:
            if self._missing(mark.position):
                return mark
        return None

    def _missing(self, position: int) -> list[Role]:
        """Roles that are still to strike at the hit or chord at `position`, in their order."""
        if self.here and self.here[-1].position > position:
            return []
        there = {w.role for w in self.here if w.position == position}
        left = self._roles_left(position)
        return [
            r
            for r in Role
            if r in self.planned.plan.roles
            and left[r]
            and r not in there
            and not (r == Role.MELODY and self.given)
        ]

    def _chord_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """One chord: every role once on the downbeat, then the end."""
        mask[1:] = False
        mask[0] = bool(self._roles_left(0).any())
        mask[BARLINE] = not mask[0] or not self._missing(0)
        return mask

    def _earliest(self) -> int:
        """First onset at which one more note keeps to the density corridor (a leaky bucket of one beat)."""
        plan = self.planned.plan
        level = 0.0 if plan.arousal is None else plan.arousal
        crowd = CROWD[0] + (CROWD[1] - CROWD[0]) * (np.clip(level, -1, 1) + 1) / 2
        burst = max(6.0, crowd * GRID * self.seconds_a_tick)
        written = sum(DRUM if w.role == Role.DRUMS else 1.0 for w in self.here)
        late = (written + 1 - burst) / crowd / self.seconds_a_tick
        return int(np.clip(np.ceil(late), 0, POSITIONS))

    def _roles_left(self, position: int) -> NDArray[np.bool_]:
        """(6,) roles that may still place a note at `position`: order on the page is by role, then pitch down."""
        allowed = np.array([r in self.planned.plan.roles for r in Role])
        together = [w for w in self.here if w.position == position]
        if together:
            allowed[: together[-1].role] = False
        for role in Role:
            if sum(w.role == role for w in together) >= VOICES[role]:
                allowed[role] = False
        if self.planned.chordal and self.planned.gesture is not Gesture.STINGER:
            allowed[Role.DRUMS] = False
        return allowed

    def role_mask(self, position: int) -> NDArray[np.bool_]:
        """(6,) roles for a note at `position`."""
        mask = self._roles_left(position)
        if self.given:
            tune_now = bool(self.tune) and self.tune[0].position == position
            mask[Role.MELODY] = tune_now
            mask[Role.MELODY + 1 :] &= not tune_now
        else:
            overdue = [r for r, since in self._rested().items() if mask[r] and position >= since]
            if overdue:
                mask[min(overdue) + 1 :] = False
        if self.planned.chordal or any(m.position == position for m in self.planned.marks):
            missing = self._missing(position)  # every part joins
            if missing:
                mask[missing[0] + 1 :] = False
        return mask

    def pitch_bias(self, position: int, role: int) -> NDArray[np.float64]:
        """(128,) to be added to the logits: range, order, scale and chord."""
        low, high = RANGES[Role(role)]
        bias = np.zeros(128)
        if role == Role.MELODY and self.tune and self.tune[0].position == position:
            bias[:] = NO
            bias[self.tune[0].pitch] = 0.0
            return bias
        bias[:low] = bias[high + 1 :] = NO
        together = [w.pitch for w in self.here if w.position == position and w.role == role]
        if together:
            bias[min(together) :] = NO
        if role == Role.DRUMS:
            return bias
        plan = self.planned.plan
        pitch_class = np.arange(128) % 12
        chord = TONIC[plan.minor] if self.planned.final else plan.chord
        tones = chord_pitch_classes(chord)
        valence = plan.valence or 0.0
        scale = -self.strength * (CHROMATIC + 0.2 * valence)  # a darker cue bears more chromatic notes
        bias += np.where(np.isin(pitch_class, [*scale_of(plan.minor, chord), *tones]), 0.0, scale)
        if tones and (position % GRID == 0 or self.planned.chordal):
            pull = {Role.BASS: 3.0, Role.PAD: 2.0, Role.ACCOMPANIMENT: 1.5}.get(Role(role), 0.5)
            pull = 12.0 if self.planned.chordal else pull * self.strength * (1.0 if position == 0 else 0.6)
            bias -= np.where(np.isin(pitch_class, tones), 0.0, pull)
        if self.planned.final and role == Role.BASS:
            bias -= np.where(pitch_class == (9 if plan.minor else 0), 0.0, 12.0)
        tune = self.page_last(Role.MELODY)
        if tune is not None and role in UNDER:
            bias[tune + 1 :] -= UNDER[Role(role)]
        before = tune if role == Role.MELODY else None
        if before is not None:
            bias -= LEAP * np.maximum(0, np.abs(np.arange(128) - before) - FAR)
        if before is not None and self.same_melody >= 3:
            bias[before] -= 1.5 * (self.same_melody - 2)
        if not np.any(bias > NO / 2):
            bias[low] = 0.0
        return bias

    def page_last(self, role: int) -> int | None:
        """Pitch of the role's last note in this cue."""
        return next((w.pitch for w in reversed(self.page) if w.role == role), None)

    def duration_mask(self, position: int) -> NDArray[np.bool_]:
        """(26,) durations that end with the cue at the latest; a closing or held chord lasts to the end."""
        plan = self.planned.plan
        room = plan.length * (plan.until + 1) - position
        mask = room >= DURATIONS
        mask[0] = True
        wanted = None
        if self.planned.gesture is Gesture.STINGER:
            wanted = min(room, round(STRUCK * GRID))
        elif self.planned.chordal:
            wanted = room
        elif self.tune and self.tune[0].position == position:
            wanted = min(room, self.tune[0].duration)
        if wanted is not None:
            mask &= max(d for d in DURATIONS.tolist() if d <= max(wanted, 1)) == DURATIONS
        return mask


def roles_of(plan_roles: frozenset[Role]) -> NDArray[np.float32]:
    """(6,) multi-hot."""
    return np.array([r in plan_roles for r in Role], np.float32).reshape(ROLES)
