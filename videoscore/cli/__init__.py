"""The command line, one file a command; main.py finds it, teller.py is the one voice. It checks, calls the
rooms below, and says what they gave.

May import: `videoscore` and what stands below it. Begin with: `videoscore.cli.main.main`.
"""
