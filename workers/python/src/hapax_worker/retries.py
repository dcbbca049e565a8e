"""Keeps the message that ``retry`` or ``replace`` publishes for the task at work: the workflow makes the next attempt of it."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery._state import get_current_worker_task

from hapax_worker.describe import queue_of
from hapax_worker.ledger import LEDGER, as_json


#: Headers that the request of an attempt has members for. The parent of a retry is the task itself, which only its message says.
_OF_THE_ATTEMPT = {"lang", "task", "id", "root_id", "retries", "eta", "expires", "timelimit"}


class _Keeper:
    """Stands in for a producer. What is published through it is kept, and nothing goes to the broker."""

    body: Any = None

    def __init__(self, producer) -> None:
        self._producer = producer

    def __getattr__(self, name: str):
        return getattr(self._producer, name)

    def publish(self, body, **_) -> None:
        self.body = body


def keep_own_messages(app: Celery) -> None:
    """From now on, an app does not publish messages that carry the id of the task at work."""
    send = app.amqp.send_task_message

    def send_task_message(producer, name, message, **options):
        task = get_current_worker_task()
        own_id = task.request.id if task and task.request else None
        if own_id not in LEDGER or message.headers.get("id") != own_id:
            return send(producer, name, message, **options)
        keeper = _Keeper(producer)
        send(keeper, name, message, **options)  # with its signals, and with what the router decides
        # Which pattern of a binding a key fits, only the broker knows: then the task stays in its queue.
        queue = queue_of(app, options) or task.request.delivery_info["routing_key"]
        LEDGER[own_id].following = _attempt(name, message.headers, keeper.body, queue)

    app.amqp.send_task_message = send_task_message


def _attempt(name: str, headers: dict[str, Any], body: tuple, queue: str) -> dict[str, Any]:
    args, kwargs, embed = body
    hard, soft = headers["timelimit"]
    return as_json(
        {
            "name": name,
            "args": args,
            "kwargs": kwargs,
            "queue": queue,
            "retries": headers["retries"],
            "eta": headers["eta"],
            "soft_limit_ms": soft and round(soft * 1000),
            "hard_limit_ms": hard and round(hard * 1000),
            "headers": {key: value for key, value in headers.items() if key not in _OF_THE_ATTEMPT and value is not None},
            "embed": {key: value for key, value in embed.items() if value},
        }
    )
