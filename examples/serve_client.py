"""Have a running `videoscore serve` score a film, from any program: standard library only.

    videoscore serve --folder films &
    python examples/serve_client.py films holiday.mp4 holiday.scored.mp4 mood="0:00 Peaceful, 0:42 Dynamic"

The folder's .videoscore-serve.json says where the server is and holds its token. Ctrl-C cancels the job.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Server:
    """The server of a folder."""

    def __init__(self, folder: str) -> None:
        facts = json.loads((Path(folder) / ".videoscore-serve.json").read_text(encoding="utf-8"))
        self.url, self.token = facts["url"], facts["token"]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """GET, or POST with a body. Raises RuntimeError with the server's words."""
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                facts: dict[str, Any] = json.load(answer)
                return facts
        except urllib.error.HTTPError as error:
            said = json.load(error)
            raise RuntimeError(said.get("message") or said) from None


def main() -> int:
    if len(sys.argv) < 4:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    folder, film, output, *words = sys.argv[1:]
    settings = dict(word.split("=", 1) for word in words)
    try:
        server = Server(folder)
        job = server.ask("/jobs", {"input": film, "output": output, "settings": settings})
        try:
            while job["ended"] is None:
                time.sleep(0.5)
                job = server.ask(f"/jobs/{job['id']}")
                if stage := job["stage"]:
                    print(f"{stage['name']} {stage['done']:.0f} of {stage['total']:.0f} s", file=sys.stderr)
        except KeyboardInterrupt:
            job = server.ask(f"/jobs/{job['id']}/cancel", {})
            print("cancelled", file=sys.stderr)
            return 130
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    if job["state"] != "done":
        print(job["error"]["message"] if job["error"] else job["state"], file=sys.stderr)
        return 1
    print(json.dumps(job["result"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
