"""The local server: its queue survives workers and servers, its door is shut, and it says what it does."""

from __future__ import annotations

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
from pathlib import Path

import jsonschema
import psutil
import pytest
from conftest import command_environment
from service_stubs import obey

pytest.importorskip("fastapi")

from videoscore.errors import OutputError, VideoscoreError
from videoscore.service.access import Guard
from videoscore.service.queue import PARTS, Queue
from videoscore.service.requests import JobRequest, checked
from videoscore.service.routes import make_app
from videoscore.service.store import Store
from videoscore.studio.server import listen


def until(what, seconds: float = 120.0):
    """What `what` gives, once it is true."""
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return got


def ask(folder: Path, name: str, words: str = "x", **more):
    """A request as the server keeps it, for a film that says `words`."""
    (folder / f"{name}.mp4").write_text(words)
    return checked(JobRequest(input=f"{name}.mp4", output=f"{name}.scored.mp4", **more), folder, ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve()


@pytest.fixture
def queue(folder):
    queue = Queue(Store(folder), jobs=4, work=obey)
    yield queue
    queue.close()
    queue.store.close()


def ended(queue, jobs):
    return until(lambda: all(queue.store.get(j.id).ended for j in jobs))


class Asking:
    """How to ask a server."""

    port: int
    token: str

    def ask(self, method: str, path: str, body=None, **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        head = {"Authorization": f"Bearer {self.token}", "Host": f"127.0.0.1:{self.port}"} | headers
        head = {name: value for name, value in head.items() if value}
        data = None if body is None else json.dumps(body) if not isinstance(body, bytes) else body
        if data is not None:
            head["Content-Type"] = "application/json"
        connection.request(method, path, data, head)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)


# ---------------------------------------------------------------- the queue


class Here(Asking):
    """A server in this process, whose workers do what films say."""

    def __init__(self, queue: Queue, folder: Path) -> None:
        import uvicorn

        self.token, sock = "token", listen(None, 0)
        self.port = sock.getsockname()[1]
        app = Guard(make_app(queue, folder), self.port, self.token)
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        threading.Thread(target=self.server.run, args=([sock],), daemon=True).start()
        until(lambda: self.server.started)


def test_fifty_requests_four_at_a_time_five_bad_three_cancelled_one_kill(queue, folder):
    """Nothing is lost: each of them ends as it has to, and nothing else is left in the folder."""
    here = Here(queue, folder)
    words = dict.fromkeys(range(3, 50, 10), "broken") | dict.fromkeys((4, 14, 24), "slow") | {30: "die"}
    for k in range(50):
        (folder / f"f{k}.mp4").write_text(words.get(k, f"film {k}"))

    def request(k: int):
        body = {"input": f"f{k}.mp4", "output": f"f{k}.scored.mp4", "settings": {"seed": k}}
        status, job = here.ask("POST", "/jobs", body)
        assert status == 201, job
        return k, job["id"]

    with ThreadPoolExecutor(4) as pool:
        ids = dict(pool.map(request, range(50)))
    assert len(set(ids.values())) == 50
    most = 0
    for k in (4, 14, 24):
        until(lambda k=k: here.ask("GET", f"/jobs/{ids[k]}")[1]["stage"])
        most = max(most, here.ask("GET", "/health")[1]["jobs"]["running"])
        assert here.ask("POST", f"/jobs/{ids[k]}/cancel")[0] == 202
    jobs = until(
        lambda: all((js := here.ask("GET", "/jobs?most=50")[1])[i]["ended"] for i in range(50)) and js
    )
    assert 2 <= most <= 4
    jobs = {job["id"]: job for job in jobs}
    states = [jobs[ids[k]]["state"] for k in range(50)]
    assert {k for k, s in enumerate(states) if s == "failed"} == {3, 13, 23, 33, 43}
    assert {k for k, s in enumerate(states) if s == "cancelled"} == {4, 14, 24}
    for k in range(50):
        output = folder / f"f{k}.scored.mp4"
        assert output.exists() == (states[k] == "done")
        if states[k] == "done":
            assert output.read_text() == words.get(k, f"film {k}")
            assert jobs[ids[k]]["result"]["files"]["cues"] == str(folder / f"f{k}.scored.cues.json")
            assert json.loads((folder / f"f{k}.scored.cues.json").read_text()) == {"seed": k}
    assert queue.store.get(ids[30]).tries == 1  # its worker was killed, and it was done again
    error = jobs[ids[3]]["error"]
    assert (error["error"], error["exit_code"]) == ("BrokenVideo", 3) and "Repair it." in error["message"]
    assert not (folder / PARTS).exists()
    here.server.should_exit = True


def test_memory_stays_flat(queue, folder):
    here, me = Here(queue, folder), psutil.Process()

    def some(count: int) -> int:
        for k in range(count):
            (folder / "a.mp4").write_text("a")
            body = {"input": "a.mp4", "output": "a.scored.mp4", "overwrite": True}
            status, job = here.ask("POST", "/jobs", body)
            assert status == 201
            until(lambda job=job: here.ask("GET", f"/jobs/{job['id']}")[1]["ended"])
            assert here.ask("POST", "/jobs", {"output": f"{k}.mp4"})[0] == 400
        return me.memory_info().rss

    before = some(20)
    assert some(60) - before < 8e6
    here.server.should_exit = True


def test_a_job_that_kills_every_worker_fails(queue, folder):
    job = queue.add(ask(folder, "doom", "doom"))
    ended(queue, [job])
    failed = queue.store.get(job.id)
    assert (failed.state, failed.error["error"]) == ("failed", "WorkerLost") and "2 times" in failed.error[
        "message"
    ]


def test_what_runs_when_the_server_ends_is_done_by_the_next(folder):
    first = Queue(Store(folder), jobs=1, work=obey)
    running, waiting = first.add(ask(folder, "a", "slow")), first.add(ask(folder, "b"))
    until(lambda: first.stage(running.id))
    first.close()
    first.store.close()
    assert not (folder / PARTS / str(running.id)).exists()
    (folder / "a.mp4").write_text("now fast")
    second = Queue(Store(folder), jobs=1, work=obey)
    ended(second, [running, waiting])
    assert {second.store.get(j.id).state for j in (running, waiting)} == {"done"}
    assert (folder / "a.scored.mp4").read_text() == "now fast"
    second.close()
    second.store.close()


def test_placing_is_gone_on_with_after_a_kill(folder):
    store = Store(folder)
    job = store.add(ask(folder, "a"))
    parts = folder / PARTS / str(job.id)
    parts.mkdir(parents=True)
    (parts / "made.cues.json").write_text("cues")
    (folder / "a.scored.mp4").write_text("already moved")
    store.placing(
        job.id,
        {
            str(parts / "made.mp4"): str(folder / "a.scored.mp4"),
            str(parts / "made.cues.json"): str(folder / "a.scored.cues.json"),
        },
        {"notes": 1},
    )
    queue = Queue(store, jobs=1, work=obey)
    assert store.get(job.id).state == "done" and store.get(job.id).result == {"notes": 1}
    assert (folder / "a.scored.mp4").read_text() == "already moved"
    assert (folder / "a.scored.cues.json").read_text() == "cues" and not (folder / PARTS).exists()
    queue.close()
    store.close()


def test_what_was_made_by_somebody_else_meanwhile_is_not_replaced(queue, folder):
    request = ask(folder, "a")
    (folder / "a.scored.mp4").write_text("mine")
    job = queue.add(request)
    ended(queue, [job])
    assert queue.store.get(job.id).error["error"] == "OutputExists"
    assert (folder / "a.scored.mp4").read_text() == "mine"


def test_one_server_a_folder(queue, folder):
    with pytest.raises(OutputError, match="another --folder"):
        Store(folder)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"input": "../x.mp4"}, "outside"),
        ({"output": "/etc/x.mp4"}, "outside"),
        ({"output": "link/x.mp4"}, "outside"),
        ({"input": "none.mp4"}, "no such file"),
        ({"input": None}, "no film"),
        ({"output": "there.mp4"}, "already there"),
        ({"output": "promised.mp4"}, "another job"),
        ({"output": "a.mp4", "overwrite": True}, "original itself"),
        ({"keep": ["mid"]}, "nothing that can be kept"),
        ({"settings": {"smoth": 3}}, "no setting 'smoth'"),
        ({"settings": {"mood": "Glad"}}, "no mood 'Glad'"),
        ({"kind": "bed", "keep": ["midi"]}, "for a film"),
        ({"input": "a\0.mp4"}, "no name"),
    ],
)
def test_what_cannot_be_is_refused_at_once(folder, more, words):
    (folder / "a.mp4").write_text("x")
    (folder / "there.mp4").write_text("x")
    (folder / "link").symlink_to("/tmp")
    request = JobRequest(**{"input": "a.mp4", "output": "out.mp4", **more})
    with pytest.raises(VideoscoreError, match=words):
        checked(request, folder, {str(folder / "promised.mp4")})


