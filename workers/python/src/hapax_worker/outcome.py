"""The outcome of an attempt, as the workflow of the task reads it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from celery.exceptions import Ignore, Reject, Retry

from hapax_worker.ledger import Entry, error_of

#: Pause before a task that was rejected with ``requeue=True`` begins again. A broker would deliver it at once, and again.
_REQUEUED_MS = 1_000

#: What ``Task.replace`` raises. Where the replacement is one task, its message was kept. A canvas sends others first, and its last
#: task has the id: the workflow waits for its message.
_REPLACED = ("Replaced by new task",)

Outcome = dict[str, Any]


def outcome_of(entry: Entry, einfo, error: Exception | None, *, is_stopped: bool, is_requeued: bool) -> Outcome:
    """What became of an attempt.

    entry: what the work left behind. einfo: how it failed, if it did. error: why it could not begin, if it could not.
    is_stopped: the worker stopped it, so another goes on. is_requeued: Celery gave its message back
    (``reject_on_worker_lost``, ``acks_on_failure_or_timeout=False``).
    """
    exception = error or _exception(einfo)
    if entry.end and entry.end["kind"] == "succeeded":
        return entry.end
    if is_stopped:
        return {"kind": "lost"}
    if entry.end and entry.end["kind"] == "revoked":
        return entry.end
    if isinstance(exception, Retry):
        cause = exception.exc if isinstance(exception.exc, BaseException) else exception
        return _retry(entry, error_of(cause, einfo.traceback), counted=True)
    if isinstance(exception, Reject) and exception.requeue:
        return {"kind": "retry", "error": error_of(exception), "after_ms": _REQUEUED_MS, "counted": False, "next": None}
    if isinstance(exception, Ignore) and not isinstance(exception, Reject):
        return _ignored(entry, exception)
    if is_requeued:
        return {"kind": "lost"}
    return entry.end or {"kind": "failed", "error": error_of(exception, einfo and einfo.traceback)}


def _exception(einfo) -> BaseException:
    exception = einfo.exception if einfo else RuntimeError("the attempt ended without a result")
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
