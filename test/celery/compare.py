"""Sends one list of tasks to a worker of features.py, and prints what became of each, without what differs each time.

Its argument is JSON: {"directory": for files of its own, "short": whether only what every pool can do, "tasks_per_child": what the worker
was told, if it was}; its environment is that of the worker.
"""

import json
import os
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import features as f
from celery import chain, chord, group
from celery.result import AsyncResult

SPEC = json.loads(sys.argv[1])
DIRECTORY = SPEC["directory"]
PATIENCE_S = 400
UNTIL = time.monotonic() + PATIENCE_S
ENDED = ("SUCCESS", "FAILURE", "REVOKED")

#: Whether the app's back end is left out.
HAS_RECORD_ALONE = os.environ.get("HAPAX_RESULTS") == "record"

#: Nothing of these is in the back end: they have ended when their signal says so.
IGNORED = [
    "ignore_result",
    "ignore_result of the request",
    *(["store_errors_even_if_ignored"] if HAS_RECORD_ALONE else []),
]

#: The results of these are ids.
IDS = tuple(f"a task that sends a {what}" for what in ("task", "chain", "link", "group", "chord"))

#: Results by id. The ids are different in each run.
found = {}


def mark(name):
    return os.path.join(DIRECTORY, name)


def soon(seconds):
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def send(task, *args, **options):
    return task.apply_async(args, **options)


def alone(result):
    """The result without those before it, which nobody stores."""
    result.parent = None
    return result


def numbers(count=2):
    return [f.add.s(i, i) for i in range(1, count + 1)]


#: Chords, and what becomes chords or is followed by them.
CHORDS = {
    "a chord that fails": lambda: chord([*numbers(), f.raises.si("value"), f.raises.si("odd")])(f.total.s()),
    "a chord that fails, with error links": lambda: chord([*numbers(), f.raises.si("odd")])(
        f.total.s().on_error(f.on_error.s())
    ),
    "a chord that fails, with an error link of the old style": lambda: chord([f.raises.si("odd")])(
        f.total.s().on_error(f.shared.s())
    ),
    "a chord whose body fails": lambda: chord(numbers())(f.raises.si("odd").on_error(f.on_error.s())),
    "a chord with a retry": lambda: chord([*numbers(), f.retries.si(1)])(f.total.s()),
    "a chord with a member of no result": lambda: chord([f.nothing.si(), f.echo.si(1)])(f.echo.s()),
    "a chord with a hard time limit": lambda: chord([*numbers(), f.hard.si()])(f.total.s()),
    "a chord with a child that is killed": lambda: chord([*numbers(), f.kills_child.si()])(f.total.s()),
    "a chord of chains": lambda: chord([chain(f.add.s(1, 1), f.add.s(2)), f.add.s(3, 3)])(f.total.s()),
    "a chord of chains that fails": lambda: chord([chain(f.raises.si("value"), f.add.s(2)), f.add.s(3, 3)])(f.total.s()),
    "a chord before a chain": lambda: chord(numbers())(chain(f.total.s(), f.add.s(5), f.add.s(6))),
    "a chord before a chain that fails": lambda: chord([f.raises.si("value")])(chain(f.total.s(), f.add.s(5))),
    "a chord before a group": lambda: chord(numbers())(group(f.total.s(), f.echo.s())),
    "a chord before a chord": lambda: chord(numbers())(chord([f.total.s(), f.total.s()], f.total.s())),
    "a chord of chords": lambda: chord([chord(numbers(), f.total.s()), f.add.s(3, 3)])(f.total.s()),
    "a chord of groups": lambda: chord([group(numbers()), f.add.s(3, 3)])(f.total.s()),
    "a chord of a chain with a group": lambda: chord([chain(f.add.s(1, 1), group(f.add.s(1), f.add.s(2))), f.add.s(5, 5)])(
        f.echo.s()
    ),
    "a chord without members": lambda: chord([])(f.total.s()),
    "a chord that grows": lambda: chord([f.adds_to_chord.s(1), f.add.s(2, 2)])(f.total.s()),
    "a chord with a link": lambda: chord(numbers())(f.total.s(), link=f.add.s(1)),
    "the requests of a chord": lambda: chord([f.about_canvas.s(), f.about_canvas.s()])(f.about_canvas.s()),
    "the requests of a chain with a chord": lambda: chain(
        f.about_canvas.s(), group(f.about_canvas.s(), f.about_canvas.s()), f.about_canvas.s()
    )(),
    "a group in a chain": lambda: chain(f.add.s(1, 1), group(f.add.s(1), f.add.s(2)), f.total.s())(),
    "a group at the end of a chain": lambda: chain(f.add.s(1, 1), group(f.add.s(1), f.add.s(2)))(),
    "groups in a chain": lambda: chain(group(numbers()), group(f.total.s(), f.total.s()), f.total.s(), f.add.s(1))(),
    "a group of chains in a chain": lambda: chain(
        f.add.s(1, 1), group(chain(f.add.s(1), f.add.s(1)), f.add.s(2)), f.total.s()
    )(),
    "a group in a chain that fails": lambda: chain(f.add.s(1, 1), group(f.add.s(1), f.raises.si("odd")), f.total.s())(),
    "replace with a chain": lambda: send(f.replaces_with, "chain"),
    "replace with a group": lambda: send(f.replaces_with, "group"),
    "replace with a chord": lambda: send(f.replaces_with, "chord"),
    "replace with a chain that fails": lambda: send(f.replaces_with, "failing chain"),
    "replace with a chord that fails": lambda: send(f.replaces_with, "failing chord"),
    "replace twice": lambda: send(f.replaces_with, "itself"),
    "replace in a chain": lambda: chain(f.replaces_with.si("group"), f.total.s())(),
    "replace in a chord": lambda: chord([f.replaces_with.si("chain"), f.add.s(1, 1)])(f.total.s()),
    "replace with a link": lambda: send(f.replaces_with, "chord", link=f.add.s(5)),
}

