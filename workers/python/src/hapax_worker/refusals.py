"""What cannot work without a broker to consume from, refused by name when the worker starts: one line for each."""

from __future__ import annotations

from typing import Any

#: Options of ``celery worker`` that do nothing here, with the reason. They would be missed later.
_OPTIONS = {
    "purge": "--purge: the tasks of Hapax are revoked, not purged; see `hapax tasks revoke`",
    "beat": "--beat: run `celery beat` beside the worker, or move its schedule with `hapax schedules import`",
    "autoscale": "--autoscale: the poller takes as many tasks as --concurrency says; start more workers instead",
}


def refuse(conf, options: dict[str, Any]) -> None:
    """Raises SystemExit with all that is wrong with the settings of an app (conf) and with the options of its worker."""
    faults = [*_serializers(conf), *_queues(conf), *(text for name, text in _OPTIONS.items() if options.get(name))]
    if faults:
        raise SystemExit("\n".join(f"hapax-worker: {fault}" for fault in faults))


def refuse_detach(_context, _option, is_asked: bool) -> None:
    """Callback of the option ``--detach``. Raises SystemExit where somebody asks for it."""
    if is_asked:
        raise SystemExit("hapax-worker: --detach: run it under a supervisor, such as systemd, or in a container")


def _serializers(conf) -> list[str]:
    faults = []
    if not {"json", "application/json"} & set(conf.accept_content):
        faults.append("accept_content has no json: Hapax takes tasks as JSON only")
    for name in ("task_serializer", "result_serializer"):
        if conf[name] != "json":
            faults.append(f"{name} is {conf[name]}: Hapax reads JSON only (pickle could run any code)")
    return faults


def _queues(conf) -> list[str]:
    """Messages reach Hapax through queues of RabbitMQ, by their name."""
    return [
        f"task_queues: {queue.name} is bound to the exchange {queue.exchange.name} of type {queue.exchange.type}; "
        "a broadcast has no place in Hapax"
        for queue in conf.task_queues or ()
        if getattr(getattr(queue, "exchange", None), "type", "direct") == "fanout"
    ]
