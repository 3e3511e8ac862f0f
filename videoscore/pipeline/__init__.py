"""The way from film to scored film, each part once: watch, write, sound; what the user said settled first
(settle.py), files made in a hidden folder (workspace.py) and published whole (outputs.py).

May import: `library` and what stands below it. Begin with: `videoscore.pipeline.score.score`.
"""