#: Hapax alone counts chords, with the app's back end or without: these three show that.
if HAS_RECORD_ALONE:
    SHOWN = ("a chord that fails", "a group in a chain", "replace with a chord")
    CHORDS = {name: case for name, case in CHORDS.items() if name in SHOWN}

CASES = {
    "positional arguments": lambda: send(f.add, 1, 2),
    "named arguments": lambda: f.add.apply_async(kwargs={"x": 1, "y": 5}),
    "a default": lambda: send(f.add, 1),
    "any arguments": lambda: f.echo.apply_async([1, "é", None, [1, {"a": 2.5}]], {"b": True}),
    "large arguments": lambda: send(f.echo, "x" * 100_000),
    "more types than JSON has": lambda: send(
        f.types, datetime(2026, 1, 2, tzinfo=timezone.utc), Decimal("1.5"), UUID(int=1), soon(0).date()
    ),
    "results of more types": lambda: send(f.returns_types),
    "no result": lambda: send(f.nothing),
    "a result that is the result of another": lambda: send(f.returns_result),
    "a result that is no JSON": lambda: send(f.not_json),
    "hints that are not kept": lambda: send(f.hinted, "3"),
    "pydantic arguments": lambda: send(f.moved, {"x": "1"}, 2),
    "pydantic arguments that do not fit": lambda: send(f.moved, {"x": "one"}, 2),
    "a shared task with a name of its own": lambda: send(f.shared, 7),
    "the request": lambda: f.about.apply_async([1, "b"], {"a": 2}),
    "priority": lambda: send(f.about, priority=7),
    "time limits of the request": lambda: send(f.about, soft_time_limit=30, time_limit=60),
    "headers": lambda: send(f.about, headers={"tenant": "acme", "views": 2**40}),
    "a shadow name": lambda: send(f.about, shadow="another"),
    "stamps": lambda: f.about.s().stamp(team="blue") and f.about.apply_async(stamped_headers=["team"], team="blue"),
    "an id of its own": lambda: send(f.about, task_id=f"own-{f.QUEUE}"),
    "compressed": lambda: send(f.echo, "y" * 1_000, compression="gzip"),
    "countdown": lambda: send(f.add, 1, countdown=0.3),
    "eta": lambda: send(f.add, 1, eta=soon(0.3)),
    "expires later": lambda: send(f.add, 1, expires=60),
    "a Python error": lambda: send(f.raises, "value"),
    "an error of the app": lambda: send(f.raises, "odd"),
    "an error with a cause": lambda: send(f.raises, "caused"),
    "an error of the system": lambda: send(f.raises, "os"),
    "an expected error": lambda: send(f.expected),
    "SystemExit": lambda: send(f.exits),
    "retry": lambda: send(f.retries, 2),
    "retry after a countdown": lambda: send(f.retries, 1, 0.3),
    "retry until it gives up": lambda: send(f.gives_up, True),
    "MaxRetriesExceededError": lambda: send(f.gives_up, False),
    "max_retries of one retry": lambda: send(f.gives_up_at, 1),
    "annotations": lambda: send(f.annotated),
    "autoretry with back-off": lambda: send(f.auto, 2),
    "autoretry that gives up": lambda: send(f.auto, 9),
    "dont_autoretry_for": lambda: send(f.auto_but),
    "retry with other arguments": lambda: send(f.retries_with, 2),
    "retry without throw": lambda: send(f.retries_quietly),
    "retry at a time": lambda: send(f.retries_at),
    "ignore_result": lambda: send(f.silent),
    "ignore_result of the request": lambda: send(f.add, 1, ignore_result=True),
    "store_errors_even_if_ignored": lambda: send(f.silent_but),
    "Ignore with a state": lambda: send(f.ignores, "SUCCESS", {"why": "said so"}),
    "Reject": lambda: send(f.rejects),
    "Reject and requeue": lambda: send(f.rejects_once, mark("rejected")),
    "replace": lambda: send(f.replaces, 4),
    "soft time limit, caught": lambda: send(f.soft, True),
    "soft time limit": lambda: send(f.soft, False),
    "hard time limit": lambda: send(f.hard),
    "hard time limit of the request": lambda: send(f.sleeps, 20, time_limit=1),
    "soft time limit of the request": lambda: send(f.sleeps, 20, soft_time_limit=1),
    "a child that is killed": lambda: send(f.kills_child),
    "reject_on_worker_lost": lambda: send(f.kills_child_once, mark("killed")),
    "hooks after a success": lambda: send(f.hooked, "ok"),
    "hooks after a failure": lambda: send(f.hooked, "fail"),
    "hooks of a retry": lambda: send(f.hooked, "retry"),
    "hooks at the hard time limit": lambda: send(f.hooked, "hang", time_limit=1),
    "__call__ of a base class": lambda: send(f.doubled, 4),
    "a task as a class": lambda: send(f.app.tasks["features.old_style"], 1),
    "the seed's rate-limited task": lambda: f.ingest.apply_async(["u"], {"quota": mark("quota"), "units": 9_500}),
    "task_routes": lambda: send(f.routed),
    "task_routes by pattern": lambda: send(f.pattern),
    "a task that sends a task": lambda: send(f.sends, "delay"),
    "a task that sends a chain": lambda: send(f.sends, "chain"),
    "a task that sends a group": lambda: send(f.sends, "group"),
    "a task that sends a chord": lambda: send(f.sends, "chord"),
    "a task that sends a link": lambda: send(f.sends, "link"),
    "AsyncResult.get inside a task": lambda: send(f.sends, "get"),
    "a chain": lambda: chain(f.add.s(1, 2), f.add.s(3), f.add.s(4))(),
    "a chain that fails": lambda: chain(f.add.s(1, 2), f.raises.si("value"), f.add.s(4))(),
    "a chain with a result that is ignored": lambda: alone(chain(f.add.s(1, 2).set(ignore_result=True), f.add.s(3))()),
    "a chain with a task that ignores its result": lambda: alone(chain(f.silent.si(), f.echo.s())()),
    "a chord with a result that is ignored": lambda: alone(
        chord([f.add.s(1, 1).set(ignore_result=True), *numbers()])(f.total.s())
    ),
    "a group": lambda: group(f.add.s(i, i) for i in range(3))(),
    "a chord": lambda: chord(f.add.s(i, i) for i in range(3))(f.total.s()),
    **CHORDS,
    "a link": lambda: send(f.add, 1, link=f.add.s(5)),
    "a link that is a chain": lambda: send(f.add, 1, link=chain(f.add.s(5), f.add.s(6))),
    "chunks": lambda: f.add.chunks([(i, i) for i in range(4)], 2)(),
    "map": lambda: f.total.map([[1, 2], [3, 4]]).apply_async(),
    "starmap": lambda: f.add.starmap([(1, 2), (3, 4)]).apply_async(),
    "link_error": lambda: send(f.raises, "value", link_error=f.on_error.s()),
    "logs": lambda: send(f.logs),
}


