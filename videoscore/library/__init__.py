"""The user's own MIDI: read and tagged (read/), kept in a database (store/), matched to cues and fitted to
their bars (select/).

May import: `perform` and what stands below it. Begin with: `videoscore.library.add.add`.
"""
