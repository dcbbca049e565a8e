"""Tasks that every worker has beside those of its app: what only Celery's own canvas can do with what follows a task.

Hapax publishes plain tasks and groups itself once the end of a task is on record. A chain, a chord or the like it leaves to
``hapax.publish``. Where a member of a chord failed, ``hapax.fail_chord`` calls the error links as Celery does, with the exception;
``hapax.call_error_links`` does where a message was refused.
All ids are in the signatures already, so doing either twice starts nothing twice.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.app.task import Context
from celery.backends.base import _create_chord_error_with_cause
from celery.canvas import maybe_signature
from celery.exceptions import ChordError

#: Names that the bridge knows.
PUBLISH = "hapax.publish"
FAIL_CHORD = "hapax.fail_chord"
CALL_ERROR_LINKS = "hapax.call_error_links"

#: None may be lost, and each may be repeated.
_OPTIONS = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True, "shared": False, "lazy": False}


def add_tasks(app: Celery) -> None:
    """Adds these tasks to an app, as Celery adds its own: before the children of its pool prepare the tasks that they know."""

    @app.task(name=PUBLISH, **_OPTIONS)
    def publish(signature: dict, args: list, chain: list, parent_id: str, root_id: str) -> None:
        """Publishes a chain, a chord or the like that follows a task."""
        following = {"chain": chain} if chain else {}
        maybe_signature(signature, app=app).apply_async(tuple(args), parent_id=parent_id, root_id=root_id, **following)

    @app.task(name=FAIL_CHORD, **_OPTIONS)
    def fail_chord(callback: dict, task_id: str, exception: dict[str, Any]) -> None:
        """Tells what was to follow a chord that a member of it failed."""
        cause = app.backend.exception_to_python(exception)
        try:
            raise _create_chord_error_with_cause(f"Dependency {task_id} raised {cause!r}", cause)
        except ChordError as error:
            app.backend.chord_error_from_stack(maybe_signature(callback, app=app), error)

    @app.task(name=CALL_ERROR_LINKS, **_OPTIONS)
    def call_error_links(task_id: str, errbacks: list, exception: dict[str, Any]) -> None:
        """Calls the error links of a task whose arguments do not fit, which no worker gets."""
        request = Context(id=task_id, errbacks=errbacks, delivery_info={})
        app.backend._call_task_errbacks(request, app.backend.exception_to_python(exception), None)
