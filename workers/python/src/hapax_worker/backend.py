"""The app's result back end, which also tells Hapax what it is told about the task at work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery import Celery, states
from celery._state import get_current_worker_task
from celery.backends.base import DisabledBackend
from kombu.exceptions import EncodeError

from hapax_worker import progress
from hapax_worker.canvas import FAIL_CHORD
from hapax_worker.ledger import LEDGER, as_json, error_of, result_as_json
from hapax_worker.messages import CHORD_COUNTED, RESULT_PASSED_ON


class Recording:
    """Mixed into the class of the app's own back end. ``forwards`` says whether the back end is still written to."""

    forwards = True

    def mark_as_done(self, task_id, result, request=None, store_result=True, state=states.SUCCESS):
        kept = None
        if store_result and not (request and request.ignore_result):
            # What is no JSON, or too much of it, fails here, which is a failure of the task, as in Celery.
            kept = self._kept(result_as_json, result)
        elif request and request.get(RESULT_PASSED_ON):
            with suppress(EncodeError):
                kept = result_as_json(self.prepare_value(result))
        super().mark_as_done(task_id, result, request, store_result, state)
        if task_id in LEDGER:
            LEDGER[task_id].end = {"kind": "succeeded", "result": kept}

    def mark_as_failure(self, task_id, exc, traceback=None, *args, **kwargs):
        if task_id in LEDGER:
            LEDGER[task_id].end = {"kind": "failed", "error": error_of(exc, traceback)}
        super().mark_as_failure(task_id, exc, traceback, *args, **kwargs)

    def mark_as_revoked(self, task_id, reason="", *args, **kwargs):
        if task_id in LEDGER:
            LEDGER[task_id].end = {"kind": "revoked"}
        super().mark_as_revoked(task_id, reason, *args, **kwargs)

    def on_chord_part_return(self, request, state, result, *args, **kwargs):
        # The record counts: a member that is begun again, or lost, counts once all the same.
        if not is_counted(request):
            super().on_chord_part_return(request, state, result, *args, **kwargs)

    def store_result(self, task_id, result, state, *args, **kwargs):
        entry = LEDGER.get(task_id)
        if entry and entry.end is None and _is_own_state(state, result):
            entry.state = {"state": state, "meta": self._kept(as_json, result)}
            if state not in states.READY_STATES:
                progress.tell(task_id, entry.state)
        if entry is None or self.forwards:
            return super().store_result(task_id, result, state, *args, **kwargs)
        return result

    def _kept(self, write: Callable[[Any], Any], value: Any) -> Any:
        """A value as JSON. Raises EncodeError where it is none; not in an app without a back end, whose tasks may return anything."""
        try:
            return write(self.prepare_value(value))
        except EncodeError:
            if isinstance(self, DisabledBackend):
                return None
            raise


def is_counted(request) -> bool:
    """Whether Hapax counts the chord of a request, or of the task at work, which may tell of other tasks."""
    task = get_current_worker_task()
    if task and task.name == FAIL_CHORD:
        return True
    return any(of is not None and of.get(CHORD_COUNTED) for of in (request, task and task.request))


def _is_own_state(state: str, result: Any) -> bool:
    """Whether the task itself says this, by ``update_state``, and not Celery around it."""
    return state not in (states.STARTED, states.RETRY) and not isinstance(result, BaseException)


def record_results(app: Celery, forwards: bool) -> None:
    """Has the back ends of an app (there is one for each thread), and those that its tasks have of their own, tell Hapax."""
    make = app._get_backend

    def make_recording():
        return _recording(make(), forwards)

    app._get_backend = make_recording
    for task in app.tasks.values():
        _recording(task.backend, forwards)


def _recording(backend, forwards: bool):
    if not isinstance(backend, Recording):
        own = type(backend)
        backend.__class__ = type(f"Recording{own.__name__}", (Recording, own), {"forwards": forwards})
    return backend
