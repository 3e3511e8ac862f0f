"""Sections of the library for the cues of a sheet: the cheapest way through the film, fitted to each cue's
bars.

May import: what `library` may. Begin with: `videoscore.library.select.select.select`.
"""
