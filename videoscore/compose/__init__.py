"""The composer: a cue sheet becomes a score of exactly its length; locked cues keep their notes.

May import: `cues` and what stands below it. Begin with: `videoscore.compose.compose.compose`.
"""
