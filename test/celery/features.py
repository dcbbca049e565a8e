"""An app as Celery's users write it, with one task for each thing that must be the same under `celery worker` and `hapax-worker`.

Its environment: BROKER, BACKEND, QUEUE (where its tasks go), TRACE (a file for what hooks and signals see), START_METHOD (how the pool
makes its children; default: fork), DEDUPLICATE (if set, a task that is redelivered after it succeeded does not run again).
"""

import json
import logging
import os
import signal
import sqlite3
import time
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from celery import Celery, Task, chain, chord, group, shared_task, signals
from celery.backends.base import DisabledBackend
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded
from celery.result import allow_join_result
from celery.utils.log import get_task_logger
from celery.worker import state
from celery.worker.request import Request
from greenlet import GreenletExit
from pydantic import BaseModel

QUEUE = os.environ["QUEUE"]
TRACE = os.environ["TRACE"]

app = Celery("features", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    result_serializer="json",
    result_extended=True,
    task_default_queue=QUEUE,
    task_routes={"features.routed": {"queue": f"{QUEUE}-routed"}, "features.pattern.*": {"queue": f"{QUEUE}-routed"}},
    task_annotations={"features.annotated": {"max_retries": 1}},
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    worker_pool_start_method=os.environ.get("START_METHOD", "fork"),
    worker_proc_alive_timeout=120,
    worker_deduplicate_successful_tasks="DEDUPLICATE" in os.environ,
)
log = get_task_logger(__name__)


def trace(task_id, what, **more):
    with open(TRACE, "a") as file:
        file.write(json.dumps({"id": task_id, "what": what, **more}) + "\n")


# Signals.


@signals.celeryd_init.connect
def on_init(**_):
    trace(None, "celeryd_init")


@signals.worker_init.connect
def on_worker_init(**_):
    trace(None, "worker_init")


@signals.worker_process_init.connect
def on_process_init(**_):
    global ready_since
    ready_since = time.time()
    trace(None, "worker_process_init")


@signals.worker_process_shutdown.connect
def on_process_shutdown(**_):
    trace(None, "worker_process_shutdown")


@signals.worker_ready.connect
def on_ready(**_):
    trace(None, "worker_ready")


@signals.worker_shutdown.connect
def on_shutdown(**_):
    trace(None, "worker_shutdown")


@signals.task_received.connect
def on_received(request, **_):
    trace(request.id, "signal received")


@signals.task_prerun.connect
def on_prerun(task_id, args, kwargs, **_):
    trace(task_id, "signal prerun")


@signals.task_postrun.connect
def on_postrun(task_id, state, **_):
    trace(task_id, "signal postrun", state=state)


@signals.task_success.connect
def on_success(sender, result, **_):
    trace(sender.request.id, "signal success")


@signals.task_failure.connect
def on_failure(task_id, exception, **_):
    trace(task_id, "signal failure", error=type(exception).__name__)


@signals.task_retry.connect
def on_retry(request, reason, **_):
    trace(request.id, "signal retry")


@signals.task_revoked.connect
def on_revoked(request, terminated, expired, **_):
    trace(request.id, "signal revoked", terminated=terminated)


# Arguments and results.


@app.task
def add(x, y=1):
    """Adds two numbers."""
    return x + y


@app.task
def echo(*args, **kwargs):
    return {"args": args, "kwargs": kwargs}


@app.task
def types(when, amount, uuid, day):
    return [type(when).__name__, type(amount).__name__, type(uuid).__name__, type(day).__name__]


@app.task
def returns_types():
    return {
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        "amount": Decimal("1.50"),
        "uuid": UUID(int=7),
        "day": date(2026, 1, 2),
        "bytes": b"raw",
    }


@app.task
def nothing():
    return None


@app.task
def returns_result():
    return add.delay(1, 2)


@app.task
def not_json():
    return object()


@app.task(bind=True)
def says_not_json(self):
    self.update_state(state="PROGRESS", meta={"o": object()})


@app.task
def hinted(x: int, y: str = "a") -> str:
    return f"{x!r} {y!r}"


class Point(BaseModel):
    x: int
    y: int = 0


@app.task(pydantic=True)
def moved(point: Point, by: int) -> Point:
    return Point(x=point.x + by, y=point.y)


@shared_task(name="custom.name")
def shared(x):
    return x


