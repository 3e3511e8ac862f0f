"""`videoscore serve` under other programs' load: bad requests, cancelled jobs, a killed worker, a killed server.

    python benchmarks/serve.py FOLDER [--requests 50] [--clients 4]

Makes short films in FOLDER (new or empty), starts the server on it, and has as many clients at once ask for them over
HTTP, each its next film when the one before has ended. Five requests are bad (three refused at the door, two films
that are none), three are cancelled while they are worked on. A worker is killed after a fifth of them, the server
itself after two fifths; it is started again and the clients go on. Then everything that was promised is counted: the
state of each job, the pictures of each film, packet for packet, what else lies in the folder, who can reach the
server, memory over time. With openapi-spec-validator installed, the server's description is validated by it. Exit
code 1: something was lost.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil

ADDRESS = ".videoscore-serve.json"
STORE = ".videoscore-serve.sqlite"
EVERY = 1.0  # seconds between two looks at the memory
BAD = {
    3: ({"input": "nowhere.mp4"}, 404),
    13: ({"settings": {"smoth": 3}}, 400),
    23: ({"output": "../outside.mp4"}, 400),
}
NO_FILMS = (33, 43)
CANCELLED = (4, 14, 24)


def ffmpeg(*words: str | Path) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout


def make(folder: Path, count: int) -> None:
    """Two shots of three seconds in all, films of different colours and tones; those to be cancelled last 60 s."""
    for k in range(count):
        film = folder / f"f{k}.mp4"
        if k in NO_FILMS:
            film.write_bytes(b"This is no film.\n" * 100)
            continue
        half = 30 if k in CANCELLED else 1.5
        shots = [
            f"color=c=0x{(37 * k) % 256:02x}{c:02x}40:s=160x90:r=25:d={half},hue=h=20*t" for c in (60, 200)
        ]
        sources = [w for shot in shots for w in ("-f", "lavfi", "-i", shot)]
        tone = ["-f", "lavfi", "-i", f"sine=f={200 + 10 * k}:d={2 * half}"]
        joined = ["-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]", "-map", "[v]", "-map", "2:a"]
        ffmpeg(
            *sources, *tone, *joined, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", film
        )


def packets(film: Path) -> bytes:
    """A hash of the picture's packets."""
    return ffmpeg("-i", film, "-map", "0:v:0", "-c", "copy", "-f", "hash", "-")


