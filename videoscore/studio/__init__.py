"""The studio: a local page on which a film's cues are seen, changed, heard and exported (docs/studio.md).

page/, static/      what is seen; no logic
desk.py             one film: its session, its jobs
session.py          what the user decided; pure
cue_edits.py, respot.py, view.py, command.py      pure parts of it
tasks.py, job_runner.py, export_plan.py, proxy.py     the long work, in a process of its own
live.py, live_session.py, live_routes.py     the camera: what a face shows, and the music for it
open_films.py, allowed_files.py, access.py      open films, files that may be opened, who may ask
routes.py, server.py      addresses, the server

May import: `batch` and what stands below it. Begin with: `videoscore.studio.server.serve`.
"""
