"""A MIDI file becomes notes with roles on a bar grid, and sections with a mood, a key and a tempo.

May import: what `library` may. Begin with: `videoscore.library.read.read.read`.
"""