@dataclass
class Server:
    """The server of a folder as a process, started again when it was killed.

    memory : of each start, (seconds, bytes of the server, of its largest worker).
    """

    folder: Path
    slots: int
    memory: list[list[tuple[float, int, int]]] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    up: threading.Event = field(default_factory=threading.Event)
    address: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        words = ["serve", "--folder", str(self.folder), "--jobs", str(self.slots), "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "videoscore", *words], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())
        self.memory.append([])
        threading.Thread(target=self._watch, args=(self.process, self.memory[-1]), daemon=True).start()
        self.up.set()

    def _watch(self, process: subprocess.Popen[str], seen: list[tuple[float, int, int]]) -> None:
        begin, server = time.monotonic(), psutil.Process(process.pid)
        while process.poll() is None:
            try:
                workers = [p.memory_info().rss for p in server.children(recursive=True)]
                seen.append((time.monotonic() - begin, server.memory_info().rss, max(workers, default=0)))
            except psutil.Error:
                pass  # one of them has just ended
            time.sleep(EVERY)

    def workers(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children()

    def kill(self) -> None:
        assert self.process is not None
        self.up.clear()
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer. Raises OSError or HTTPException while it is down."""
        host = self.address["url"].removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        head = {"Authorization": f"Bearer {self.address['token']}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), head)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def insist(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The same, through a death of the server. Asking twice for one output gives 409."""
        while True:
            try:
                return self.ask(method, path, body)
            except (OSError, http.client.HTTPException):
                self.up.wait(120)
                time.sleep(0.2)


def client(server: Server, k: int) -> dict[str, Any]:
    """Ask for film `k` and stay until its end."""
    body = {"input": f"f{k}.mp4", "output": f"f{k}.scored.mp4", "settings": {"seed": k}}
    status, said = server.insist("POST", "/jobs", body | BAD.get(k, ({}, 0))[0])
    if status == 409:  # the answer to the first asking was lost
        output = str(server.folder / body["output"])
        said = next(j for j in server.insist("GET", "/jobs?most=1000")[1] if j["request"]["output"] == output)
    elif status != 201:
        return {"k": k, "status": status, "state": "refused", "error": said}
    cancelled = False
    while said["ended"] is None:
        time.sleep(0.25)
        said = server.insist("GET", f"/jobs/{said['id']}")[1]
        if k in CANCELLED and not cancelled and said["stage"] and said["stage"]["name"] != "probe":
            server.insist("POST", f"/jobs/{said['id']}/cancel", {})
            cancelled = True
    return {"k": k, "status": 201, **said}


def busiest(server: Server) -> psutil.Process:
    """The worker that does the most just now; what it has others do, as playing a stem, counts as its own."""

    def spent(worker: psutil.Process) -> float:
        total = 0.0
        with suppress(psutil.Error):  # one of them has just ended
            for process in (worker, *worker.children(recursive=True)):
                total += sum(process.cpu_times()[:2])
        return total

    workers = server.workers()
    before = [spent(w) for w in workers]
    time.sleep(1.0)
    return max(zip(workers, before), key=lambda pair: spent(pair[0]) - pair[1])[0]


def begun_again(server: Server, before: dict[int, float]) -> list[int]:
    """The jobs that were running and have another beginning now: within 10 s, else none."""
    for _ in range(50):
        time.sleep(0.2)
        jobs = [server.ask("GET", f"/jobs/{id}")[1] for id in before]
        if again := [j["id"] for j in jobs if j["started"] != before[j["id"]]]:
            return again
    return []


def disturb(server: Server, ended: list[int], count: int, told: dict[str, Any]) -> None:
    """Kill a worker that is at work, later the server, and start it again."""
    while len(ended) < count // 5:
        time.sleep(0.1)
    before = {j["id"]: j["started"] for j in server.ask("GET", "/jobs?state=running")[1]}
    busiest(server).kill()
    told["begun_again_after_a_worker_was_killed"] = begun_again(server, before)
    while len(ended) < 2 * count // 5:
        time.sleep(0.1)
    jobs = server.ask("GET", "/health")[1]["jobs"]
    told["server_killed_with"] = {state: n for state, n in jobs.items() if n}
    server.kill()
    begin = time.monotonic()
    server.start()
    while True:
        try:
            server.ask("GET", "/health")
            break
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    told["answers_again_after_s"] = round(time.monotonic() - begin, 2)


def reach(server: Server) -> dict[str, Any]:
    """Who can reach it: what it listens on, and whether this machine's other addresses are let in."""
    assert server.process is not None
    family = [psutil.Process(server.process.pid), *server.workers()]
    sockets = [c.laddr for p in family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    port = int(server.address["url"].rsplit(":", 1)[1])
    others = [
        (a.address, a.family)
        for nic in psutil.net_if_addrs().values()
        for a in nic
        if a.family in (socket.AF_INET, socket.AF_INET6) and a.address != "127.0.0.1"
    ]
    opened = []
    for address, kind in others:
        with socket.socket(kind) as attempt:
            attempt.settimeout(2)
            if attempt.connect_ex((address.partition("%")[0], port)) == 0:
                opened.append(address)
    return {
        "listens_on": [f"{a.ip}:{a.port}" for a in sockets],
        "others_tried": len(others),
        "open_to": opened,
    }


def described(server: Server) -> str:
    """What openapi-spec-validator says of the description."""
    document = server.ask("GET", "/openapi.json")[1]
    try:
        from openapi_spec_validator import validate
    except ImportError:
        return "not validated: openapi-spec-validator isn't installed"
    validate(document)
    return f"OpenAPI {document['openapi']}, valid; {len(document['paths'])} paths"


def lost(folder: Path, ends: list[dict[str, Any]]) -> list[str]:
    """Whatever isn't as it was promised, a line each."""
    wrong, there = [], {STORE}
    for end in ends:
        k, state = end["k"], end["state"]
        expected = (
            "refused"
            if k in BAD
            else "failed"
            if k in NO_FILMS
            else "cancelled"
            if k in CANCELLED
            else "done"
        )
        if state != expected or (k in BAD and end["status"] != BAD[k][1]):
            wrong.append(f"{k}: {state}, not {expected}: {end.get('error')}")
        there.add(f"f{k}.mp4")
        if expected == "done":
            there |= {f"f{k}.scored.mp4", f"f{k}.scored.cues.json"}
            scored = folder / f"f{k}.scored.mp4"
            if not scored.exists() or packets(scored) != packets(folder / f"f{k}.mp4"):
                wrong.append(f"{k}: its picture isn't the film's")
    left = {p.name for p in folder.iterdir()}
    wrong += [f"{name} is there" for name in left - there] + [f"{name} is missing" for name in there - left]
    return wrong


def megabytes(seen: list[tuple[float, int, int]]) -> dict[str, list[float]]:
    """Medians by fifths of a server's life: its own memory, and that of its largest worker, in MB."""
    size = max(1, len(seen) // 5)
    parts = [sorted(seen[k : k + size]) for k in range(0, size * 5, size) if seen[k : k + size]]
    return {
        name: [round(sorted(s[i] for s in part)[len(part) // 2] / 1e6, 1) for part in parts]
        for i, name in ((1, "server"), (2, "largest_worker"))
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} isn't empty")
    make(folder, options.requests)
    server, told, ended, ends = Server(folder, options.clients), {}, [], []
    server.start()
    begin = time.monotonic()
    disturber = threading.Thread(target=disturb, args=(server, ended, options.requests, told))
    disturber.start()
    with ThreadPoolExecutor(options.clients) as pool:
        for end in pool.map(lambda k: (client(server, k), ended.append(k))[0], range(options.requests)):
            ends.append(end)
    seconds = time.monotonic() - begin
    disturber.join()
    told |= reach(server) | {"description": described(server)}
    jobs = server.ask("GET", "/health")[1]["jobs"]
    server.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
    server.process.wait(60)  # type: ignore[union-attr]
    wrong = lost(folder, ends)
    states = [end["state"] for end in ends]
    facts = {
        "requests": len(ends),
        "at_a_time": options.clients,
        "seconds": round(seconds, 1),
        "states": {state: states.count(state) for state in sorted(set(states))},
        "in_the_queue": {state: n for state, n in jobs.items() if n},
        **told,
        "memory_MB_by_fifths": {
            f"server {k}": megabytes(seen) for k, seen in enumerate(server.memory, 1) if seen
        },
        "load": os.getloadavg(),
        "lost": wrong,
    }
    print(json.dumps(facts, indent=1))
    return bool(wrong) or bool(told["open_to"])


if __name__ == "__main__":
    raise SystemExit(main())