#: A worker of Celery refuses these itself, Hapax before a worker has them: the text of the error is another.
REFUSED = {
    "too many arguments": lambda: f.app.send_task("features.add", (1, 2, 3)),
    "missing arguments": lambda: f.app.send_task("features.add", link_error=f.on_error.s()),
    "a name that nobody registered": lambda: f.app.send_task("features.nobody"),
}

#: Of the cases, those that need no children that can be stopped.
SHORT = (
    "positional arguments",
    "any arguments",
    "results of more types",
    "a result that is no JSON",
    "pydantic arguments",
    "the request",
    "time limits of the request",
    "headers",
    "countdown",
    "an error of the app",
    "an error with a cause",
    "retry",
    "MaxRetriesExceededError",
    "autoretry with back-off",
    "ignore_result",
    "Ignore with a state",
    "Reject and requeue",
    "replace",
    "hooks after a success",
    "hooks after a failure",
    "hooks of a retry",
    "__call__ of a base class",
    "the seed's rate-limited task",
    "task_routes",
    "a chain",
    "a chord",
    "a chord that fails, with error links",
    "a chord before a chain",
    "replace with a chord",
    "a link that is a chain",
    "link_error",
    "logs",
)


def eventually(holds):
    """Waits until it holds; all waits together have PATIENCE_S. What has not come by then is seen as a difference."""
    while not holds() and time.monotonic() < UNTIL:
        time.sleep(0.02)


