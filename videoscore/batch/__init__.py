"""Many films at once: what is to be done (jobs.py, verdict.py), who gets which film (leader.py), and the truth
about what was done (ledger.py); docs/batch.md.

May import: `slides` and what stands below it. Begin with: `videoscore.batch.leader.Leader`.
"""
