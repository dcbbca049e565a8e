"""Polls a queue with a stub in the place of Temporal's worker, which is refused once while it runs a task. Prints how often it polled."""

import asyncio
import json
from types import SimpleNamespace

from hapax_worker.poller import poller


class Worker:
    polls = 0

    def __init__(self, client, *, on_fatal_error=None, **_):
        self._on_fatal_error = on_fatal_error

    async def run(self):
        Worker.polls += 1
        if Worker.polls > 1:
            return
        if self._on_fatal_error:
            await self._on_fatal_error(RuntimeError("refused"))
        await asyncio.Event().wait()  # for the task


async def main():
    poller.Worker = Worker
    polls = poller.Poller(None, None)
    polls._attempts = SimpleNamespace(run_task=None)
    try:
        await asyncio.wait_for(polls._poll(None, "queue", {"concurrency": 1}), 20)
    except asyncio.TimeoutError:
        pass
    print(json.dumps(Worker.polls))


asyncio.run(main())