def wait(result):
    eventually(lambda: result.state in ENDED)


def meta_of(result):
    """What the back end holds, without what differs each time: times, ids, places."""
    meta = raw(result.id)
    exception = meta.get("status") != "SUCCESS" and meta.get("result")
    traceback = meta.get("traceback")
    return {
        "status": meta.get("status"),
        "result": settled(meta.get("result")) if not exception else None,
        "error": settled(exception) if exception else None,
        "traceback": settled(traceback.strip().splitlines()[-1]) if traceback else traceback,
        "retries": meta.get("retries"),
        "name": meta.get("name"),
        "args": settled(meta.get("args")),
        "kwargs": settled(meta.get("kwargs")),
        "in_own_queue": meta.get("queue", "").startswith(f.QUEUE) if meta.get("queue") else None,
        "children": len(meta.get("children") or []),
    }


def raw(task_id):
    held = f.app.backend.get(f.app.backend.get_key_for_task(task_id))
    return json.loads(held) if held else {}


def settled(value):
    """The same text in each run: ids and the directory are replaced."""
    text = json.dumps(value, sort_keys=True).replace(DIRECTORY, "<directory>").replace(f.QUEUE, "<queue>")
    for task_id in sorted(found, key=len, reverse=True):
        text = text.replace(task_id, "<id>")
    # Ids that nobody was told, and how many jobs the pool has had before.
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    return json.loads(re.sub(r"Job: \d+", "Job: <n>", text))


