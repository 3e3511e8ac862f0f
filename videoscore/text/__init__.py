"""Cue sheets, mood curves and choices as text, for whoever shows them.

May import: `stages` and what stands below it. Begin with: `videoscore.text.tables.cue_table`.
"""
