"""The new sound track into the film, its picture copied packet by packet: containers, codecs, the ffmpeg
command.

May import: what `perform` may. Begin with: `videoscore.perform.mux.mux.mux`.
"""
