"""One reading process: paths come in on stdin, a JSON line each, and what became of them goes out on stdout.

A process of its own, so that a file that crashes the reader costs no other file, and that all cores read. It ends
when stdin ends, and so with its parent, however that dies.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from videoscore.errors import NotFound, SetupError
from videoscore.files import read_start
from videoscore.library.read.content import digest
from videoscore.library.read.read import MOST_BYTES, Unusable, read
from videoscore.library.read.tag import describe


def look(path: Path) -> dict[str, Any]:
    """What is in a file: {"piece": facts}, or {"problem": words} or {"setup": words}, with its
    "content"."""
    try:
        data = read_start(path, MOST_BYTES)
    except NotFound as error:
        return {"problem": error.problem, "content": None}
    content = digest(data)
    try:
        return {"piece": describe(read(data), content, title_of(path)).facts(), "content": content}
    except Unusable as why:
        return {"problem": str(why), "content": content}
    except (ImportError, SetupError) as error:
        return {"setup": str(error), "content": content}
    except (ValueError, IndexError, ArithmeticError, MemoryError, RuntimeError) as error:
        # odd files must not stop the others; the kind of the error tells us where to look
        return {
            "problem": f"can't be understood ({type(error).__name__}: {str(error)[:80]})",
            "content": content,
        }


def title_of(path: Path) -> str:
    """A file's name as a title."""
    return " ".join(path.stem.replace("_", " ").split()) or path.stem


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(look(Path(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
