"""The messages between this worker and the workflow of a task, which is TypeScript. All of them are JSON, each with its version.

====================  =======================  ==========================================================================
what                  how                      when
====================  =======================  ==========================================================================
:class:`RunRequest`   input of ``runTask``     the workflow asks for an attempt, on the task queue of the queue
:class:`Begin`        update ``begin``         before anything runs; answered once ``task_started`` is on record
:class:`Progress`     signal ``progress``      while it runs: at first once a second, later at one per cent of the time
:class:`Beat`         heartbeat                every two seconds; a revocation comes back with it
``Outcome``           result of ``runTask``    when it is over; :mod:`hapax_worker.outcome` says what it can be
====================  =======================  ==========================================================================

Payloads go through the data converter of :mod:`hapax_worker.poller.temporal`, which encrypts them if there are keys.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

#: Version of each of the messages.
VERSION = 1

#: Names that both sides know.
RUN_ACTIVITY = "runTask"
BEGIN_UPDATE = "begin"
PROGRESS_SIGNAL = "progress"
REGISTER_WORKFLOW = "registerTaskTypes"
WORKFLOW_TASK_QUEUE = "hapax-workflows"


def task_queue_of(queue: str) -> str:
    """Temporal's task queue of a queue. Workers in Python have their own, beside those of Hapax's workers."""
    return f"hapax-python@{queue}"


class _RequiredOfRun(TypedDict):
    version: int
    task_id: str
    name: str
    args: list[Any]
    kwargs: dict[str, Any]
    queue: str
    #: Which attempt this is, from 1, since the task was begun or redriven.
    attempt: int
    #: How often it was retried, as ``self.request.retries`` says.
    retries: int
    #: The limits that were asked for, milliseconds; None where those of the task or the app apply.
    soft_limit_ms: int | None
    hard_limit_ms: int | None
    priority: int | None
    root_id: str | None
    parent_id: str | None


class RunRequest(_RequiredOfRun, total=False):
    """An attempt that a workflow asks for."""

    #: Error links, a chord; and further callbacks where the task replaced itself.
    embed: dict[str, Any]
    #: Further headers of its message: those of the sender, stamps, the group.
    headers: dict[str, Any]
    reply_to: str | None
    #: Whether the record counts the chord that the task is a member of; the app's back end does otherwise.
    chord_counted: bool
    #: Whether a task that Hapax publishes takes the result, which is then needed even if nobody else wants it.
    result_passed_on: bool


class Begin(TypedDict):
    """Tells the workflow that an attempt begins."""

    version: int
    attempt: int
    #: How often Temporal has handed over this attempt, from 1.
    nth: int
    worker: str


class Begun(TypedDict):
    """The workflow's answer, after it has recorded it."""

    version: int
    #: ``expired``: the task may not begin any more, and nothing is recorded.
    verdict: Literal["run", "expired"]
    #: How often this attempt has begun, with this time.
    starts: int


class State(TypedDict):
    """What ``update_state`` says."""

    state: str
    meta: Any


class Progress(TypedDict):
    """Tells the workflow what the task says of itself."""

    version: int
    attempt: int
    progress: State


class Beat(TypedDict):
    """Details of a heartbeat. They outlive an attempt whose worker is lost."""

    version: int
    progress: State | None
    #: How often the attempt was stopped in order, because its worker stopped.
    interrupted: int
    #: How often its beginning was recorded, but the worker stopped before it began.
    unstarted: int