@app.task(bind=True)
def about(self, *args, **kwargs):
    r = self.request
    return {
        "args": r.args,
        "kwargs": r.kwargs,
        "retries": r.retries,
        "eta": r.eta,
        "timelimit": r.timelimit,
        "is_eager": r.is_eager,
        "called_directly": r.called_directly,
        "root_is_me": r.root_id == r.id,
        "parent": r.parent_id,
        "correlation_is_me": r.correlation_id == r.id,
        "has_reply_to": bool(r.reply_to),
        "exchange": r.delivery_info["exchange"],
        "in_own_queue": r.delivery_info["routing_key"] == QUEUE,
        "priority": r.delivery_info["priority"],
        "redelivered": bool(r.delivery_info["redelivered"]),
        "name": self.name,
        "task": r.task,
        "lang": r.lang,
        "hostname": bool(r.hostname),
        "argsrepr": r.argsrepr,
        "kwargsrepr": r.kwargsrepr,
        "ignore_result": r.ignore_result,
        "group": r.group,
        "group_index": r.group_index,
        "chord": r.chord,
        "stamps": r.stamps,
        "shadow": r.shadow,
        "tenant": r.get("tenant") or (r.headers or {}).get("tenant"),
        "views": r.get("views") or (r.headers or {}).get("views"),
        "utc": r.utc,
        "current": app.current_task.request.id == r.id,
        "process_was_initialised": "ready_since" in globals(),
    }


@app.task
def odd(kind):
    """What Python has, and JSON or Unicode has not; and more than Hapax carries."""
    if kind == "text":
        raise ValueError("half of a pair \ud800 and \x00")
    if kind == "large error":
        raise ValueError("x" * 3_000_000)
    return {"nan": [float("nan"), float("inf"), 1.5], "large": "x" * 1_000_000}[kind]


# Errors and retries.


class Odd(Exception):
    def __init__(self, text, number):
        super().__init__(text, number)


@app.task
def raises(kind):
    if kind == "odd":
        raise Odd("odd", 2)
    if kind == "caused":
        try:
            {}["gone"]
        except KeyError as error:
            raise RuntimeError("because") from error
    raise {"value": ValueError, "type": TypeError, "os": OSError}[kind]("boom")


@app.task(throws=(KeyError,))
def expected():
    raise KeyError("expected")


@app.task
def exits():
    raise SystemExit(3)


class RejectsWhenDone(Task):
    abstract = True

    def on_success(self, *_):
        raise Reject("too late", requeue=False)


@app.task(base=RejectsWhenDone)
def rejected_when_done():
    pass


@app.task
def kills_green_thread():
    raise GreenletExit


@app.task
def revokes_here(task_id):
    """Has the worker know that a task is revoked, as it does with --statedb. Needs a pool without processes."""
    state.revoked.add(task_id)


@app.task(bind=True, max_retries=3)
def retries(self, times, countdown=0):
    if self.request.retries < times:
        raise self.retry(exc=Odd("again", self.request.retries), countdown=countdown)
    return self.request.retries


@app.task(bind=True, max_retries=None)
def retries_often(self, times):
    if self.request.retries < times:
        raise self.retry(exc=Odd("again", self.request.retries), countdown=0)
    return self.request.retries


@app.task(bind=True, max_retries=2)
def gives_up(self, own):
    try:
        raise Odd("never", 1)
    except Odd as error:
        raise self.retry(exc=error if own else None, countdown=0)


@app.task(bind=True, max_retries=5)
def gives_up_at(self, most):
    raise self.retry(exc=Odd("never", 1), countdown=0, max_retries=most)


@app.task(bind=True)
def annotated(self):
    raise self.retry(countdown=0)


# Without jitter: after a pause of 0 s, Celery may note the retry after the result of the next attempt.
@app.task(bind=True, autoretry_for=(Odd,), max_retries=2, retry_backoff=1, retry_backoff_max=1, retry_jitter=False)
def auto(self, times):
    if self.request.retries < times:
        raise Odd("auto", self.request.retries)
    return self.request.retries


@app.task(bind=True, autoretry_for=(Exception,), dont_autoretry_for=(ValueError,), default_retry_delay=0)
def auto_but(self):
    raise ValueError("not again")


@app.task(bind=True)
def retries_with(self, n, history=()):
    if n > 0:
        raise self.retry(args=[n - 1, [*history, n]], kwargs={}, countdown=0)
    return history


@app.task(bind=True)
def retries_quietly(self):
    if self.request.retries == 0:
        self.retry(countdown=0, throw=False)
    return self.request.retries


@app.task(bind=True)
def retries_at(self):
    if self.request.retries == 0:
        raise self.retry(eta=datetime.now(timezone.utc))
    return [self.request.retries, self.request.root_id == self.request.id]


