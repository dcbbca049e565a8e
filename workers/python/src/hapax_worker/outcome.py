"""The outcome of an attempt, as the workflow of the task reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import states
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.log import get_logger
from kombu.exceptions import EncodeError

from hapax_worker.ledger import Entry, error_of, result_as_json

log = get_logger(__name__)

#: Pause before a task that was rejected with ``requeue=True`` begins again. A broker would deliver it at once, and again.
_REQUEUED_MS = 1_000

#: What ``Task.replace`` raises. Where the replacement is one task, its message was kept. A canvas sends others first, and its last
#: task has the id: the workflow waits for its message.
_REPLACED = ("Replaced by new task",)

Outcome = dict[str, Any]


def outcome_of(
    entry: Entry,
    einfo,
    error: Exception | None,
    *,
    is_stopped: bool,
    is_requeued: bool,
    kept: Callable[[], Outcome | None],
) -> Outcome:
    """What became of an attempt.

    entry: what the work left behind. einfo: how it failed, if it did. error: why it could not begin, if it could not.
    is_stopped: the worker stopped it, so another goes on. is_requeued: Celery gave its message back
    (``reject_on_worker_lost``, ``acks_on_failure_or_timeout=False``). kept: looks the end up where the work told none.
    """
    exception = error or (einfo and _exception(einfo))
    if entry.end and entry.end["kind"] == "succeeded":
        return entry.end
    if is_stopped:
        return {"kind": "lost"}
    if entry.end and entry.end["kind"] == "revoked":
        return entry.end
    if entry.end is None and (exception is None or isinstance(exception, WorkerLostError)):
        found = kept()
        if found or exception is None:
            return found or {"kind": "ignored", "result": None}
    if isinstance(exception, Retry) and entry.following:  # one that a task raised itself has sent nothing
        cause = exception.exc if isinstance(exception.exc, BaseException) else exception
        return _retry(entry, error_of(cause, einfo.traceback), counted=True)
    if isinstance(exception, Reject) and exception.requeue:
        return {"kind": "retry", "error": error_of(exception), "after_ms": _REQUEUED_MS, "counted": False, "next": None}
    if isinstance(exception, Ignore) and not isinstance(exception, Reject):
        return _ignored(entry, exception)
    if is_requeued:
        return {"kind": "lost"}
    return entry.end or {"kind": "failed", "error": error_of(exception, einfo and einfo.traceback)}


def kept_outcome(backend, task_id: str) -> Outcome | None:
    """The success of a task whose result a back end has; None where it has none, or cannot say. A result that Hapax cannot carry fails."""
    try:
        kept = backend.get_task_meta(task_id)
        if kept.get("status") == states.SUCCESS:
            return {"kind": "succeeded", "result": result_as_json(kept.get("result"))}
    except EncodeError as error:
        return {"kind": "failed", "error": error_of(error)}
    except Exception as error:  # an app may have no back end, or one that is away
        log.info("%s cannot be looked up in the result back end: %r", task_id, error)
    return None


def _exception(einfo) -> BaseException:
    exception = einfo.exception
    # Retry has an attribute of that name too: its cause.
    return exception if isinstance(exception, Retry) else getattr(exception, "exc", None) or exception


def _retry(entry: Entry, error: dict[str, Any], *, counted: bool) -> Outcome:
    following = dict(entry.following) if entry.following else None
    eta = following.pop("eta") if following else None
    return {"kind": "retry", "error": error, "after_ms": _milliseconds_until(eta), "counted": counted, "next": following}


def _milliseconds_until(eta: str | None) -> int:
    if eta is None:
        return 0
    at = datetime.fromisoformat(eta)
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return max(0, round((at - datetime.now(timezone.utc)).total_seconds() * 1000))


def _ignored(entry: Entry, exception: Ignore) -> Outcome:
    """Celery leaves an ignored task as it is. In Hapax each task ends: as its state says, else as a success without a result."""
    if entry.following:
        return _retry(entry, error_of(exception), counted=False)
    if exception.args == _REPLACED:
        return {"kind": "replaced", "error": error_of(exception)}
    told = entry.state or {"state": None, "meta": None}
    if told["state"] == "FAILURE":
        return {"kind": "failed", "error": {**error_of(exception), "message": json.dumps(told["meta"])}}
    if told["state"] == "REVOKED":
        return {"kind": "revoked"}
    return {"kind": "ignored", "result": told["meta"] if told["state"] == "SUCCESS" else None}
