"""What an attempt tells the workflow. Prints {"revoked": what a revocation ends, "told": the progress that was told}.

The server does not answer the beginning. The wait for the next report ends as on Python 3.10, whose TimeoutError of asyncio is its own.
"""

import asyncio
import json
import os
from types import SimpleNamespace

from hapax_worker.poller import record
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.testing import ActivityEnvironment


class OwnTimeoutError(Exception):
    """As asyncio.TimeoutError on Python 3.10."""


class Workflow:
    """The handle of a workflow whose server does not answer an update."""

    def __init__(self):
        self.is_asked = asyncio.Event()
        self.told = []

    async def execute_update(self, *_, **__):
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:  # as Temporal's client
            raise WorkflowUpdateRPCTimeoutOrCancelledError from error

    async def signal(self, _, report):
        self.told.append(report["progress"]["meta"])


def record_of(workflow):
    return record.AttemptRecord(SimpleNamespace(get_workflow_handle=lambda *_, **__: workflow), 1, "worker")


async def revoked():
    workflow, environment = Workflow(), ActivityEnvironment()

    async def begin():
        await record_of(workflow).begin()

    beginning = asyncio.ensure_future(environment.run(begin))
    await workflow.is_asked.wait()
    workflow.is_asked.clear()
    environment.cancel()
    asked_again = asyncio.ensure_future(workflow.is_asked.wait())
    await asyncio.wait([beginning, asked_again], return_when=asyncio.FIRST_COMPLETED)
    return "the beginning" if beginning.done() and beginning.cancelled() else "nothing"


async def told():
    workflow = Workflow()

    async def report():
        of_attempt = record_of(workflow)
        async with of_attempt.telling_progress():
            for number in (1, 2, 3):
                of_attempt.progressed({"state": "PROGRESS", "meta": number})
                while workflow.told[-1:] != [number] and telling_goes_on():
                    await asyncio.sleep(0)

    def telling_goes_on():
        return any(task.get_coro().__name__ == "_tell_progress" for task in asyncio.all_tasks())

    async def wait_for(awaitable, _):
        awaitable.close()
        await asyncio.sleep(0)
        raise OwnTimeoutError

    record.asyncio = SimpleNamespace(**{**vars(asyncio), "TimeoutError": OwnTimeoutError, "wait_for": wait_for})
    try:
        await ActivityEnvironment().run(report)
    finally:
        record.asyncio = asyncio
    return workflow.told


async def main():
    print(json.dumps({"revoked": await revoked(), "told": await told()}), flush=True)
    os._exit(0)  # a beginning that asks for ever would not end


asyncio.run(main())
