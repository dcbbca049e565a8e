"""A request of Hapax as the message of Celery that it stands for."""

from __future__ import annotations

import json
from typing import Any

from kombu.message import Message

#: Header of a member of a chord that Hapax counts.
CHORD_COUNTED = "hapax_chord_counted"

#: Header of a task whose result another one takes.
RESULT_PASSED_ON = "hapax_result_passed_on"

_NO_CANVAS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def message_of(request: dict[str, Any], *, redelivered: bool) -> Message:
    """The message from which Celery makes its own request. Protocol 2, from the default exchange."""
    task_id, args, kwargs = request["task_id"], request["args"], request["kwargs"]
    headers = {
        "lang": "py",
        "task": request["name"],
        "id": task_id,
        "root_id": request["root_id"] or task_id,
        "parent_id": request["parent_id"],
        "group": None,
        "retries": request["retries"],
        # Hapax has kept the task until its time, and has checked that it has not expired.
        "eta": None,
        "expires": None,
        "timelimit": timelimit_of(request),
        "argsrepr": repr(tuple(args)),
        "kwargsrepr": repr(kwargs),
        **request.get("headers", {}),
        **({CHORD_COUNTED: True} if request.get("chord_counted") else {}),
        **({RESULT_PASSED_ON: True} if request.get("result_passed_on") else {}),
    }
    return Message(
        body=json.dumps([args, kwargs, {**_NO_CANVAS, **request.get("embed", {})}]),
        content_type="application/json",
        content_encoding="utf-8",
        headers=headers,
        properties={"priority": request["priority"], "correlation_id": task_id, "reply_to": request.get("reply_to")},
        delivery_info={"exchange": "", "routing_key": request["queue"], "redelivered": redelivered},
    )


def timelimit_of(request: dict[str, Any]) -> list[float | None]:
    """The limits of the request itself in Celery's order, hard then soft, seconds; None where the task's or the app's applies."""
    return [_seconds(request["hard_limit_ms"]), _seconds(request["soft_limit_ms"])]


def _seconds(ms: int | None) -> float | None:
    """Whole seconds as an int, since people see them: ``TimeLimitExceeded(1)``."""
    if ms is None:
        return None
    return ms / 1000 if ms % 1000 else ms // 1000