@app.task(ignore_result=True)
def silent():
    return "silent"


@app.task(ignore_result=True, store_errors_even_if_ignored=True)
def silent_but():
    raise ValueError("loud")


@app.task(bind=True)
def ignores(self, state=None, meta=None):
    if state:
        self.update_state(state=state, meta=meta)
    raise Ignore()


@app.task(bind=True, acks_late=True)
def rejects(self):
    raise Reject("no", requeue=False)


@app.task(bind=True, acks_late=True)
def rejects_once(self, mark):
    if not os.path.exists(mark):
        open(mark, "w").close()
        raise Reject("later", requeue=True)
    return "second time"


@app.task(bind=True)
def replaces(self, x):
    raise self.replace(add.s(x, 10))


@app.task(bind=True)
def replaces_with(self, kind, x=1):
    canvas = {
        "chain": lambda: chain(add.s(x, 10), add.s(100)),
        "group": lambda: group(add.s(x, 10), add.s(x, 20)),
        "chord": lambda: chord([add.s(x, 10), add.s(x, 20)], total.s()),
        "failing chain": lambda: chain(raises.si("value"), add.s(100)),
        "failing chord": lambda: chord([add.s(x, 10), raises.si("value")], total.s()),
        "itself": lambda: chain(add.s(x, 10), replaces_with.si("chain", x + 1)),
    }[kind]()
    raise self.replace(canvas)


# Time limits, rates, progress.


@app.task(bind=True, soft_time_limit=1)
def soft(self, caught):
    try:
        time.sleep(20)
    except SoftTimeLimitExceeded:
        if not caught:
            raise
        return "cleaned up"


@app.task(time_limit=1)
def hard():
    time.sleep(20)


@app.task
def sleeps(seconds):
    time.sleep(seconds)
    return seconds


@app.task(bind=True)
def progress(self, until):
    self.update_state(state="PROGRESS", meta={"done": 1, "total": 2})
    for _ in range(2_000):
        if os.path.exists(until):
            return "done"
        time.sleep(0.05)


@app.task(acks_late=True)
def late_until(until):
    for _ in range(2_000):
        if os.path.exists(until):
            return "done"
        time.sleep(0.05)


@app.task(bind=True)
def progress_at_once(self):
    self.update_state(state="PROGRESS", meta={"done": 1})


@app.task(rate_limit="4/s")
def rated():
    return time.time()


class Accepted(Request):
    """Traces that the worker has heard that a child began."""

    def on_accepted(self, pid, time_accepted):
        super().on_accepted(pid, time_accepted)
        trace(self.id, "accepted")


def kill_child(task_id):
    """Once the worker knows that the child began: Celery's pool gives a task to another child if it does not know."""
    accepted = json.dumps({"id": task_id, "what": "accepted"})
    while accepted not in Path(TRACE).read_text():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True, Request=Accepted)
def kills_child(self):
    kill_child(self.request.id)


@app.task(bind=True, Request=Accepted, acks_late=True, reject_on_worker_lost=True)
def kills_child_once(self, mark):
    if not os.path.exists(mark):
        open(mark, "w").close()
        kill_child(self.request.id)
    return "survived"


@app.task(bind=True)
def becomes_another(self):
    raise self.replace(chain(add.si(1, 2), app.signature("tasks.semantic_search", args=["x"], immutable=True)))


@app.task
def process():
    return os.getpid()


# Classes.


class Hooked(Task):
    abstract = True
    factor = 2

    def before_start(self, task_id, args, kwargs):
        trace(task_id, "before_start")

    def on_success(self, retval, task_id, args, kwargs):
        trace(task_id, "on_success", retval=retval)

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        trace(task_id, "on_failure", error=repr(exc))

    def on_retry(self, exc, task_id, args, kwargs, einfo):
        trace(task_id, "on_retry")

    def after_return(self, status, retval, task_id, args, kwargs, einfo):
        trace(task_id, "after_return", status=status)


@app.task(base=Hooked, bind=True)
def hooked(self, what):
    if what == "fail":
        raise KeyError("gone")
    if what == "retry" and self.request.retries == 0:
        raise self.retry(countdown=0)
    if what == "hang":
        time.sleep(20)
    return self.factor


class Doubles(Task):
    def __call__(self, *args, **kwargs):
        return 2 * self.run(*args, **kwargs)


@app.task(base=Doubles)
def doubled(x):
    return x


class OldStyle(app.Task):
    name = "features.old_style"

    def run(self, x):
        return x + 100


app.register_task(OldStyle())


