"""The socket between worker and poller: messages are lines of JSON, each an object with the name of its operation in ``op``.

From the poller: ``run`` (begin an attempt), ``recall`` (say what became of one whose worker was lost), ``cancel`` (stop one),
``drained`` (nothing more is begun). From the worker: ``hello`` (first of all: who it is and what it serves), ``progress``, ``ended`` (with
the outcome), ``drain`` (take no more; answered by ``drained``). Each message about an attempt carries its ``token``.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

_CHUNK_BYTES = 1 << 16

#: Longest line in bytes: arguments and results of a task, with room for how JSON escapes them.
MAX_LINE_BYTES = 1 << 26


def encode(op: str, **message: Any) -> bytes:
    """A message as it goes over the socket."""
    return json.dumps({"op": op, **message}).encode() + b"\n"


class Link:
    """The worker's end of the socket."""

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()
        self._buffer = b""
        self._telling = threading.Lock()

    def fileno(self) -> int:
        return self._socket.fileno()

    def tell(self, op: str, **message: Any) -> None:
        """Sends a message, from any thread. Raises OSError where the poller is gone."""
        line = encode(op, **message)
        with self._telling:  # a large message goes in several parts
            self._socket.sendall(line)

    def read(self) -> Iterator[Message]:
        """The messages that have arrived, of which there may be none yet. Raises EOFError where the poller is gone."""
        received = self._socket.recv(_CHUNK_BYTES)
        if not received:
            raise EOFError
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        return map(json.loads, lines)

    def close(self) -> None:
        self._socket.close()
