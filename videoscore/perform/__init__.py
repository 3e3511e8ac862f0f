"""Playing a score: instruments for its roles (orchestrate/), sound (render/), under the original sound
(mix/), into the film (mux/). What they hand to each other is in parts.py.

May import: `compose` and what stands below it. Begin with:
`videoscore.perform.orchestrate.orchestrate.orchestrate`.
"""
