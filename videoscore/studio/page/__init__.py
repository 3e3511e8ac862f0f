"""What is seen of the studio, as NiceGUI elements: the start, a film, its inspector, takes and dialogs. No
logic.

May import: what `studio` may. Begin with: `videoscore.studio.page.start.add_pages`.
"""
