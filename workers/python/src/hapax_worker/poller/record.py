"""What the workflow of a task is told about an attempt while it runs. The workflow writes it to the record."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from hapax_worker.protocol import BEGIN_UPDATE, PROGRESS_SIGNAL, VERSION, Begin, Begun, Progress, State

log = logging.getLogger(__name__)

#: Shortest time between two reports of progress, seconds.
_PROGRESS_EVERY_S = 1.0

#: And as a part of the time that the attempt has taken. A day of work is about 800 reports: a history of Temporal is bounded.
_PROGRESS_PART = 0.01

#: How long the end of an attempt waits for its last report, seconds. Without Temporal, the end cannot be told either.
_LAST_REPORT_S = 30

_PASSING = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED)


class AttemptRecord:
    """Of the attempt whose activity is current."""

    def __init__(self, client: Client, attempt: int, worker: str) -> None:
        info = activity.info()
        self._workflow = client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
        self._begin: Begin = {"version": VERSION, "attempt": attempt, "nth": info.attempt, "worker": worker}
        self._latest: State | None = None
        self._has_news = asyncio.Event()
        self._is_over = asyncio.Event()

    async def begin(self) -> Begun:
        """Returns once the beginning is on record. Raises WorkflowUpdateFailedError where the workflow does not want it any more."""
        update_id = f"begin:{self._begin['attempt']}:{self._begin['nth']}"
        while True:
            try:
                return await self._workflow.execute_update(BEGIN_UPDATE, self._begin, id=update_id)
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                if isinstance(error.__cause__, asyncio.CancelledError):  # Temporal's client hides it
                    raise asyncio.CancelledError from error
                continue  # it may be on record already, so the same update is asked for again
            except RPCError as error:
                if error.status not in _PASSING:
                    raise
                await asyncio.sleep(_PROGRESS_EVERY_S)

    def progressed(self, state: State) -> None:
        """Notes what the task says of itself. The latest is told as soon as the bound allows, or before the end of the attempt."""
        self._latest = state
        self._has_news.set()

    @contextlib.asynccontextmanager
    async def telling_progress(self) -> AsyncIterator[None]:
        """Around the work: tells what it says of itself. The workflow takes no reports once it has heard of the end."""
        telling = asyncio.create_task(self._tell_progress())
        try:
            yield
            self._is_over.set()
            self._has_news.set()
            await asyncio.wait([telling], timeout=_LAST_REPORT_S)
        finally:
            telling.cancel()

    async def _tell_progress(self) -> None:
        begun = time.monotonic()
        while not (self._is_over.is_set() and self._latest is None):
            await self._has_news.wait()
            self._has_news.clear()
            await self._report()
            pause = max(_PROGRESS_EVERY_S, _PROGRESS_PART * (time.monotonic() - begun))
            with contextlib.suppress(asyncio.TimeoutError):  # not the built-in one on Python 3.10
                await asyncio.wait_for(self._is_over.wait(), pause)

    async def _report(self) -> None:
        """Tells the latest. Where Temporal is away for a moment, it is told again, or what is newer."""
        state, self._latest = self._latest, None
        if state is None:
            return
        report: Progress = {"version": VERSION, "attempt": self._begin["attempt"], "progress": state}
        try:
            await self._workflow.signal(PROGRESS_SIGNAL, report)
        except RPCError as error:
            log.warning("progress was not told: %s", error)
            if error.status in _PASSING:
                await asyncio.sleep(_PROGRESS_EVERY_S)
                self.progressed(self._latest or state)
