"""The models that read the mood of pictures, by name (registry.py), behind one protocol (perceiver.py). A new
one is one file and one line in `PERCEIVERS`.

May import: what `mood` may. Begin with: `videoscore.mood.perceivers.registry.get_perceiver`.
"""
