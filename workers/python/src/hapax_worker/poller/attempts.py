"""Attempts at tasks: the activity ``runTask``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal

from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from hapax_worker.poller.places import NotNow, Places
from hapax_worker.poller.record import AttemptRecord
from hapax_worker.protocol import RUN_ACTIVITY, VERSION, Beat, RunRequest, State

#: How often a heartbeat is sent, seconds; a revocation is noticed as often.
_HEARTBEAT_S = 2

#: How long to wait for work that was told to stop, seconds. After that the task counts as stopped all the same.
_STOPPING_S = 5

#: A task that has lost this many workers is at fault itself.
_MAX_LOST_WORKERS = 5

#: How many outcomes are kept that Temporal may not have heard of. While it is away, no more tasks come than this worker has places.
_MOST_UNHEARD = 100

#: So often a task is given back that this worker does not know. In a rolling deployment another may know it.
_MAX_UNKNOWN = 5

Outcome = dict[str, Any]
Tell = Callable[..., None]


class Attempts:
    """The attempts that run here. ``tell`` sends a message to the worker."""

    def __init__(self, client: Client, identity: str, concurrency: int, types: list[dict], tell: Tell) -> None:
        self._client = client
        self._identity = identity
        self._types = {of["name"]: of for of in types}
        self._places = Places(concurrency, types)
        self._tell = tell
        #: By run of the workflow and id of the activity.
        self._work: dict[tuple[str, str], _Work] = {}
        self._running: dict[int, _Running] = {}
        self._last_token = 0
        self._is_draining = False

    def drain(self) -> None:
        """From now on, what has not begun is given back."""
        self._is_draining = True

    def progressed(self, token: int, progress: State) -> None:
        """The worker says what a task says of itself."""
        if token in self._running:
            self._running[token].progressed(progress)

    def ended(self, token: int, outcome: Outcome) -> None:
        """The worker says what became of an attempt."""
        if token in self._running:
            self._running[token].end(outcome)

    def lose_all(self) -> None:
        """The worker is gone. Others begin again at once what it worked on."""
        self.drain()
        for running in self._running.values():
            running.end({"kind": "lost"})

    @activity.defn(name=RUN_ACTIVITY)
    async def run_task(self, request: RunRequest) -> Outcome:
        """One attempt. Fails only with what Temporal is to repeat on another worker.

        If Temporal heard nothing of an activity for too long, it hands it over again. The work goes on meanwhile, and is not begun twice.
        """
        if request["version"] != VERSION:
            raise _given_back(f"a request of version {request['version']}; this worker reads {VERSION}", 5)
        if request["name"] not in self._types:
            return self._unknown(request["name"])
        info = activity.info()
        key = (info.workflow_run_id, info.activity_id)
        if key not in self._work:
            beat = _last_beat()
            self._work[key] = _Work(self._in_place(request, beat), beat)
        work = self._work[key]
        work.waiting += 1
        try:
            async with _in_background(_send_heartbeats(work.beat)):
                return await asyncio.shield(work.doing)
        except ApplicationError:
            activity.heartbeat(work.beat)  # it may count something for the worker that has the attempt next
            raise
        except asyncio.CancelledError:
            reason = activity.cancellation_details()
            if reason and reason.cancel_requested:
                await work.stop()
            raise
        finally:
            work.waiting -= 1
            if work.waiting == 0:
                self._leave(key, work, info)

    def _leave(self, key: tuple[str, str], work: _Work, info: activity.Info) -> None:
        """No activity waits for the work any more."""
        if not work.doing.done():
            work.watch = asyncio.create_task(self._stop_if_unwanted(key, work, info))
        elif work.doing.cancelled() or work.doing.exception():
            del self._work[key]
        else:
            ended = [key for key, one in self._work.items() if one.doing.done() and one.waiting == 0]
            for oldest in ended[:-_MOST_UNHEARD]:
                del self._work[oldest]

    async def _stop_if_unwanted(self, key: tuple[str, str], work: _Work, info: activity.Info) -> None:
        """Lets the work go on until an activity waits for it again. Stops it if none will."""
        may_come_again = True
        while may_come_again:
            await asyncio.sleep(_HEARTBEAT_S)
            may_come_again = await self._may_come_again(info)
            if work.waiting > 0 or work.doing.done():
                return
        del self._work[key]
        await work.stop()

    async def _may_come_again(self, info: activity.Info) -> bool:
        """Whether Temporal may hand over this activity to this worker again."""
        try:
            workflow = await self._client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id).describe()
        except RPCError as error:
            return error.status != RPCStatusCode.NOT_FOUND
        if workflow.status != WorkflowExecutionStatus.RUNNING:
            return False
        started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        return any(
            pending.state != started or pending.last_worker_identity == self._identity
            for pending in workflow.raw_description.pending_activities
            if pending.activity_id == info.activity_id
        )

    async def _in_place(self, request: RunRequest, beat: Beat) -> Outcome:
        try:
            async with self._places.taken(request["name"]):
                return await self._attempt(request, beat)
        except NotNow as error:
            raise _given_back(str(error), error.after_s) from error

    def _unknown(self, name: str) -> Outcome:
        if activity.info().attempt < _MAX_UNKNOWN:
            raise _given_back(f"{name} is not registered here", 1)
        error = {"type": "NotRegistered", "module": "celery.exceptions", "args": [name], "message": name, "traceback": None}
        return _versioned({"kind": "failed", "error": error})

    async def _attempt(self, request: RunRequest, beat: Beat) -> Outcome:
        if self._is_draining:
            raise _given_back("the worker stops", 0.1)
        record = AttemptRecord(self._client, request["attempt"], self._identity)
        try:
            begun = await record.begin()
        except WorkflowUpdateFailedError as error:
            raise ApplicationError("the workflow does not want this attempt", non_retryable=True) from error
        if begun["verdict"] == "expired":
            return _versioned({"kind": "expired"})
        if self._is_draining:
            raise _noted(beat, "unstarted")
        begun_before = begun["starts"] - 1 - beat["unstarted"]
        lost = begun_before - beat["interrupted"]
        may_begin_again = self._types[request["name"]]["options"]["acks_late"]
        is_again = begun_before > 0
        if lost >= _MAX_LOST_WORKERS or (is_again and not may_begin_again):
            return await self._ask("recall", request, record, beat)
        async with record.telling_progress():
            return await self._ask("run", request, record, beat, redelivered=is_again)

    async def _ask(self, op: str, request: RunRequest, record: AttemptRecord, beat: Beat, **message: Any) -> Outcome:
        self._last_token += 1
        token = self._last_token
        running = self._running[token] = _Running(record, beat)
        self._tell(op, token=token, request=request, **message)
        try:
            outcome = await asyncio.shield(running.ended)
        except asyncio.CancelledError:
            self._tell("cancel", token=token, task_id=request["task_id"])
            await asyncio.wait([running.ended], timeout=_STOPPING_S)
            raise
        finally:
            del self._running[token]
        match outcome["kind"]:
            case "lost":
                raise _noted(beat, "interrupted")
            case "unstarted":
                raise _noted(beat, "unstarted")
            case _:
                return _versioned(outcome)


class _Work:
    """The work on an attempt, which may outlive an activity that waits for it."""

    #: How many activities wait for it.
    waiting = 0
    watch: asyncio.Task[None] | None = None

    def __init__(self, doing: Coroutine[Any, Any, Outcome], beat: Beat) -> None:
        self.beat = beat
        self.doing = asyncio.create_task(doing)

    async def stop(self) -> None:
        self.doing.cancel()
        await asyncio.wait([self.doing])


class _Running:
    """An attempt that the worker works on."""

    def __init__(self, record: AttemptRecord, beat: Beat) -> None:
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._record = record
        self._beat = beat

    def progressed(self, state: State) -> None:
        self._beat["progress"] = state
        self._record.progressed(state)

    def end(self, outcome: Outcome) -> None:
        if not self.ended.done():
            self.ended.set_result(outcome)


def _last_beat() -> Beat:
    details = activity.info().heartbeat_details
    return {"version": VERSION, "progress": None, "interrupted": 0, "unstarted": 0, **(details[0] if details else {})}


async def _send_heartbeats(beat: Beat) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT_S)  # most tasks are over by then, and cost none
        activity.heartbeat(beat)


@contextlib.asynccontextmanager
async def _in_background(coroutine):
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()


def _versioned(outcome: Outcome) -> Outcome:
    return {"version": VERSION, **outcome}


def _noted(beat: Beat, what: Literal["interrupted", "unstarted"]) -> ApplicationError:
    """Gives the attempt back, and counts this for the worker that has it next."""
    beat[what] += 1
    return _given_back(f"the attempt was {what}", 0.1)


def _given_back(message: str, after_s: float) -> ApplicationError:
    """Temporal hands the attempt over again, perhaps to another worker. It is nobody's fault."""
    return ApplicationError(
        message,
        type="NotYet",
        next_retry_delay=timedelta(seconds=after_s),
        category=ApplicationErrorCategory.BENIGN,
    )
