"""Reading films: what is in a file (probe), small pictures with the cuts between them (sample), the original
sound on the picture's timeline (sound); each bounded, whatever the file claims.

May import: `workers` and what stands below it. Begin with: `videoscore.video.probe.probe`.
"""
