"""Written music, whoever wrote it: notes with roles on a bar grid (score.py), theory, MIDI, lead sheets;
features of notes, and the tagger that hears valence and arousal in them.

May import: `video` and what stands below it. Begin with: `videoscore.music.score.Score`.
"""
