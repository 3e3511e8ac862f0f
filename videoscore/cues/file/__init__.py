"""The cue-sheet file: exact JSON, read field by field, and reconciled with what its user changed.

May import: what `cues` may. Begin with: `videoscore.cues.file.sheet_file.load`.
"""
