"""Phrases of harmony: how they open, how they go on, and how they close.

A half phrase is written bar by bar, chords of a bar apart by spaces. A phrase is an opening and a close, or a journey
and a close; so the phrases of a period begin alike and close otherwise. These are the stock of common-practice harmony
(as taught in Aldwell & Schachter, "Harmony and Voice Leading", and Caplin 1998, "Classical Form"), and beside it what
film and song use (Lehman 2018, "Hollywood Harmony"): modal turns, pedals, chromatic mediants.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stock:
    """Half phrases of two bars. openings : the theme's. journeys : of a contrasting phrase. half : to the dominant.
    full : to the tonic. open : to go on from. plagal : two bars after the end."""

    openings: tuple[str, ...]
    journeys: tuple[str, ...]
    half: tuple[str, ...]
    full: tuple[str, ...]
    open: tuple[str, ...]
    plagal: tuple[str, ...]


MAJOR = Stock(
    openings=(
        "I | V6", "I | V43 I6", "I | vi", "I | IV64 I", "I | ii42", "I V6 | vi", "I | I6 IV", "I IV | I6 V",
        "I | V65/vi vi", "I | iii", "I6 | IV",
    ),
    journeys=(
        "vi | V6/V V", "IV | V65/ii ii", "V | V42/IV IV6", "ii | V7 I", "vi iii | IV I", "V7/IV IV | V7/V V",
        "vi ii | V I6", "IV I6 | ii V6/vi vi", "V6/ii ii | V6 I",
    ),
    half=("ii6 | V", "IV | V", "vi ii6 | V", "V7/V | V", "IV6 | V", "I6 ii6 | V", "ii65 | V"),
    full=("ii6 V7 | I", "IV V7 | I", "I64 V7 | I", "ii65 V7 | I", "vi ii6 V7 | I", "IV6 V65 | I", "ii V7 | I"),
    open=("vi | IV", "IV | I6", "ii6 | V42", "V7 | vi", "V7/vi | vi"),
    plagal=("IV64@1 | I", "I | I", "iv@1 | I", "ii42@1 | I"),
)  # fmt: skip

SERENE = Stock(  # peace: plagal, pedals, soft sevenths and ninths
    openings=(
        "Iadd9 | IVmaj7", "I | IV@1", "I | iii", "I | vi7", "Imaj7 | vi7", "I | ii42@1", "I | Iadd9", "I6 | IVadd9",
        "I | V64@1",
    ),
    journeys=("vi7 | iii", "IVmaj7 | iii", "ii7 | vi7", "IV | I6", "vi | IVadd9", "iii | IV", "bVIImaj7 | IV"),
    half=("ii7 | V7", "IV | V", "vi7 ii7 | V", "ii65 | V", "IVmaj7 | V"),
    full=("IV V7 | I", "ii7 V7 | I", "IV | I", "ii65 V7 | Iadd9", "Vsus4 V | I", "iv6 | I"),
    open=("vi7 | IV", "ii7 | IV@1", "IV | vi7"),
    plagal=("IV@1 | I", "I | Iadd9", "IVadd9 | I", "iv@1 | I"),
)  # fmt: skip

BOLD = Stock(  # lively and major: fanfares, mixolydian turns, chains of fourths
    openings=(
        "I | V", "I | bVII", "I5 | IV@1", "I V | vi IV", "I | IV V", "I | V64@1", "I IV | I V", "I | II@1",
    ),
    journeys=("vi | IV", "IV | V", "bVI | bVII", "vi V | IV V", "bIII | bVII", "ii | V", "vi iii | IV I6"),
    half=("IV | V", "bVI bVII | V", "vi IV | V", "ii | V", "bVII IV | V", "V7/V | V"),
    full=("IV V | I", "ii6 V7 | I", "bVI bVII | I", "bVII IV | I", "I64 V7 | I", "IV V7 | I"),
    open=("vi | IV", "IV | bVII", "bVI | bVII"),
    plagal=("IV@1 | I", "bVII@1 | I", "I | I"),
)  # fmt: skip

MINOR = Stock(
    openings=(
        "i | V6", "i | iv64@1", "i | viio6 i6", "i VII6 | i6", "i | VI", "i | v6", "i | iiø42", "i iv | i V", "i | III",
    ),
    journeys=(
        "iv | VII III", "VI | III", "III | VII", "iv VII | III VI", "VI | V65/III III", "v6 | VI", "III VI | iio6 V",
        "VII6 | III", "iv6 | III6",
    ),
    half=("iv6 | V", "iv | V", "iio6 | V", "VI | V", "i6 iv | V", "viio7/V | V", "i6 iiø65 | V"),
    full=("iv V7 | i", "iio6 V7 | i", "i64 V7 | i", "iiø65 V7 | i", "VI iio6 V7 | i", "iv6 V65 | i"),
    open=("VI | III", "VI | iv", "iv | VII", "V7 | VI"),
    plagal=("iv@1 | i", "i | i", "iv6 | i", "viio7@1 | i"),
)  # fmt: skip

MOURNFUL = Stock(  # low and sad: the lament bass, suspended and modal
    openings=(
        "i | v6", "i | VI", "i | iv@1", "i | iadd9", "i v6 | iv6", "i | VImaj7", "i | III6", "i | iiø42@1",
    ),
    journeys=("VI | III", "iv | i6", "VImaj7 | VII", "III | iv", "iv7 | VII", "VI | iv", "III | v"),
    half=("iv6 | V", "VI | V", "iv | V", "iiø65 | V"),
    full=("iv V7 | i", "iiø65 V7 | i", "iv | i", "VI iiø65 V | i", "iv6 V | i", "iv Vsus4 V | i"),
    open=("VI | iv", "VI | III", "iv7 | v"),
    plagal=("iv@1 | i", "i | iadd9", "iv6 | i", "VI | i"),
)  # fmt: skip

TENSE = Stock(  # unease: diminished and neapolitan, pedals, chromatic bass
    openings=(
        "i | i", "i | viio7@1", "i | bII6", "i | iv64@1", "i viio7@1 | i", "i | #ivo7", "i | iiø42@1", "i | bvi",
        "i i6 | bII6",
    ),
    journeys=("viio7/iv iv | viio7/V V", "bII6 | viio7", "bVI | bII", "iv6 | viio7/V", "i6 | viiø65/iv iv", "bvi | iv"),
    half=("viio7/V | V", "bII6 | V", "iv6 | V", "bVI | V7", "bII6 viio7/V | V"),
    full=("bII6 V7 | i", "viio7 | i", "iiø65 V7 | i", "bVI V7 | i", "iv6 V7 | i", "bII6 V | i"),
    open=("viio7 | viio7/iv", "bII6 | viio7", "bVI | viio7/V"),
    plagal=("viio7@1 | i", "i | i", "bII6 | i"),
)  # fmt: skip

FIERCE = Stock(  # anger: power, phrygian and the flat side
    openings=(
        "i5 | i5", "i | i", "i | bII@1", "i5 | VI", "i | VII", "i5 bII5 | i5", "i | VI VII", "i | iv@1", "i VII | VI",
    ),
    journeys=("VI | VII", "iv | bII", "VI VII | i", "bII | VII", "iv | VI V", "v | VI", "III | VII"),
    half=("VI | V", "bII | V", "iv | V", "VI VII | V", "iv6 | V"),
    full=("VI VII | i", "bII V | i", "iv V | i", "VII | i", "bII VII | i5", "VI V | i"),
    open=("VI | VII", "VII | VI", "bII | VII"),
    plagal=("bII@1 | i5", "i5 | i5", "iv@1 | i"),
)  # fmt: skip

STOCKS: dict[str, tuple[Stock, Stock]] = {  # mood -> in its major, in its minor phrases
    "Happy": (MAJOR, MINOR),
    "Dynamic": (BOLD, FIERCE),
    "Angry": (BOLD, FIERCE),
    "Anxiety": (MAJOR, TENSE),
    "Depressed": (SERENE, MOURNFUL),
    "Withered": (SERENE, MOURNFUL),
    "Tired": (SERENE, MOURNFUL),
    "Peaceful": (SERENE, MOURNFUL),
}

# Plain chords -> with an added note.
COLOURS: dict[str, tuple[str, ...]] = {
    "I": ("Iadd9", "Imaj7"),
    "IV": ("IVmaj7", "IVadd9"),
    "ii": ("ii7",),
    "iii": ("iii7",),
    "vi": ("vi7",),
    "V": ("V7",),
    "i": ("iadd9", "i7"),
    "iv": ("iv7",),
    "VI": ("VImaj7",),
    "III": ("IIImaj7",),
    "VII": ("VII7",),
    "v": ("v7",),
}
COLOURED: dict[str, float] = {  # share of the chords that could be coloured
    "Happy": 0.12,
    "Dynamic": 0.15,
    "Angry": 0.25,
    "Anxiety": 0.4,
    "Depressed": 0.4,
    "Withered": 0.4,
    "Tired": 0.35,
    "Peaceful": 0.3,
}
