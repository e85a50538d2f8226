"""The border of truncated back-propagation through time: the value goes on, the gradient ends."""

from __future__ import annotations

from engine.ops.elementwise import ONE
from engine.ops.op import elementwise

elementwise("truncate", "x", {"x": "0"}, samples=ONE, hidden=True)
