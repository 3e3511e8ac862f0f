"""A passage's parts on the roles that may play: what a role isn't there for, another takes over, so that no chord loses
a tone."""

from __future__ import annotations

from collections.abc import Mapping

from videoscore.compose.accompaniment import lay_pad, write_counter
from videoscore.compose.bank import load_bank
from videoscore.compose.cue import Page, Wish, shared_rng
from videoscore.compose.drums import choose_groove, lay_drums
from videoscore.compose.form import PHRASE, Phrase
from videoscore.compose.tone import Tone
from videoscore.compose.voicing import bass_line, layouts
from videoscore.mood.circle import centre
from videoscore.music.score import Role

# Who plays a part when its own role may not: the first of these that may.
STAND_INS = {
    Role.COUNTER: (Role.ACCOMPANIMENT, Role.PAD),
    Role.PAD: (Role.ACCOMPANIMENT, Role.COUNTER),
    Role.ACCOMPANIMENT: (Role.PAD, Role.COUNTER),
    Role.BASS: (Role.ACCOMPANIMENT, Role.PAD),
}
LOWEST_CHORD = 52  # E3: the lowest note of chords above the bass
TOP = 72  # and their highest
COUNTER_LOW = 57  # A3
DRUMS_FROM = 0.35  # arousal of a mood whose music has drums, where they may play


def into_roles(tones: Mapping[Role, list[Tone]], roles: frozenset[Role]) -> dict[Role, list[Tone]]:
    """The tones of a page by the roles that may play. What finds no stand-in is left out; what a single line can't play
    with its other notes goes to the stand-in, too."""
    out: dict[Role, list[Tone]] = {}
    for role, rows in tones.items():
        line: list[Tone] = rows
        over: list[Tone] = []
        if role in (Role.BASS, Role.COUNTER):
            line, over = _one_line(rows, highest=role is Role.COUNTER)
        stand_in = next((r for r in STAND_INS.get(role, ()) if r in roles), None)
        for part, player in ((line, role if role in roles else stand_in), (over, stand_in)):
            if player is not None:
                out.setdefault(player, []).extend(part)
    return {role: sorted(rows, key=lambda t: (t.start, t.pitch)) for role, rows in out.items() if rows}


def fill_roles(page: Page, wish: Wish) -> None:
    """Write what has to play and has no part: held chords, a second voice, the root, a groove."""
    wanted = wish.required & wish.roles
    band = centre(wish.mood)[1] > DRUMS_FROM and shared_rng(wish, "band").random() < 0.5
    if Role.DRUMS in wish.roles and not page.strokes and (band or Role.DRUMS in wanted):
        _add_drums(page, wish)
    missing = [role for role in sorted(wanted) if role is not Role.DRUMS and not page.tones.get(role)]
    if not wish.roles & set(page.tones):
        missing = [role for role in sorted(wish.roles) if role is not Role.DRUMS]
    if not missing:
        return
    bass = bass_line(page.chords)
    low = {h.start: p for h, p in zip(page.chords, bass)}
    layout = dict(
        zip(
            (h.start for h in page.chords),
            layouts(page.chords, bass, 3, LOWEST_CHORD, [TOP] * len(page.chords)),
        )
    )
    phrase = _phrase(page, wish)
    for role in missing:
        if role in (Role.PAD, Role.ACCOMPANIMENT):
            page.tones[role] = lay_pad(phrase, layout)
        elif role is Role.BASS:
            page.tones[role] = [Tone(h.start, h.length, low[h.start]) for h in page.chords]
        elif role is Role.COUNTER:
            tune = page.tones.get(Role.MELODY, [])
            page.tones[role] = write_counter(phrase, tune, low, wish.beats, None, COUNTER_LOW)


def _phrase(page: Page, wish: Wish) -> Phrase:
    """The whole cue as one phrase."""
    return Phrase("a", 0, 0, wish.bars, "end", wish.minor, 0, tuple(page.chords))


def _add_drums(page: Page, wish: Wish) -> None:
    _, arousal = centre(wish.mood)
    groove = choose_groove(load_bank(), wish.beats, arousal, shared_rng(wish, "drums"))
    if groove is None:
        return
    for start in range(0, wish.bars, PHRASE):
        last = start + PHRASE >= wish.bars
        bars = min(PHRASE, wish.bars - start)
        phrase = Phrase("a", 0, start, bars, "full", wish.minor, 0, ())
        ends = last and not wish.goes_on
        page.strokes += lay_drums(phrase, groove, wish.beats, start % 16 == 0, start % 8 == 4, ends)


def _one_line(tones: list[Tone], highest: bool) -> tuple[list[Tone], list[Tone]]:
    """A part as one line, none of its notes longer than to the next, and what is struck together with it."""
    line: dict[int, Tone] = {}
    over = []
    for tone in sorted(tones, key=lambda t: -t.pitch if highest else t.pitch):
        if tone.start in line:
            over.append(tone)
        else:
            line[tone.start] = tone
    rows = [line[start] for start in sorted(line)]
    ends = [*(t.start for t in rows[1:]), 1 << 30]
    return [Tone(t.start, min(t.length, end - t.start), t.pitch) for t, end in zip(rows, ends)], over
