"""The parameters of lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from server import limits

Limit = Annotated[int, Query(ge=1, le=limits.PAGE, description="at most so many items")]
After = Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before")]
