"""Every setting: its default, limits and help text (fields.py); a preset's file over them (preset_file.py);
both, with what the user said, made into `Options` (build.py).

May import: `cache` and what stands below it. Begin with: `videoscore.settings.build.build`.
"""