class QuotaTracker:
    """The seed's tracker: 10,000 units a day, of which 1,000 are for tasks with priority."""

    def __init__(self, path):
        self.path = path
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE IF NOT EXISTS usage (date TEXT PRIMARY KEY, units INTEGER DEFAULT 0)")

    def can_proceed(self, units=1, priority=False):
        with sqlite3.connect(self.path) as db:
            row = db.execute("SELECT units FROM usage WHERE date = ?", (date.today().isoformat(),)).fetchone()
        available = 10_000 - (row[0] if row else 0)
        return available - (0 if priority else 1_000) >= units

    def consume(self, units=1):
        with sqlite3.connect(self.path) as db:
            db.execute(
                "INSERT INTO usage VALUES (?, ?) ON CONFLICT (date) DO UPDATE SET units = units + ?",
                (date.today().isoformat(), units, units),
            )


class RateLimited(Task):
    """The seed's base class."""

    def before_start(self, task_id, args, kwargs):
        self.quota = QuotaTracker(kwargs["quota"])
        if not self.quota.can_proceed(priority=kwargs.get("priority", False)):
            raise Exception("YouTube API quota exceeded")

    def after_return(self, status, retval, task_id, args, kwargs, einfo):
        if status == "SUCCESS":
            self.quota.consume(kwargs.get("units", 1))


@app.task(base=RateLimited)
def ingest(url, quota, priority=False, units=1):
    return f"ingested {url}"


# Tasks that send tasks.


@app.task(bind=True)
def sends(self, kind):
    if kind == "delay":
        return add.delay(1, 2).id
    if kind == "chain":
        return chain(add.s(1, 2), add.s(4))().id
    if kind == "group":
        return [child.id for child in group(add.s(i, 1) for i in range(3))()]
    if kind == "link":
        return add.apply_async((1, 2), link=add.s(10)).id
    if kind == "chord":
        return chord([add.s(i, 1) for i in range(3)])(total.s()).id
    result = add.delay(3, 4)
    with allow_join_result():
        return [result.get(timeout=300), result.state]


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True)
def adds_to_chord(self, x):
    self.add_to_chord(add.s(0, x))
    return x


@app.task(bind=True)
def about_canvas(self, *_):
    r = self.request
    return {
        "group": bool(r.group),
        "group_index": r.group_index,
        "chord": r.chord and r.chord["task"],
        "has_parent": bool(r.parent_id),
        "root_is_me": r.root_id == r.id,
        "nesting": r.replaced_task_nesting,
    }


@app.task
def on_error(request, exc, traceback):
    tenant = request.get("tenant") or (request.headers or {}).get("tenant")
    trace(request.id, "errback", error=repr(exc), tenant=tenant)


@app.task(bind=True)
def routed(self):
    return self.request.delivery_info["routing_key"] == f"{QUEUE}-routed"


@app.task(name="features.pattern.one", bind=True)
def pattern(self):
    return self.request.delivery_info["routing_key"] == f"{QUEUE}-routed"


# Logs.


@app.task
def logs():
    log.warning("a line of the task's logger")
    print("a line of the task's standard output")
    logging.getLogger("mine").warning("a line of my logger")


class LostWhenDone(Task):
    """Its result is kept, but its worker is killed before it says so."""

    abstract = True

    def on_success(self, *_):
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


@app.task(base=LostWhenDone)
def kept():
    return "kept"


@app.task(base=LostWhenDone, acks_late=True)
def kept_late():
    return "kept late"


class ChildLostWhenDone(Task):
    abstract = True

    def on_success(self, retval, task_id, *_):
        kill_child(task_id)


@app.task(base=ChildLostWhenDone, Request=Accepted)
def kept_by_child():
    return "kept by its child"


@app.task(backend=DisabledBackend(app))
def has_own_backend():
    return "in the record"


@app.task
def calls_retry():
    """A task that is called like a function raises Retry, and sends nothing."""
    annotated()


@app.task
def not_kept():
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True)
def kept_by_another(self):
    """Another program has stored a result, larger than Hapax carries."""
    meta = {"status": "SUCCESS", "result": "x" * 1_000_000, "task_id": self.request.id}
    app.backend.set(app.backend.get_key_for_task(self.request.id), json.dumps(meta))
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def survives(self):
    """Needs two attempts, each of which may be killed."""
    self.update_state(state="WORKING", meta={"attempt": self.request.retries})
    time.sleep(0.3)
    if self.request.retries == 0:
        raise self.retry(exc=Odd("once", 1), countdown=0.1)
    return self.request.retries
