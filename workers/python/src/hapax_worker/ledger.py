"""What the work on a task leaves behind, from which its outcome is made.

The ledger is filled in the child that works, by the back end and by ``Task.retry``; for time limits and lost children it is filled in
the worker's main process. Entries travel from the child in the answer of the pool, so they hold JSON only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kombu.serialization import dumps


@dataclass
class Entry:
    """What one attempt has left behind so far."""

    #: The end that the back end was told, an outcome without its version; None while there is none.
    end: dict[str, Any] | None = None
    #: What ``update_state`` said last: ``{"state", "meta"}``.
    state: dict[str, Any] | None = None
    #: The message that ``retry`` or ``replace`` would have published: the next attempt, with its ``eta``.
    following: dict[str, Any] | None = None


#: By task id: the tasks that this process works on.
LEDGER: dict[str, Entry] = {}

#: Characters of a traceback that are kept: its end, which says what went wrong.
_TRACEBACK_CHARACTERS = 4_000


def as_json(value: Any) -> Any:
    """A value as kombu writes it in JSON (dates, decimals and UUIDs are marked). Raises kombu's EncodeError where it is none."""
    _, _, text = dumps(value, serializer="json")
    return json.loads(text)


def error_of(exception: BaseException, traceback: object = None) -> dict[str, Any]:
    """An exception as Celery's back ends store it, so that a client's ``get()`` raises the same class."""
    kind = type(exception)
    try:
        arguments = as_json(list(exception.args))
    except Exception:
        arguments = [repr(argument) for argument in exception.args]
    return {
        "type": kind.__name__,
        "module": kind.__module__,
        "args": arguments,
        "message": str(exception),
        "traceback": str(traceback)[-_TRACEBACK_CHARACTERS:] if traceback else None,
    }
