"""Which files are one work, so that training and validation never share one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

VALID_SHARE = 0.05


def work_keys(stem: str, set_name: str, pitches: np.ndarray) -> tuple[str, ...]:
    """What makes two files one work: composer with set, title or opus number; or the same beginning."""
    content = hashlib.sha1(np.diff(pitches[:40]).astype(np.int16).tobytes()).hexdigest()
    keys = [f"notes:{content}", f"file:{set_name}/{stem}"]
    parts = stem.split("__")
    composer = re.match(r"[^\W_]+", parts[0])
    who = re.sub(r"(?<=[a-z])[A-Z]\w*$", "", composer.group(0)).casefold() if composer else ""
    if set_name.startswith("openscore") or set_name == "mutopia":
        opus = re.search(r"op(?:us)?[\W_]*(\d+)[\W_]*(?:no?[\W_]*(\d+))?", stem.split("__", 1)[-1].casefold())
        if opus:
            keys.append(f"{who}:op{opus.group(1)}no{opus.group(2) or ''}")
        catalogue = re.search(r"(?:\b|_)(?:d|k|kv|bwv|hwv)[\W_]*(\d{2,4})", stem.casefold())
        if catalogue:
            keys.append(f"{who}:cat{catalogue.group(1)}")
    if set_name == "openscore_lieder":
        title = parts[-2] if len(parts) > 2 else parts[-1]
        if len(parts) > 3 and parts[1].strip("_"):
            keys.append(f"{who}:set:{parts[1].casefold()}")
        plain = re.sub(r"[\W_]+", "", re.sub(r"^_*\d+\w?_", "", title.split(",")[0].split("(")[0])).casefold()
        if len(plain) > 2:
            keys.append(f"{who}:title:{plain}")
    return tuple(keys)


def split(works: Sequence[tuple[str, ...]]) -> np.ndarray:
    """0 train, 1 valid for every piece, given its keys; sharing a key, also by way of others, keeps together."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for keys in works:
        for key in keys[1:]:
            a, b = sorted((root(keys[0]), root(key)))
            parent[b] = a
    digest = [int(hashlib.sha1(root(keys[0]).encode()).hexdigest()[:8], 16) / 16**8 for keys in works]
    return (np.array(digest) < VALID_SHARE).astype(np.int8)
