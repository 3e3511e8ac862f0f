"""Sound as blocks of samples, whoever made it: K-weighting, loudness, true peak, and WAV files of any length.

May import: `settings` and what stands below it. Begin with: `videoscore.audio.loudness.measure`.
"""
