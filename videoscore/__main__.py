"""``python -m videoscore`` is the command ``videoscore``."""

from videoscore.cli.main import main

if __name__ == "__main__":
    main()
