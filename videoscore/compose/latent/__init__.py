"""The latent composer: a tune from the latent space of a network, the rest from the composer.

May import: what `compose` may, and `compose`. Begin with: `videoscore.compose.latent.compose.compose`.
"""
