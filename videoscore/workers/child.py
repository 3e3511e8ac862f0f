"""A module of ours in a process of its own, spoken to by lines on its standard streams."""

from __future__ import annotations

import os
import subprocess
import sys

from videoscore.resources import IMPORT_ROOT


def start_module(
    module: str, *, errors: int = subprocess.PIPE, own_session: bool = False, **environment: str
) -> subprocess.Popen[str]:
    """Start ``python -m module``, with text pipes to its standard input and from its output.

    errors : where its standard error goes, as for `subprocess.Popen`. own_session : Ctrl-C is not for it.
    environment : variables beside this process's own.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=IMPORT_ROOT,  # so that `-m` finds the package, whether it is installed or not
        encoding="utf-8",
        errors="replace",  # of what libraries say; our own words are JSON in ASCII
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, **environment},
        start_new_session=own_session,
    )
