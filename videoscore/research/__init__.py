"""How the models were trained (run.py is the one loop for networks), and how good they are: a folder a model,
with what it learns from, how, and its figures. Nothing that scores a film imports it.

May import: `service` and what stands below it. Begin with: `videoscore.research.run.Run`.
"""
