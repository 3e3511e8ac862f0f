"""One film on the server: its session, the job that runs, what went wrong. Pages come and go; this stays.

Everything here runs on the server's event loop, but for a job's progress, which arrives from its thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoscore.cues.sheet import CueSheet
from videoscore.errors import Cancelled, UsageError, VideoscoreError
from videoscore.settings.fields import Options
from videoscore.studio import export_plan as export
from videoscore.studio import proxy
from videoscore.studio.command import command
from videoscore.studio.job_runner import Runner
from videoscore.studio.session import Session
from videoscore.studio.state import Request, Take
from videoscore.studio.tasks import Export, Make, Viewing, Watch

log = logging.getLogger(__name__)

WORDS = {
    "probe": "Opening",
    "sample": "Watching",
    "perceive": "Watching",
    "smooth": "Watching",
    "spot": "Watching",
    "speech": "Listening for speech",
    "thumbnails": "Taking pictures",
    "compose": "Composing",
    "orchestrate": "Composing",
    "render": "Playing",
    "master": "Mixing",
    "mix": "Mixing",
    "mux": "Writing the video",
}
# stage -> where it begins and ends in the whole job, as measured on films of half a minute to ten minutes
SHARES = {
    "watch": {"sample": (0.0, 0.8), "speech": (0.8, 0.92), "thumbnails": (0.92, 1.0)},
    "make": {"compose": (0.02, 0.45), "render": (0.45, 0.8), "master": (0.8, 0.9), "mix": (0.9, 1.0)},
    "export": {"render": (0.0, 0.6), "master": (0.6, 0.7), "mux": (0.7, 1.0)},
}


@dataclass
class Job:
    """kind : "watch", "make" or "export". label : what for, in words. share : 0..1 of it that is done."""

    kind: str
    label: str
    words: str = "Starting"
    share: float = 0.0

    def tell(self, stage: str, done: float, total: float) -> None:
        """A `videoscore.progress.Progress`."""
        self.words = WORDS.get(stage, self.words)
        if stage in SHARES[self.kind] and total > 0:
            low, high = SHARES[self.kind][stage]
            self.share = max(self.share, low + (high - low) * min(1.0, done / total))


class Desk:
    """film : the file. where : folder for exports. folder : temporary, of this desk alone.

    cues : a saved cue sheet to go on with.
    revision : grows with everything that a page shows, but for the job's progress.
    trouble : what went wrong last, in words, until `forgive`.
    """

    def __init__(
        self,
        film: Path,
        where: Path,
        folder: Path,
        options: Options,
        settings: dict[str, Any],
        cues: CueSheet | None = None,
    ) -> None:
        self.key, self.film, self.where, self.folder = (
            secrets.token_hex(8),
            film,
            where,
            folder / secrets.token_hex(4),
        )
        self.options, self.settings, self.cues = options, settings, cues
        self.folder.mkdir()
        self.viewing: Viewing | None = None
        self.session: Session | None = None
        self.job: Job | None = None
        self.trouble, self.revision = "", 0
        self.exports: tuple[Path, ...] = ()
        self.preview: Path | None = None  # the copy for browsers, once it is there
        self._proxying: asyncio.Task[None] | None = None
        self._runner = Runner()
        self._task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ jobs

    def watch(self) -> None:
        """Look at the film, unless that is done or under way."""
        if self.session is None and self.job is None:
            request = Watch(self.film, self.options, self.folder / "thumbnails")
            self._start("watch", self.film.name, request, self._begin_session)

    def _begin_session(self, viewing: Viewing) -> None:
        session = Session(viewing.analysis, self.options, self.settings)
        if self.cues is not None:
            session.go_on(self.cues)
        self.viewing, self.session = viewing, session
        if not proxy.worth_trying(viewing.analysis.media):
            self.want_preview(".mp4")

    def compose(self, request: Request) -> None:
        """Make a take of it."""
        viewing, session = self.contents()
        make = Make(
            viewing.analysis.media,
            request.sheet,
            session.play_options(request.sheet),
            viewing.speech,
            self.folder / secrets.token_hex(4),
        )
        self._start(
            "make",
            request.what,
            make,
            lambda composition: self._drop_old_takes(session.add_take(request, composition)),
        )

    def _drop_old_takes(self, take: Take) -> None:
        _, session = self.contents()
        while session.old_takes:
            shutil.rmtree(session.old_takes.pop().composition.folder, ignore_errors=True)

    def export(self, name: str, kinds: Iterable[str], overwrite: bool) -> None:
        """Write files of the take that is heard. Raises as `videoscore.studio.export_plan.plan`."""
        viewing, session = self.contents()
        take = session.take
        if take is None:
            raise UsageError("there is no score to export yet", remedy="Compose first.")
        if session.pending:
            raise UsageError(
                "the cues were changed since this take", remedy="Compose the changes, or undo them."
            )
        targets = export.plan(viewing.analysis.media, self.where, name, kinds, overwrite)
        request = Export(
            viewing.analysis.media,
            take.sheet,
            take.composition,
            session.play_options(take.sheet),
            targets,
            self.where / f".{secrets.token_hex(4)}.part",
        )
        self._start("export", name, request, self._show_files, request.folder)

    def _show_files(self, paths: tuple[Path, ...]) -> None:
        self.exports = paths

    def save_cues(self, name: str, overwrite: bool) -> Path:
        """Write the cue sheet as it is now, composed or not."""
        from videoscore.cues.file.sheet_file import save

        viewing, session = self.contents()
        path = export.plan(viewing.analysis.media, self.where, name, ["cues"], overwrite)["cues"]
        save(session.to_save(), path)
        self.exports = (path,)
        self.changed()
        return path

    def command(self, name: str, kinds: Iterable[str]) -> str:
        """The command line that makes the same of the exported cue sheet."""
        viewing, session = self.contents()
        from videoscore.perform.mux.mux import default_suffix

        base = self.where / name
        files = [kind for kind in kinds if kind in ("midi", "stems")]
        return command(
            self.film,
            base.with_name(base.name + ".cues.json"),
            base.with_name(base.name + default_suffix(viewing.analysis.media)),
            session.play_options(session.sheet),
            files,
        )

    def contents(self) -> tuple[Viewing, Session]:
        """Raises UsageError before the film has been watched."""
        if self.viewing is None or self.session is None:
            raise UsageError("the film isn't open yet", remedy="Wait until it has been watched.")
        return self.viewing, self.session

    def cancel(self) -> None:
        if self.job is not None:
            self._runner.cancel()

    def _start(
        self,
        kind: str,
        label: str,
        payload: Watch | Make | Export,
        then: Callable[[Any], object],
        left: Path | None = None,
    ) -> None:
        """left : a folder that a worker which was killed may leave."""
        if self.job is not None:
            raise UsageError("something is being made already", remedy="Wait for it, or cancel it.")
        self.job, self.trouble = Job(kind, label), ""
        self.changed()
        self._task = asyncio.create_task(self._run(self.job, payload, then, left))

    async def _run(
        self, job: Job, payload: Watch | Make | Export, then: Callable[[Any], object], left: Path | None
    ) -> None:
        try:
            result = await asyncio.to_thread(self._runner.run, payload, job.tell)
            self.job = None
            then(result)
        except Cancelled:
            self.trouble = "Cancelled: nothing was changed." if job.kind != "watch" else "Cancelled."
        except Exception as error:
            self.trouble = describe(error)
        finally:
            self.job = None
            for folder in (left, getattr(payload, "folder", None)):
                if folder is not None and self.trouble and not isinstance(payload, Watch):
                    shutil.rmtree(folder, ignore_errors=True)
            self.changed()

    # ------------------------------------------------------------ the copy for browsers

    def want_preview(self, suffix: str) -> None:
        """Begin to make a copy that browsers play, unless one is there or being made."""
        if self.preview is None and self._proxying is None:
            self._proxying = asyncio.create_task(self._preview(self.folder / f"preview{suffix}"))
            self.changed()

    @property
    def proxying(self) -> bool:
        return self._proxying is not None and self.preview is None

    async def _preview(self, path: Path) -> None:
        viewing, _ = self.contents()
        try:
            await proxy.make(viewing.analysis.media, path)
            self.preview = path
        except Exception as error:
            self.trouble = describe(error)
        finally:
            self._proxying = None
            self.changed()

    # ------------------------------------------------------------ pages

    def changed(self) -> None:
        self.revision += 1

    def fail(self, error: BaseException) -> None:
        """Have every page tell of an error."""
        self.trouble = describe(error)
        self.changed()

    def forgive(self) -> None:
        self.trouble = ""
        self.changed()

    async def close(self) -> None:
        """End what runs, and remove what is temporary."""
        for task in (self._task, self._proxying):
            if task is not None:
                self._runner.cancel()
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await asyncio.to_thread(self._runner.close)
        shutil.rmtree(self.folder, ignore_errors=True)


def describe(error: BaseException) -> str:
    """An error in one line, for people."""
    if isinstance(error, VideoscoreError):
        return str(error)
    log.error("in the studio", exc_info=error)
    what = " ".join(str(error).split())[:300]
    return f"Internal error: {type(error).__name__}: {what}. Please report it."