def compare_short():
    sent = {name: CASES[name]() for name in SHORT}
    for result in all_of(*sent.values()):
        found[result.id] = result
    report = {}
    for name, result in sent.items():
        for one in all_of(result):
            eventually(lambda: has_seen(one, "signal postrun")) if name in IGNORED else wait(one)
        report[name] = [meta_of(one) for one in all_of(result)]
    for name, result in sent.items():
        report[f"{name}: hooks and signals"] = [traced(one.id) for one in all_of(result)]
    processes = [send(f.process) for _ in range(12)]
    for result in processes:
        wait(result)
    pids = [result.result for result in processes]
    report["tasks of a process"] = {
        "ended": len(pids),
        "most": max(map(pids.count, pids)) if SPEC.get("tasks_per_child") else None,
    }
    print(json.dumps(report))


def main():
    sent = {name: case() for name, case in CASES.items()}
    progress = send(f.progress, mark("progress"))
    rated = [send(f.rated) for _ in range(4)]
    for result in all_of(*sent.values(), progress, *rated):
        found[result.id] = result
    report = {}
    if not HAS_RECORD_ALONE:
        eventually(lambda: progress.state == "PROGRESS")
        report["progress"] = {"state": progress.state, "meta": progress.info}
    open(mark("progress"), "w").close()
    running = found_as(send(f.sleeps, 30))
    eventually(lambda: has_seen(running, "signal prerun"))
    running.revoke(terminate=True, signal="SIGTERM")
    for name, result in {**sent, "progress, ended": progress, "terminated": running}.items():
        for one in all_of(result):
            eventually(lambda: has_seen(one, "signal postrun")) if name in IGNORED else wait(one)
        report[name] = [meta_of(one) for one in all_of(result)]
    for name, case in REFUSED.items():
        result = found_as(case())
        wait(result)
        report[name] = {"state": result.state, "error": type(result.result).__name__}
        if name == "missing arguments":
            eventually(lambda: has_seen(result, "errback"))
            report[f"{name}: error links"] = len([line for line in traced(result.id) if line["what"] == "errback"])
    for kind in ("task", "chain", "link", "chord"):
        child = found_as(AsyncResult(sent[f"a task that sends a {kind}"].result, app=f.app))
        wait(child)
        report[f"the {kind} that a task sent"] = {"state": child.state, "result": child.result}
    members = [found_as(AsyncResult(task_id, app=f.app)) for task_id in sent["a task that sends a group"].result]
    for child in members:
        wait(child)
    report["the group that a task sent"] = [child.result for child in members]
    # The ids of all are known by now.
    for name, result in sent.items():
        if name in IDS:
            report[name] = [meta_of(one) for one in all_of(result)]
        report[f"{name}: hooks and signals"] = [traced(one.id) for one in all_of(result)]
    for result in rated:
        wait(result)
    at = sorted(result.result for result in rated)
    report["rate limit"] = {"ended": len(at), "is kept": at[-1] - at[0] > 0.5}
    second = found_as(f.ingest.apply_async(["v"], {"quota": mark("quota")}))
    wait(second)
    report["the seed's quota is used up"] = meta_of(second)
    print(json.dumps(report))


def found_as(result):
    found[result.id] = result
    return result


def all_of(*results):
    """Each result with the earlier steps of its chain, or the members of its group."""
    for result in results:
        if hasattr(result, "results"):
            yield from all_of(*result.results)
        else:
            if result.parent is not None:
                yield from all_of(result.parent)
            yield result


def traced(task_id):
    with open(f.TRACE) as file:
        lines = [json.loads(line) for line in file]
    seen = [settled({k: v for k, v in line.items() if k != "id"}) for line in lines if line["id"] == task_id]
    # The child and its parent write at once where a child is killed.
    return sorted(seen, key=json.dumps)


def has_seen(result, what):
    return any(line["what"] == what for line in traced(result.id))


compare_short() if SPEC.get("short") else main()
