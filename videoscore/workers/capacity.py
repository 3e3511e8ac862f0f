"""How many workers fit: cores and memory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# bytes that a worker needs at its peak: PyTorch, all models and its renderers (docs/batch.md has the measurement)
NEEDS = 1_500_000_000
_CGROUP = Path("/sys/fs/cgroup")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def core_count() -> int:
    """How many cores this process may use."""
    return len(cores())


def machine_cores() -> int:
    """How many cores the machine has, whether or not this process may use them: how a batch of pictures is parted may
    not hang on that, since rounding would."""
    return os.cpu_count() or 1


def free_memory(root: Path = _CGROUP, meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that can still be used: what the system has, or less where a container may use less. None: unknown."""
    limits = []
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        limits.append(int(lines["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        limit = (root / "memory.max").read_text().strip()
        if limit != "max":
            in_use = int((root / "memory.current").read_text())
            # the cache of files counts as used, and is given up when needed
            facts = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
            limits.append(int(limit) - in_use + int(facts.get("inactive_file", 0)))
    except (OSError, ValueError):
        pass
    return min(limits) if limits else None


def workers_that_fit(count_of_cores: int, memory: int | None) -> int:
    """One a core, fewer where memory is short, at least one."""
    by_memory = count_of_cores if memory is None else memory // NEEDS
    return max(1, min(count_of_cores, by_memory))


def share(slot: int, slots: int, available: list[int]) -> list[int]:
    """The cores of one of `slots` workers. Each has at least one; all are used."""
    if slots >= len(available):
        return [available[slot % len(available)]]
    return available[slot::slots]


def threads(count: int) -> dict[str, str]:
    """The environment in which libraries use `count` threads."""
    return dict.fromkeys(_THREADS, str(count))


def give_back_memory() -> None:
    """Let the system have what a film no longer needs.

    glibc keeps freed memory in pieces between what lives on: over 60 films a worker grew from .7 to 1.1 GB, of which
    .65 were in use (benchmarks/batch.py). Elsewhere there is nothing to do.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):  # not glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
