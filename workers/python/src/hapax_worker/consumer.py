"""Hapax's consumer in Celery's own worker: its tasks come from the poller beside it, not from a broker."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import bootsteps
from celery.exceptions import WorkerShutdown
from celery.utils.log import get_logger
from celery.worker import state as worker_state
from celery.worker.consumer import Consumer

from hapax_worker.describe import describe
from hapax_worker.installation import install
from hapax_worker.ledger import LEDGER, Entry, error_of
from hapax_worker.link import Link
from hapax_worker.messages import message_of, timelimit_of
from hapax_worker.outcome import kept_outcome, outcome_of
from hapax_worker.pool import RecordingPool
from hapax_worker.progress import Reports

log = get_logger(__name__)

#: The worker exits with this if its poller is gone (EX_SOFTWARE).
_POLLER_IS_GONE = 70

#: How long the poller may take to say goodbye, seconds.
_GOODBYE_S = 30


@dataclass
class Attempt:
    """An attempt that this worker has begun."""

    token: int
    #: Seconds; None for no limit.
    hard: float | None
    soft: float | None
    #: Celery's request, once it is made.
    request: Any = None
    is_cancelled: bool = False
    is_requeued: bool = False


class Serving(bootsteps.StartStopStep):
    """The only step of the consumer: serves what the poller hands over until the worker stops."""

    def start(self, consumer: HapaxConsumer) -> None:
        consumer.serve()

    def stop(self, consumer: HapaxConsumer) -> None:
        """Nothing: what runs may end, and its outcome is told, until ``shutdown``."""

    def shutdown(self, consumer: HapaxConsumer) -> None:
        consumer.hang_up()


class HapaxConsumer(Consumer):
    """Celery's consumer without a broker. It is the pool's :class:`~hapax_worker.pool.Attempts`."""

    connection = task_consumer = event_dispatcher = None
    link: Link | None = None
    _is_draining = _is_drained = False

    class Blueprint(bootsteps.Blueprint):
        name = "Consumer"
        default_steps = [Serving]

        def __init__(self, steps=None, **options):
            super().__init__(steps=(), **options)  # the steps of apps want a broker

        def shutdown(self, parent):
            self.send_all(parent, "shutdown")

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self._attempts: dict[str, Attempt] = {}
        self._forwarding = threading.Lock()
        self._reports = Reports()  # before the pool starts its children, which find it by their environment

    def serve(self) -> None:
        """Runs until the worker is told to stop, which raises what Celery raises for that."""
        install(self.app)
        self.pool = RecordingPool(self.pool, self)
        _forget_limits_of(self.pool.real)
        self.disable_rate_limits = True  # the poller keeps them, so that a task that waits takes no place
        self.update_strategies()
        self._start_poller()
        self.on_ready()
        readers = {self.link.fileno(): self._read, self._reports.socket.fileno(): self._forward}
        waits = self._wait_in_hub(readers) if self.hub else _wait_in_select(readers)
        while self.blueprint.state == bootsteps.RUN:
            try:
                worker_state.maybe_shutdown()
            except WorkerShutdown:
                self._drain(waits)
                raise
            next(waits)

    def _start_poller(self) -> None:
        self.link = Link()
        command = [sys.executable, "-m", "hapax_worker.poller", str(self.link.theirs.fileno())]
        self._poller = subprocess.Popen(command, pass_fds=[self.link.theirs.fileno()])
        self.link.theirs.close()
        self._tell(
            "hello",
            identity=f"{os.getpid()}@{socket.gethostname()}",
            hostname=self.hostname,
            concurrency=self.pool.num_processes,
            queues=list(self.app.amqp.queues.consume_from),
            types=describe(self.app),
        )

    def _wait_in_hub(self, readers):
        self.controller.register_with_event_loop(self.hub)
        for descriptor, read in readers.items():
            self.hub.add_reader(descriptor, read)
        while True:
            yield from self.hub.create_loop()

    def _tell(self, op: str, **message: Any) -> None:
        try:
            self.link.tell(op, **message)
        except OSError as error:
            self._stop_without_poller(error)

    def _read(self) -> None:
        try:
            for message in self.link.read():
                self._do(**message)
        except (EOFError, OSError) as error:
            self._stop_without_poller(error)

    def _drain(self, waits) -> None:
        """Takes no more, and waits until the pool has begun what it was given: when it stops, it drops the rest."""
        self._is_draining = True
        self._tell("drain")
        while not (self._is_drained and all(attempt.request.time_start for attempt in list(self._attempts.values()))):
            next(waits)
            if worker_state.should_terminate is not None:
                worker_state.maybe_shutdown()

    def _drained(self) -> None:
        self._is_drained = True

    def _stop_without_poller(self, error: Exception) -> None:
        """Temporal lets another worker begin again what runs here. So it is stopped, and a supervisor starts this worker again."""
        if worker_state.should_terminate is None:
            log.critical("the poller has ended (%r); this worker stops", error)
            worker_state.should_terminate = self.controller.exitcode = _POLLER_IS_GONE
        if self.hub:
            self.hub.remove(self.link)

    def _do(self, op: str, **message: Any) -> None:
        try:
            {"run": self._run, "recall": self._recall, "cancel": self._cancel, "drained": self._drained}[op](**message)
        except Exception:
            log.exception("%s, as the poller asked", op)

    def _forward(self) -> None:
        with self._forwarding:  # the threads of a pool tell of ends
            for task_id, state in self._reports.read():
                attempt = self._attempts.get(task_id)
                if attempt:
                    self._tell("progress", token=attempt.token, progress=state)

    def _run(self, token: int, request: dict[str, Any], redelivered: bool) -> None:
        if self._is_draining:
            return self._tell("ended", token=token, outcome={"kind": "unstarted"})
        task_id, name = request["task_id"], request["name"]
        attempt = self._attempts[task_id] = Attempt(token, *self._limits(name, request))
        message = message_of(request, redelivered=redelivered)
        try:
            self.strategies[name](message, None, _no_ack, _rejecting(attempt), [_taking(attempt)])
        except Exception as error:
            log.exception("%s[%s] could not begin", name, task_id)
            LEDGER[task_id] = Entry()
            self.ended(task_id, None, error)
        if attempt.request is None:  # Celery itself knows that it is revoked, from --statedb for example
            LEDGER[task_id] = Entry(end={"kind": "revoked"})
            self.ended(task_id, None)

    def _recall(self, token: int, request: dict[str, Any]) -> None:
        """Says what became of a task that was lost with its worker and may not run again."""
        lost = {"kind": "failed", "error": error_of(WorkerLostError("Worker exited prematurely"))}
        backend = self.app.tasks[request["name"]].backend
        self._tell("ended", token=token, outcome=kept_outcome(backend, request["task_id"]) or lost)

    def _limits(self, name: str, request: dict[str, Any]) -> tuple[float | None, float | None]:
        """Hard and soft limit in force. Celery's prefork pool forgets a hard one that is shorter than the app's soft one."""
        task, (hard, soft) = self.app.tasks[name], timelimit_of(request)
        hard = hard or task.time_limit or self.controller.time_limit
        soft = soft or task.soft_time_limit or self.controller.soft_time_limit
        return hard, None if hard and soft and soft >= hard else soft

    def _cancel(self, token: int, task_id: str) -> None:
        attempt = self._attempts.get(task_id)
        if attempt and attempt.token == token and attempt.request and not attempt.is_cancelled:
            attempt.is_cancelled = True
            attempt.request.terminate(self.pool.real, signal="SIGTERM")

    def limits_of(self, task_id: str) -> dict[str, float | None]:
        attempt = self._attempts[task_id]
        return {"timeout": attempt.hard, "soft_timeout": attempt.soft}

    def ended(self, task_id: str, einfo, error: Exception | None = None) -> None:
        self._forward()  # what the task said before its end may not have been read
        attempt, entry = self._attempts.pop(task_id, None), LEDGER.pop(task_id, None)
        if attempt is None:
            return  # after a hard time limit Celery calls back twice
        cancelled_by_celery = attempt.request is not None and attempt.request._already_cancelled
        outcome = outcome_of(
            entry or Entry(),
            einfo,
            error,
            is_stopped=worker_state.should_terminate is not None or cancelled_by_celery,
            is_requeued=attempt.is_requeued,
            kept=lambda: attempt.request and kept_outcome(attempt.request.task.backend, task_id),
        )
        self._tell("ended", token=attempt.token, outcome=outcome)

    def close(self) -> None:
        self.blueprint.state = bootsteps.CLOSE

    def hang_up(self) -> None:
        """Lets the poller say goodbye to Temporal."""
        self._reports.close()
        if self.link is None:
            return
        self.link.close()
        try:
            self._poller.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._poller.kill()


def _wait_in_select(readers):
    """For pools without an event loop: calls the readers that have something, at least once a second."""
    while True:
        for descriptor in select.select(list(readers), [], [], 1)[0]:
            readers[descriptor]()
        yield


def _forget_limits_of(pool) -> None:
    """The limits of each attempt are given with it; those of the whole pool would apply beside them."""
    workers = getattr(pool, "_pool", None)
    if hasattr(workers, "soft_timeout"):
        workers.timeout = workers.soft_timeout = None


def _no_ack(*_) -> None:
    """There is no message to acknowledge: the workflow hears of the outcome."""


def _rejecting(attempt: Attempt):
    """Celery's callback for a message that it gives back."""

    def reject(_log, _errors, requeue=False) -> None:
        attempt.is_requeued = requeue

    return reject


def _taking(attempt: Attempt):
    """Celery's callback for the request that it has made of a message."""

    def take(request) -> None:
        attempt.request = request

    return take
