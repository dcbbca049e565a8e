"""Started by the worker with the number of the socket that connects them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

from hapax_worker.link import MAX_LINE_BYTES
from hapax_worker.poller.poller import Poller


async def main(descriptor: int) -> None:
    status = 1
    try:
        reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=descriptor), limit=MAX_LINE_BYTES)
        await Poller(reader, writer).run()
        status = 0
    except Exception:
        logging.exception("the poller ends")
    # asyncio would wait for the polls to end, for ever if Temporal is gone.
    _leave(status)


def _leave(status: int) -> None:
    """An orderly end of CPython 3.11 crashes on threads of Temporal's core that call back meanwhile."""
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the worker decides when to stop; terminals signal both
    logging.basicConfig(format="[%(asctime)s: %(levelname)s/poller] %(message)s", level=logging.WARNING)
    # What is given back and what is revoked is no news; the record has it.
    logging.getLogger("temporalio.activity").setLevel(logging.CRITICAL)
    try:
        asyncio.run(main(int(sys.argv[1])))
    except SystemExit as refusal:
        print(refusal, file=sys.stderr)
    finally:
        _leave(1)
