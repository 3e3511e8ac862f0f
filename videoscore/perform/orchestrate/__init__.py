"""A score's roles given to a preset's instruments, with registers, dynamics, and crossfades where palettes
change.

May import: what `perform` may. Begin with: `videoscore.perform.orchestrate.orchestrate.orchestrate`.
"""
