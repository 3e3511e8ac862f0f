from __future__ import annotations

from dataclasses import dataclass

from videoscore.config import option


@dataclass(frozen=True)
class LibraryOptions:
    music: str = option("generate", "where the music comes from: generate (it is written), select (from the library), "
                                    "or auto (selected where a close match is there, else written)",
                        choices=("generate", "select", "auto"))
    path: str | None = option(None, "the library's file; by default the one of the user (docs/library.md)",
                              flag="library")
    builtin: bool = option(True, "also select from the music that comes with videoscore", flag="builtin-music")
    near: float = option(0.35, "with --music auto: a piece is close up to this distance on the valence-arousal plane",
                         min=0.0, max=3.0, flag="match-near")
    same_piece: bool = option(False, "allow one piece in two cues in a row", flag="same-piece")
    mood: float = option(5.0, "cost in selecting of a distance of 1 on the valence-arousal plane",
                         min=0.0, max=100.0, flag="match-mood")
    tempo: float = option(0.5, "cost in selecting of a tempo 10 % outside the range that suits the mood",
                          min=0.0, max=100.0, flag="match-tempo")
    stretch: float = option(0.6, "cost in selecting of a piece played 8 % faster or slower than it is written",
                            min=0.0, max=100.0, flag="match-stretch")
    length: float = option(1.0, "cost in selecting of a piece that has to be repeated for the whole cue",
                           min=0.0, max=100.0, flag="match-length")
    key: float = option(0.3, "weight in selecting of the key's relation to the cue before",
                        min=0.0, max=100.0, flag="match-key")
    variety: float = option(0.5, "cost in selecting of a piece that was heard before in the film",
                            min=0.0, max=100.0, flag="match-variety")
    recency: float = option(0.8, "cost in selecting of a piece that was in the last film; half for the one before",
                            min=0.0, max=100.0, flag="match-recency")
    chance: float = option(0.2, "share of the seed in selecting", min=0.0, max=100.0, flag="match-chance")
