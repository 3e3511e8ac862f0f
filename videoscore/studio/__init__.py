"""The studio: a local page on which a film's cues are seen, changed, heard and exported (docs/studio.md).

page*.py, static/   what is seen; no logic
desk.py             one film: its session, its jobs
session.py          what the user decided; pure
editing.py, respot.py, view.py, command.py      pure parts of it
work.py, runner.py, export.py, proxy.py     the long work, in a process of its own
studio.py, files.py, guard.py, routes.py, server.py     open films, files, who may ask, addresses, the server
"""
