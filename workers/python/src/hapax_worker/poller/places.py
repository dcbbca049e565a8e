"""When an attempt may begin here: a place of the pool is free, and the rate limit of its task allows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from celery.utils.time import rate
from kombu.utils.limits import TokenBucket

#: How long an attempt waits here for a place before it is given back, so that another worker can take it, seconds.
_PATIENCE_S = 10


class NotNow(Exception):
    """The attempt has to be given back; another worker may begin it. ``after_s``: when to ask again."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Places:
    """The places of the pool, which all queues share, and the rates."""

    def __init__(self, concurrency: int, types: Iterable[dict[str, Any]]) -> None:
        self._free = asyncio.Semaphore(concurrency)
        limits = {of["name"]: of["rate_limit"] for of in types}
        # As Celery does: one at a time, no bursts.
        self._buckets = {name: TokenBucket(rate(limit), capacity=1) for name, limit in limits.items() if limit}

    @asynccontextmanager
    async def taken(self, name: str) -> AsyncIterator[None]:
        """Holds a place for a task of this name. Raises NotNow."""
        try:
            await asyncio.wait_for(self._free.acquire(), _PATIENCE_S)
        except asyncio.TimeoutError as error:
            raise NotNow("all places of this worker are taken", 0.1) from error
        try:
            self._count(name)
            yield
        finally:
            self._free.release()

    def _count(self, name: str) -> None:
        bucket = self._buckets.get(name)
        if bucket and not bucket.can_consume(1):
            raise NotNow(f"the rate limit of {name} allows no more here", bucket.expected_time(1))
