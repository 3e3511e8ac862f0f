"""The few functions of Ray that videoscore uses, in this process. Tasks run when they are waited for."""

from __future__ import annotations

from types import SimpleNamespace


class RayError(Exception):
    pass


class RayActorError(RayError):
    pass


class FakeRay:
    """resources : of the cluster. unreachable : `init` fails. slow : references that are never ready."""

    exceptions = SimpleNamespace(RayError=RayError, RayActorError=RayActorError)

    def __init__(self, cpus: int = 2, unreachable: bool = False) -> None:
        self.cpus, self.unreachable = cpus, unreachable
        self.alive, self.asked, self.killed = False, {}, 0

    def is_initialized(self):
        return self.alive

    def init(self, **asked):
        if self.unreachable:
            raise ConnectionError("nobody there\nat all")
        self.alive, self.asked = True, asked

    def shutdown(self):
        self.alive = False

    def cluster_resources(self):
        return {"CPU": float(self.cpus), "memory": 64e9}

    def remote(self, **_):
        def made(kind):
            def new(*words):
                actor = SimpleNamespace(one=kind(*words), gone=False)
                actor.do = SimpleNamespace(remote=lambda payload: _Reference(actor, payload))
                return actor

            return SimpleNamespace(remote=new)

        return made

    def wait(self, references, num_returns, timeout):
        ready = [r for r in references if r.ready()]
        return ready[:num_returns], [r for r in references if r not in ready[:num_returns]]

    def get(self, reference):
        return reference.result()

    def kill(self, actor, no_restart):
        actor.gone, self.killed = True, self.killed + 1


class _Reference:
    def __init__(self, actor, payload) -> None:
        self.actor, self.payload = actor, payload

    def _order(self):
        with open(self.payload.input) as file:
            return file.read()

    def ready(self):
        return self._order() != "hang"

    def result(self):
        if self.actor.gone:
            raise RayActorError("the actor is gone")
        if self._order() == "die":
            self.actor.gone = True
            raise RayActorError("The actor died unexpectedly.\nMore words")
        return self.actor.one.do(self.payload)
