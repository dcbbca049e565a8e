"""Celery's pool, from whose answers the consumer learns what the work has left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.utils.log import get_logger

from hapax_worker.ledger import LEDGER, Entry

log = get_logger(__name__)

#: What Celery's pools of green threads answer for one that was killed.
_KILLED = (False, None, None)


class Attempts(Protocol):
    """What the pool asks and tells the consumer."""

    def limits_of(self, task_id: str) -> dict[str, float | None]:
        """The time limits of an attempt: ``timeout`` and ``soft_timeout``, seconds."""

    def ended(self, task_id: str, einfo, error: Exception | None = None) -> None:
        """An attempt is over. What it left behind is in the ledger. einfo or error: how it failed, if it did."""


def traced(trace, name: str, task_id: str, *rest) -> tuple[Any, Entry]:
    """Runs where the work is done, around Celery's own tracing. Returns its answer, and what the work has left behind."""
    LEDGER[task_id] = Entry()
    try:
        answer = trace(name, task_id, *rest)
    finally:
        entry = LEDGER.pop(task_id)
    return answer, entry


def _traced_here(*args) -> tuple[Any, Entry] | ExceptionInfo:
    """The same in the worker's own process, where a pool of threads tells nobody what is raised around a task."""
    try:
        return traced(*args)
    except Exception:
        return ExceptionInfo()


class RecordingPool:
    """Passes everything on to the real pool."""

    def __init__(self, real, attempts: Attempts) -> None:
        self.real = real
        self._attempts = attempts

    def __getattr__(self, name: str):
        return getattr(self.real, name)

    def apply_async(self, target, args, callback=None, error_callback=None, timeout_callback=None, **options):
        """As the pool of Celery, with its callbacks before ours."""
        task_id = args[1]

        def answered(answer) -> None:
            if isinstance(answer, ExceptionInfo):
                return lost(answer)
            if answer == _KILLED:
                return self._attempts.ended(task_id, None, WorkerLostError("its green thread was killed"))
            result, LEDGER[task_id] = answer
            try:
                callback(result)
            finally:
                failed, retval = result[0], result[1]
                self._attempts.ended(task_id, retval if failed else None)

        def lost(einfo, **_) -> None:
            LEDGER.setdefault(task_id, Entry())
            try:
                error_callback(einfo)
            finally:
                self._attempts.ended(task_id, einfo)

        def late(soft, timeout) -> None:
            if soft:
                return timeout_callback(soft, timeout)
            LEDGER.setdefault(task_id, Entry())
            try:
                timeout_callback(soft, timeout)
            finally:
                self._attempts.ended(task_id, None)

        return self.real.apply_async(
            traced if self.real.uses_semaphore else _traced_here,
            args=(target, *args),
            callback=_logged(answered, task_id),
            error_callback=_logged(lost, task_id),
            timeout_callback=_logged(late, task_id),
            **{**options, **self._attempts.limits_of(task_id)},
        )


def _logged(call: Callable, task_id: str) -> Callable:
    """Celery's pool of threads says nothing of what a callback raises."""

    def calling(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except Exception:
            log.exception("callback of the pool for %s", task_id)

    return calling
