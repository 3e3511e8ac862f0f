"""MP4 and QuickTime files as they are: their boxes, the tables of samples, and a track put among the others.

May import: what `perform` may. Begin with: `videoscore.perform.mux.mp4.graft.graft`.
"""
