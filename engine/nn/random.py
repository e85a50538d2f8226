"""Counter-based random numbers: what is drawn depends on where in a training it is drawn and on nothing that was drawn before."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.ops.op import Array


class Stream:
    """The random numbers of one layer.

    Philox with the key (seed, place) and the counter (block, call, step): `place` tells layers apart, `step` training steps, `call` the
    draws within a step. Nothing else is remembered, so a step can be drawn again alone.
    seed: a number from 0; one from the system's entropy when None.
    """

    __slots__ = ("call", "place", "seed", "step")

    def __init__(self, seed: int | None = None, place: int = 0, step: int = 0) -> None:
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        for name, number in (("seed", seed), ("place", place), ("step", step)):
            if not 0 <= number < 2**64:
                raise ValueError(f"{name} is {number}; expected a number from 0 below 2**64")
        self.seed, self.place, self.step, self.call = seed, place, step, 0

    def generator(self) -> np.random.Generator:
        """The numbers of the next call."""
        key = np.array([self.seed, self.place], dtype=np.uint64)
        counter = np.array([0, self.call, self.step, 0], dtype=np.uint64)
        self.call += 1
        return np.random.Generator(np.random.Philox(key=key, counter=counter))

    def mask(self, shape: tuple[int, ...], p: float, dtype: Any) -> Array:
        """What dropout multiplies by: 0 with probability p, else 1 / (1 - p), so that the mean stays."""
        if p >= 1:
            return np.zeros(shape, dtype)
        kept = self.generator().random(shape, dtype=np.float32) >= np.float32(p)
        scaled: Array = kept * np.dtype(dtype).type(1 / (1 - p))
        return scaled

    def __repr__(self) -> str:
        return f"Stream(seed={self.seed}, place={self.place}, step={self.step})"


def probability(name: str, p: float) -> float:
    """A dropout probability. Raises ValueError outside 0..1."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.integer | np.floating) or not 0 <= p <= 1:
        raise ValueError(f"{name} is {p!r}; expected a probability from 0 to 1")
    return float(p)
