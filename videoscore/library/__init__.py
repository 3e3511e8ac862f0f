"""One's own MIDI, tagged, kept in a database, matched to cues and fitted to them."""
