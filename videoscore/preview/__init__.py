"""Look before you score: what videoscore sees in a film, as a picture, a page or text; and which settings
suit it.

May import: `text` and what stands below it. Begin with: `videoscore.preview.timeline.watch`.
"""
