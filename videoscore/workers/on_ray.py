"""A Ray cluster, or Ray on this machine: an actor a worker. Films and output have to be on a disk that all share."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from videoscore.errors import SetupError
from videoscore.progress import silent
from videoscore.resources import IMPORT_ROOT
from videoscore.workers.capacity import NEEDS, threads
from videoscore.workers.executor import Outcome, Setup, Task, TaskEnd, TaskEvent, Work, WorkerLoss, attempt


class Hand:
    """The actor: keeps its models from task to task."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def do(self, payload: Any) -> Outcome:
        return attempt(self.work, payload, silent)


@dataclass
class _Running:
    """A task that an actor has. start : monotonic seconds at which it was given."""

    task: Task
    slot: int
    start: float


class RayPool:
    """One CPU a worker; as many workers as the cluster has CPUs, unless `jobs` says otherwise.

    Raises SetupError when Ray isn't installed or there is no cluster at the address.
    """

    def __init__(self, work: Work, setup: Setup) -> None:
        # nightly builds tell their makers of the clusters that are begun
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise SetupError(
                "Ray is not installed", remedy="Install it: pip install 'videoscore[ray]'."
            ) from error
        self.ray = ray
        self.work = work
        self._begun_here = not ray.is_initialized()
        if self._begun_here:
            _connect(ray, setup.address)
        resources = ray.cluster_resources()
        fit = min(int(resources.get("CPU", 1)), int(resources.get("memory", NEEDS) // NEEDS))
        # never more than there are CPUs: an actor too many would wait for ever, and its task with it
        self.slots = max(1, min(setup.jobs, int(resources.get("CPU", 1))) if setup.jobs else fit)
        self._class = ray.remote(num_cpus=1, max_restarts=0)(Hand)
        self._hands: list[Any] = [None] * self.slots
        self._running: dict[Any, _Running] = {}

    def submit(self, task: Task) -> None:
        busy = {running.slot for running in self._running.values()}
        slot = next(slot for slot in range(self.slots) if slot not in busy)
        if self._hands[slot] is None:
            self._hands[slot] = self._class.remote(self.work)
        reference = self._hands[slot].do.remote(task.payload)
        self._running[reference] = _Running(task, slot, time.monotonic())

    def wait(self, timeout: float) -> Sequence[TaskEvent]:
        if not self._running:
            return ()
        references = list(self._running)
        ready, _ = self.ray.wait(references, num_returns=len(references), timeout=0)
        if not ready:
            ready, _ = self.ray.wait(references, num_returns=1, timeout=timeout)
        events: list[TaskEvent] = [self._take(reference) for reference in ready]
        for reference, running in list(self._running.items()):
            limit = running.task.limit
            if limit is not None and time.monotonic() - running.start >= limit:
                self._let_go(running.slot)
                del self._running[reference]
                events.append(
                    WorkerLoss(running.task.key, f"took longer than the time limit of {limit:g} s", late=True)
                )
        return events

    def stop(self) -> None:
        for slot in range(self.slots):
            self._let_go(slot)
        self._running.clear()
        self._disconnect()

    def close(self) -> None:
        self.stop()

    # ------------------------------------------------------------ one worker

    def _take(self, reference: Any) -> TaskEvent:
        running = self._running.pop(reference)
        try:
            return TaskEnd(running.task.key, self.ray.get(reference))
        except self.ray.exceptions.RayActorError as error:
            self._let_go(running.slot)
            return WorkerLoss(running.task.key, f"the worker died ({_first_line(error)})")
        except self.ray.exceptions.RayError as error:  # e.g. the outcome was lost with its node
            self._let_go(running.slot)
            return WorkerLoss(running.task.key, f"its outcome was lost ({_first_line(error)})")

    def _let_go(self, slot: int) -> None:
        hand, self._hands[slot] = self._hands[slot], None
        if hand is not None:
            self.ray.kill(hand, no_restart=True)

    def _disconnect(self) -> None:
        if self._begun_here:
            self.ray.shutdown()
            self._begun_here = False


def _connect(ray: Any, address: str | None) -> None:
    """Join the cluster at `address` ("auto": the one this machine is in), or begin one here for None."""
    package = str(IMPORT_ROOT)  # so that workers here find videoscore, installed or not
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="ERROR",
            configure_logging=False,
            include_dashboard=False if address is None else None,
            runtime_env={"env_vars": {"PYTHONPATH": path, **threads(1)}},
        )
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise SetupError(
            f"no Ray cluster can be reached ({_first_line(error)})",
            remedy="Check --address, or start one with `ray start --head`.",
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
