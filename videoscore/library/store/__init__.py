"""What the library remembers: the database, the music that comes with videoscore, the catalogue to search,
CSV in and out.

May import: what `library` may. Begin with: `videoscore.library.store.database.Library`.
"""
