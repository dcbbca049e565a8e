"""Polls the task queues, and passes on what the worker says."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from hapax_worker.link import encode
from hapax_worker.poller.attempts import Attempts
from hapax_worker.poller.registration import register
from hapax_worker.poller.temporal import connect
from hapax_worker.protocol import task_queue_of
from hapax_worker.settings import Settings

log = logging.getLogger(__name__)

#: Temporal hears of a heartbeat at most so often; also how soon a revocation is heard of.
_HEARTBEAT_EVERY = timedelta(seconds=1)

#: Celery decides how long a warm shutdown waits for tasks. Until then their attempts are not cut off.
_PATIENCE = timedelta(days=365)

#: How long giving back what runs may take, seconds.
_GOODBYE_S = 10

#: Pause before a queue is polled again that Temporal refused, seconds.
_AGAIN_S = 1

#: Long polls for each queue.
_POLLS = 2


class Poller:
    """From the worker's first message to its goodbye."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._draining = asyncio.Event()
        #: All that have not ended. One that was refused ends after what it runs.
        self._workers: dict[asyncio.Task[None], Worker] = {}

    async def run(self) -> None:
        hello = json.loads(await self._reader.readline())
        client = await connect(Settings.from_environment(), hello["identity"])
        self._attempts = Attempts(client, hello["identity"], hello["concurrency"], hello["types"], self._tell)
        reading = asyncio.create_task(self._read())
        registering = asyncio.create_task(register(client, hello["identity"], hello["queues"], hello["types"]))
        polling = [asyncio.create_task(self._poll(client, queue, hello)) for queue in hello["queues"]]
        draining = asyncio.create_task(self._draining.wait())
        await _first_of(reading, draining, _failure_of(registering), *polling)
        # Stops polling at once. The worker closes the socket after what runs there, also work that no activity waits for any more.
        stopping = asyncio.gather(*(worker.shutdown() for worker in self._workers.values()))
        await reading
        self._attempts.lose_all()
        await asyncio.wait([stopping], timeout=_GOODBYE_S)  # not for ever: Temporal may be gone, too
        self._writer.close()

    async def _poll(self, client: Client, queue: str, hello: dict[str, Any]) -> None:
        """Polls until the worker drains. A Temporal that starts refuses polls for a moment, after which its SDK gives up."""
        while not self._draining.is_set():
            error = await self._poll_until_refused(client, queue, hello)
            if error is None:
                return
            log.warning("%s is polled again, as it was refused: %s", queue, error)
            await asyncio.sleep(_AGAIN_S)

    async def _poll_until_refused(self, client: Client, queue: str, hello: dict[str, Any]) -> BaseException | None:
        """Returns why, or None if the worker drains. What runs then goes on."""
        refused = asyncio.get_running_loop().create_future()
        try:
            worker = self._worker(client, queue, hello, refused)
        except RuntimeError as error:  # the one before has not made room yet: a client has one for each queue
            return error
        running = asyncio.create_task(worker.run())
        self._workers[running] = worker
        running.add_done_callback(self._ended)
        await asyncio.wait([running, refused], return_when=asyncio.FIRST_COMPLETED)
        return refused.result() if refused.done() else running.exception()

    def _ended(self, running: asyncio.Task[None]) -> None:
        del self._workers[running]
        if not running.cancelled():
            running.exception()  # known already, as it was refused

    def _worker(self, client: Client, queue: str, hello: dict[str, Any], refused: asyncio.Future[BaseException]) -> Worker:
        async def refuse(error: BaseException) -> None:
            if not refused.done():
                refused.set_result(error)

        return Worker(
            client,
            task_queue=task_queue_of(queue),
            activities=[self._attempts.run_task],
            max_concurrent_activities=hello["concurrency"],
            max_concurrent_activity_task_polls=_POLLS,
            default_heartbeat_throttle_interval=_HEARTBEAT_EVERY,
            max_heartbeat_throttle_interval=_HEARTBEAT_EVERY,
            graceful_shutdown_timeout=_PATIENCE,
            on_fatal_error=refuse,
        )

    def _tell(self, op: str, **message: Any) -> None:
        self._writer.write(encode(op, **message))

    async def _read(self) -> None:
        """Until the worker closes the socket."""
        while line := await self._reader.readline():
            message = json.loads(line)
            match message.pop("op"):
                case "progress":
                    self._attempts.progressed(**message)
                case "ended":
                    self._attempts.ended(**message)
                case "drain":
                    self._attempts.drain()
                    self._draining.set()
                    self._tell("drained")


async def _failure_of(task: asyncio.Task) -> None:
    """Returns never, unless the task fails: then it fails in the same way."""
    await task
    await asyncio.Event().wait()


async def _first_of(*waits) -> None:
    """Returns with the first that is done. Raises what that one raised."""
    done, _ = await asyncio.wait(map(asyncio.ensure_future, waits), return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()