# ---------------------------------------------------------------- over HTTP


class Client(Asking):
    """A server as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "videoscore", "serve", "--folder", folder, "--jobs", "1", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=command_environment(),
        )
        assert self.process.stdout is not None
        facts = json.loads(self.process.stdout.readline())
        assert facts["event"] == "serving", facts
        self.token, self.port = facts["token"], int(facts["url"].rsplit(":", 1)[1])

    def end(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    client = Client(tmp_path_factory.mktemp("served").resolve())
    until(lambda: _answers(client))
    yield client
    client.end()
    assert not (client.folder / ".videoscore-serve.json").exists()


def _answers(client) -> bool:
    try:
        return client.ask("GET", "/health")[0] == 200
    except OSError:
        return False


def test_only_this_machine_and_only_with_the_token(client):
    assert client.ask("GET", "/jobs")[0] == 200
    assert client.ask("GET", "/jobs", Authorization="")[0] == 401
    assert client.ask("GET", "/jobs", Authorization="Bearer nonsense")[0] == 401
    assert client.ask("GET", "/openapi.json", Authorization="")[0] == 401
    assert client.ask("GET", "/jobs", Host="evil.example:80")[0] == 421
    assert client.ask("GET", "/jobs", Origin="http://127.0.0.1")[0] == 403
    # refused by its header: nothing is sent after it, which the server would not wait for
    assert client.ask("POST", "/jobs", b"", **{"Content-Length": str(1 << 21)})[0] == 413
    server = psutil.Process(client.process.pid)
    listening = [c.laddr for c in server.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [(a.ip, a.port) for a in listening] == [("127.0.0.1", client.port)]
    facts = client.folder / ".videoscore-serve.json"
    assert json.loads(facts.read_text())["token"] == client.token
    assert os.stat(facts).st_mode & 0o077 == 0
    others = {a.address for nic in psutil.net_if_addrs().values() for a in nic if a.family == socket.AF_INET}
    for address in others - {"127.0.0.1"}:
        with pytest.raises((ConnectionError, TimeoutError, OSError), match="."):
            socket.create_connection((address, client.port), timeout=2).close()


def test_the_description_is_openapi_and_says_what_is_answered(client):
    status, described = client.ask("GET", "/openapi.json")
    assert status == 200 and described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {"/health", "/jobs", "/jobs/{id}", "/jobs/{id}/cancel"}
    for name, schema in described["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema), name
    health = {**described["components"]["schemas"]["Health"], "components": described["components"]}
    jsonschema.validate(client.ask("GET", "/health")[1], health)
    for path in described["paths"].values():  # every reference leads somewhere
        for reference in _references(path):
            assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"]


def test_the_description_is_valid_openapi(client):
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator isn't installed")
    validator.validate(client.ask("GET", "/openapi.json")[1])


def _references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_bad_requests_are_answered_in_words_and_leave_nothing(client):
    status, said = client.ask("POST", "/jobs", {"input": "none.mp4", "output": "a.mp4"})
    assert (status, said["error"]) == (404, "NotFound") and "Check the name" in said["message"]
    assert client.ask("POST", "/jobs", {"output": "a.mp4", "colour": 1})[0] == 422
    assert client.ask("POST", "/jobs", b"{")[0] == 422
    assert client.ask("GET", "/jobs/9999")[0] == 404
    assert client.ask("GET", "/jobs/x")[0] == 422
    assert client.ask("GET", "/jobs")[1] == []


def test_a_bed_is_written_with_progress_and_a_killed_server_loses_nothing(tmp_path):
    client = Client(tmp_path.resolve())
    until(lambda: _answers(client))
    body = {"kind": "bed", "output": "bed.wav", "settings": {"mood": "Happy", "seconds": 6, "seed": 2}}
    status, job = client.ask("POST", "/jobs", body)
    assert (status, job["state"]) == (201, "queued")
    assert client.ask("POST", "/jobs", body)[0] == 409
    until(lambda: client.ask("GET", f"/jobs/{job['id']}")[1]["state"] == "running")
    client.end(signal.SIGKILL)
    again = Client(tmp_path.resolve())
    try:
        until(lambda: _answers(again))
        done = until(lambda: (j := again.ask("GET", f"/jobs/{job['id']}")[1])["ended"] and j, 300)
        assert done["state"] == "done", done
        assert done["result"]["samples"] == 6 * 48000
        assert Path(done["result"]["files"]["output"]) == tmp_path.resolve() / "bed.wav"
    finally:
        again.end()
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"bed.wav", ".videoscore-serve.sqlite"}
