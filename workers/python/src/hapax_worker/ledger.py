"""What the work on a task leaves behind, from which its outcome is made.

The ledger is filled in the child that works, by the back end and by ``Task.retry``; for time limits and lost children it is filled in
the worker's main process. Entries travel from the child in the answer of the pool, so they hold JSON only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kombu.exceptions import EncodeError
from kombu.serialization import dumps
from kombu.utils.encoding import safe_repr


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

#: Characters that are kept of the message of an error, and of its arguments as JSON.
_ERROR_CHARACTERS = 4_000
_ARGUMENTS_CHARACTERS = 100_000

#: Most characters of JSON that a result may have, as in TypeScript. Temporal carries no more than about two million bytes.
_RESULT_CHARACTERS = 1_000_000


class ResultTooLarge(EncodeError):
    """A result that Hapax cannot carry. Celery takes an EncodeError as a failure of the task."""


def as_json(value: Any) -> Any:
    """A value as kombu writes it in JSON (dates, decimals and UUIDs are marked), with null for NaN and Infinity, which Python alone
    writes. Raises kombu's EncodeError where it is none."""
    return _read(_text_of(value))


def result_as_json(value: Any) -> Any:
    """The same of a result. Raises ResultTooLarge where it has too many characters."""
    text = _text_of(value)
    if len(text) > _RESULT_CHARACTERS:
        raise ResultTooLarge(f"the result has {len(text)} characters of JSON; {_RESULT_CHARACTERS} is the most")
    return _read(text)


def _text_of(value: Any) -> str:
    _, _, text = dumps(value, serializer="json")
    return text


def _read(text: str) -> Any:
    return json.loads(text, parse_constant=lambda _: None)


def error_of(exception: BaseException, traceback: object = None) -> dict[str, Any]:
    """An exception as Celery's back ends store it, so that a client's ``get()`` raises the same class."""
    kind = type(exception)
    message = _said_by(exception)[:_ERROR_CHARACTERS]
    try:
        text = _text_of(list(exception.args))
        arguments = _read(text) if len(text) <= _ARGUMENTS_CHARACTERS else [message]
    except Exception:
        arguments = [safe_repr(argument)[:_ERROR_CHARACTERS] for argument in exception.args]
    return {
        "type": kind.__name__,
        "module": kind.__module__,
        "args": arguments,
        "message": message,
        "traceback": str(traceback)[-_TRACEBACK_CHARACTERS:] if traceback else None,
    }


def _said_by(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception:
        return safe_repr(exception)
