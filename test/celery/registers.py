"""Registers no task, under the identity that its argument names: {"identity"}. Prints what came of it."""

import asyncio
import json
import os
import sys

from hapax_worker.poller.registration import register
from hapax_worker.poller.temporal import connect
from hapax_worker.settings import Settings

IDENTITY = json.loads(sys.argv[1])["identity"]


async def main():
    await register(await connect(Settings.from_environment(), IDENTITY), IDENTITY, [], [])
    return "registered"


print(json.dumps(asyncio.run(main())), flush=True)
# As the worker does: an orderly end of CPython can crash on threads of Temporal's core.
os._exit(0)
