"""Who works next: no more at a time than there are workers, and every visitor as often as the others."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `most` pieces of work at a time. A turn goes to the visitor with the fewest at work, of those to whose last was longest ago.

    However many runs a visitor trains, another's single run has its share. Use it within one event loop.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._at_work: Counter[str | None] = Counter()
        self._waiting: OrderedDict[str | None, deque[asyncio.Future[None]]] = OrderedDict()  # the one that had no turn for longest first

    @property
    def free(self) -> bool:
        """Whether nobody has to wait for a turn."""
        return self._free > 0

    @asynccontextmanager
    async def of(self, visitor: str | None) -> AsyncIterator[None]:
        """A turn of the visitor's, which ends with the block."""
        await self._take(visitor)
        try:
            yield
        finally:
            self._give_back(visitor)

    async def _take(self, visitor: str | None) -> None:
        if self._free:
            self._free -= 1
            self._at_work[visitor] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(visitor, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(visitor)  # it came at the very moment
            raise

    def _give_back(self, visitor: str | None) -> None:
        self._at_work[visitor] -= 1
        self._at_work += Counter()  # without those that have none
        self._free += 1
        while self._free and self._waiting:
            following = min(self._waiting, key=lambda known: self._at_work[known])
            turns = self._waiting[following]
            turn = turns.popleft()
            if turns:
                self._waiting.move_to_end(following)
            else:
                del self._waiting[following]
            if not turn.done():
                self._free -= 1
                self._at_work[following] += 1
                turn.set_result(None)
