"""The parts of the face perceiver: the finder, the crop, the models, and people followed from sample to
sample.

May import: what `mood` may. Begin with: `videoscore.mood.faces.finder.FaceFinder`.
"""
