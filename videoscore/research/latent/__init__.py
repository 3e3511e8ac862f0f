"""How the latent composer is trained and how good it is.

May import: everything below `research`, and `research.composer`. Begin with: `videoscore.research.latent.train.train`.
"""
