"""Spotting: a smoothed mood curve and cuts become cues, whose boundaries lie on cuts, and hit points inside
them.

May import: what `cues` may. Begin with: `videoscore.cues.spot.spot.spot`.
"""
