"""The stems together as one piece of music: tone, loudness of its cues, compression, saturation, peaks.

May import: what `perform` may. Begin with: `videoscore.perform.master.master.master`.
"""
