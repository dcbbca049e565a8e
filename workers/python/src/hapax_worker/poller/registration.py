"""Tells Hapax which tasks this worker serves, by a workflow that writes it to the record."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from hapax_worker.protocol import REGISTER_WORKFLOW, VERSION, WORKFLOW_TASK_QUEUE

log = logging.getLogger(__name__)

#: Pause before another attempt, seconds.
_AGAIN_S = 5


async def register(client: Client, identity: str, queues: list[str], types: list[dict[str, Any]]) -> None:
    """Returns once it is on record. Raises SystemExit with one line per fault where the record refuses it."""
    registration = {"version": VERSION, "identity": identity, "runtime": "python", "queues": queues, "types": types}
    workflow_id = f"register-{identity}"
    while True:
        try:
            handle = await client.start_workflow(
                REGISTER_WORKFLOW,
                registration,
                id=workflow_id,
                task_queue=WORKFLOW_TASK_QUEUE,
                # One that was begun before is of a worker that had this identity: in a container, the same after each start.
                id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            )
            await handle.result()
            return
        except WorkflowFailureError as failure:
            if isinstance(failure.cause, ApplicationError) and failure.cause.non_retryable:
                lines = str(failure.cause).splitlines()
                raise SystemExit("\n".join(f"hapax-worker: {line}" for line in lines)) from failure
            log.warning("the tasks could not be registered: %s", failure.cause)
        except RPCError as error:
            log.warning("the tasks could not be registered: %s", error)
        await asyncio.sleep(_AGAIN_S)
