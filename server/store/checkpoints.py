"""Which checkpoints of a run are worth their disk."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from server import limits


def superfluous(steps: Sequence[int], size: int, wanted: Collection[int] = ()) -> list[int]:
    """The steps whose checkpoints can go; `steps` ascending, `size` in bytes of one.

    Kept are the latest, from which training goes on, and before it one every CHECKPOINT_SPACING steps, so that any step is replayed
    quickly. Where these pass CHECKPOINT_BYTES the spacing doubles until they do not. Those of the steps `wanted` are kept in any case.
    """
    most = max(2, limits.CHECKPOINT_BYTES // max(1, size))
    spacing = limits.CHECKPOINT_SPACING
    kept = _spaced(steps, spacing)
    while len(kept) > most:
        spacing *= 2
        kept = _spaced(steps, spacing)
    return [step for step in steps if step not in kept and step not in wanted]


def _spaced(steps: Sequence[int], spacing: int) -> set[int]:
    kept: set[int] = set()
    last = 0  # the initial network needs no checkpoint
    for step in steps[:-1]:
        if step - last >= spacing:
            kept.add(step)
            last = step
    return kept | set(steps[-1:])
