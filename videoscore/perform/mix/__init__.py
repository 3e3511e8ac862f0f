"""Stems and original sound together at the wanted loudness: speech, ducking, limiter.

May import: what `perform` may. Begin with: `videoscore.perform.mix.mix.mix`.
"""
