"""Photographs become a film with music of their moods, in which every photograph changes on a beat.

May import: `preview` and what stands below it. Begin with: `videoscore.slides.slideshow.slideshow`.
"""
