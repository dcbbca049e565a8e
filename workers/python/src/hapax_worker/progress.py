"""Progress, from the children that work to the worker's main process.

Each report is one datagram, so that a child that is killed leaves neither half a line nor a lock behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from celery.utils.log import get_logger

log = get_logger(__name__)

#: The children find the socket by this variable.
_PLACE = "HAPAX_WORKER_PROGRESS"

#: Longest report in bytes. Progress is small JSON; results belong in the result.
MAX_BYTES = 64 * 1024

_sending: socket.socket | None = None


class Reports:
    """The receiving end, in the worker's main process."""

    def __init__(self) -> None:
        # A directory of our own: no other user may send here.
        self._directory = Path(tempfile.mkdtemp(prefix="hapax-worker-"))
        path = self._directory / "progress"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        os.environ[_PLACE] = str(path)

    def read(self) -> Iterator[tuple[str, dict]]:
        """The reports that have arrived: a task id, and ``{"state", "meta"}``."""
        with contextlib.suppress(BlockingIOError):
            while True:
                task_id, state = json.loads(self.socket.recv(MAX_BYTES))
                yield task_id, state

    def close(self) -> None:
        self.socket.close()
        (self._directory / "progress").unlink(missing_ok=True)
        self._directory.rmdir()


def tell(task_id: str, state: dict) -> None:
    """Reports the progress of a task. Never waits and never fails: progress may be lost, the work goes on."""
    global _sending
    report = json.dumps([task_id, state]).encode()
    try:
        if len(report) > MAX_BYTES:
            raise OSError(f"{len(report)} bytes; {MAX_BYTES} is the most")
        if _sending is None:
            _sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            _sending.setblocking(False)
        _sending.sendto(report, os.environ[_PLACE])
    except OSError as error:
        log.warning("progress of %s was not told: %s", task_id, error)
