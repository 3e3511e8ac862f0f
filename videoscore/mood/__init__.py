"""The mood of a film over time, on the circle of valence and arousal (circle.py): pictures are read by a
perceiver, fused with motion, cutting, light and sound (fusion.py), and smoothed (smooth.py).

May import: `music` and what stands below it. Begin with: `videoscore.mood.perceive.perceive`.
"""
