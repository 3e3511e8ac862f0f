"""Cue sheets: which music plays when (sheet.py), with keys (keys.py), meters (meter.py) and the bar grid
(grid.py); made by spotting (spot/) or from wishes without a film (wishes.py), as files (file/), as markers
for editors (markers.py).

May import: `mood` and what stands below it. Begin with: `videoscore.cues.sheet.CueSheet`.
"""
