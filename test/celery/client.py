"""A program as Celery's users write it: the configuration of the seed, send_task, get, chains, links, control.

Reads one JSON object from its argument: {broker, backend, steps: [...]}; prints one JSON list, an answer for each step.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from celery import Celery, chain, chord

spec = json.loads(sys.argv[1])
app = Celery("menos", broker=spec["broker"], backend=spec["backend"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    result_serializer="json",
    timezone="UTC",
    enable_utc=True,
    task_routes={
        "tasks.ingest_youtube": {"queue": "youtube"},
        "tasks.process_content": {"queue": "content"},
        "tasks.semantic_search": {"queue": "search"},
    },
    **spec.get("conf", {}),
)
sent = {}


def soon(seconds):
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def send(step):
    options = dict(step.get("options", {}))
    if "eta_in" in options:
        options["eta"] = soon(options.pop("eta_in"))
    for kind in ("link", "link_error"):
        if kind in options:
            options[kind] = app.signature(options[kind]["task"], **options[kind].get("options", {}))
    result = app.send_task(step["task"], args=step.get("args"), kwargs=step.get("kwargs"), **options)
    sent[step.get("as", "last")] = result
    return {"id": result.id}


def get(step):
    result = sent.get(step.get("of", "last")) or app.AsyncResult(step["of"])
    try:
        return {"value": result.get(timeout=step.get("timeout", 30)), "status": result.status}
    except Exception as error:  # noqa: BLE001
        return {
            "raises": type(error).__name__,
            "module": type(error).__module__,
            "args": [str(argument) for argument in error.args],
            "status": result.status,
        }


def run_chain(step):
    signatures = [app.signature(s["task"], args=s.get("args", []), kwargs=s.get("kwargs", {})) for s in step["of"]]
    for signature, s in zip(signatures, step["of"]):
        options = {name: soon(seconds) for name, seconds in s.get("times_in", {}).items()}
        signature.set(queue=app.conf.task_routes[signature.task]["queue"], **options)
    result = chain(*signatures).apply_async()
    sent[step.get("as", "last")] = result
    return {"id": result.id, "parent": result.parent.id, "first": result.as_list()[-1]}


def run_chord(step):
    header = [app.signature(s["task"], args=s["args"]).set(queue="search") for s in step["of"]]
    body = app.signature(step["body"], args=step.get("args", []), immutable=True).set(queue="search")
    if "link_error" in step:
        body.on_error(app.signature("tasks.semantic_search", task_id=step["link_error"], queue="search"))
    result = chord(header)(body)
    sent[step.get("as", "last")] = result
    return {"id": result.id}


def count(step):
    app.backend.set_chord_size(step["group"], step["size"])
    return {}


def children(step):
    result = sent[step.get("of", "last")]
    return {"children": [child.id for child in result.children or []]}


def revoke(step):
    result = sent.get(step.get("of", "last")) or app.AsyncResult(step["of"])
    if "answered" in step:
        return app.control.revoke([result.id], terminate=True, reply=True, limit=step["answered"], timeout=120)
    result.revoke(terminate=step.get("terminate", False))
    return {}


def inspect(step):
    return getattr(app.control.inspect(timeout=step.get("timeout", 2)), step["method"])() or {}


STEPS = {"send": send, "get": get, "chain": run_chain, "chord": run_chord, "count": count, "children": children, "revoke": revoke, "inspect": inspect}
print(json.dumps([STEPS[step["do"]](step) for step in spec["steps"]]))
