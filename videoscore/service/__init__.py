"""Scoring for other programs on this machine: a queue of jobs over local HTTP, the batch's workers behind it.

May import: `studio` and what stands below it. Begin with: `videoscore.service.server.serve`.
"""
