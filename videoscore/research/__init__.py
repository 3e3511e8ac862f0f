"""How the models were trained, and how good they are: a folder a model, each with data, train and evaluate.
Nothing that scores a film imports it.

May import: `studio` and what stands below it. Begin with: `videoscore.research.weights.write_weights`.
"""
