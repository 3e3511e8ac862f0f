"""Sound by FluidSynth: one stem a part, each in a process of its own; and which SoundFont is used.

May import: what `perform` may. Begin with: `videoscore.perform.render.render.render`.
"""
