"""What Hapax has to know of the tasks of an app before one runs: names, queues, arguments, limits."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

from celery import Celery, Task

#: Names of the parameters' kinds, as Hapax's registry has them.
_KINDS = {kind: kind.name.lower() for kind in inspect._ParameterKind}

_DOC_CHARACTERS = 200
_DEFAULT_CHARACTERS = 100


def describe(app: Celery) -> list[dict[str, Any]]:
    """All tasks of an app, with those of Celery and of this package: canvases are made of them."""
    return [_describe(app, task) for _, task in sorted(app.tasks.items())]


def queue_of(app: Celery, route: Mapping[str, Any]) -> str | None:
    """The queue to which options of a message lead: the one that they name, else the one that is bound by their exchange and key."""
    queue, exchange, key = route.get("queue"), route.get("exchange"), route.get("routing_key")
    if queue is not None:
        return str(getattr(queue, "name", queue))
    if exchange is None:
        return app.conf.task_default_queue
    wanted = (getattr(exchange, "name", exchange), key)
    return next((name for name, of in app.amqp.queues.items() if of.exchange and (of.exchange.name, of.routing_key) == wanted), None)


def _describe(app: Celery, task: Task) -> dict[str, Any]:
    run = getattr(task, "_orig_run", None) or task.run
    return {
        "name": task.name,
        "queue": _queue_of(app, task),
        "doc": (inspect.getdoc(run) or "").split("\n")[0][:_DOC_CHARACTERS] or None,
        "parameters": _parameters(run) if task.typing else None,
        "soft_time_limit": task.soft_time_limit or app.conf.task_soft_time_limit,
        "time_limit": task.time_limit or app.conf.task_time_limit,
        "max_retries": task.max_retries,
        "retry_delay": task.default_retry_delay,
        "rate_limit": task.rate_limit and str(task.rate_limit),
        "options": {
            "acks_late": bool(task.acks_late),
            "autoretry_for": [error.__name__ for error in getattr(task, "autoretry_for", ())],
            "hints": _hints(run),
            "ignore_result": bool(task.ignore_result),
            "reject_on_worker_lost": bool(task.reject_on_worker_lost),
            "retry_backoff": getattr(task, "retry_backoff", False),
            "store_errors_even_if_ignored": bool(task.store_errors_even_if_ignored),
        },
    }


def _queue_of(app: Celery, task: Task) -> str:
    """Where ``task.delay()`` goes, by the task's own option, then by the routes of the app."""
    own = getattr(task, "queue", None)
    if own:
        return str(own)
    return queue_of(app, app.amqp.router.route({}, task.name, task_type=task)) or app.conf.task_default_queue


def _parameters(run) -> list[dict[str, Any]] | None:
    try:
        parameters = inspect.signature(run).parameters.values()
    except (TypeError, ValueError):
        return None
    return [_parameter(parameter) for parameter in parameters]


def _parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    is_variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    has_default = parameter.default is not parameter.empty
    described = {
        "name": parameter.name,
        "kind": _KINDS[parameter.kind],
        "required": not has_default and not is_variadic,
    }
    return {**described, "default": repr(parameter.default)[:_DEFAULT_CHARACTERS]} if has_default else described


def _hints(run) -> dict[str, str]:
    """Types as they are written, for people. Python does not enforce them, nor does Hapax: what Celery ran, still runs."""
    try:
        hints = typing.get_type_hints(run)
    except Exception:  # a name that exists only for type checkers, for example
        return {}
    return {name: _written(hint) for name, hint in hints.items()}


def _written(hint: Any) -> str:
    return (hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint))[:_DEFAULT_CHARACTERS]
