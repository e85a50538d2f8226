"""Landscapes, computed by workers: the plane and the paths in one piece, the grid in slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.training import Settings
from engine.training.checkpoint import restore
from engine.training.landscape import Plane, Surface, element, random_directions, vector
from server.programs.errors import ProgramError
from server.programs.network import settings_of
from server.tasks import ArrayTask

Network = tuple[int, bytes | None]  # a step, and the checkpoint after it


def lay_out(
    program: Mapping[str, Any], center: bytes | None, runs: Sequence[tuple[str, Mapping[str, Any], Sequence[Network]]],
    wanted: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Axes and paths of a landscape: all but its grid. program, center: of the run whose last network is the middle of the plane.

    runs: id, program and networks of each, by rising step. wanted: the request. Raises ProgramError for directions that there are not.
    """
    task, settings = settings_of(program)
    plane, names, origin = _plane(task, settings, center, wanted["directions"])
    paths, everything = [], [np.zeros((1, 2))]
    with np.errstate(all="ignore"):
        surface = Surface(task, settings, wanted["part"], wanted["examples"])
        for run_id, own, networks in runs:
            own_task, own_settings = settings_of(own)
            points = np.stack([vector(restore(own_task, own_settings, checkpoint).model) for _, checkpoint in networks])
            places, share = plane.project(points)
            everything.append(places[np.isfinite(places).all(axis=1)])
            places = places + origin
            paths.append({"run": run_id, "steps": [step for step, _ in networks], "x": places[:, 0].tolist(), "y": places[:, 1].tolist(),
                          "loss": surface.losses(list(points)), "in_plane": share})  # fmt: skip
    x, y = _axes(np.concatenate(everything), wanted["span"], wanted["resolution"])
    return {"directions": {**wanted["directions"], "names": names}, "part": wanted["part"], "examples": len(surface.batch.lengths),
            "x": (x + origin[0]).tolist(), "y": (y + origin[1]).tolist(), "paths": paths}  # fmt: skip


def grid_slice(
    program: Mapping[str, Any], center: bytes | None, wanted: Mapping[str, Any], laid_out: Mapping[str, Any], done: int, seconds: float,
) -> list[float]:  # fmt: skip
    """Losses of the grid's points from number `done` on, row by row of y, as many as are computed within `seconds`."""
    task, settings = settings_of(program)
    plane, _, origin = _plane(task, settings, center, wanted["directions"])
    x, y = laid_out["x"], laid_out["y"]
    spots = ((x[k % len(x)] - origin[0], y[k // len(x)] - origin[1]) for k in range(done, len(x) * len(y)))
    with np.errstate(all="ignore"):
        return Surface(task, settings, wanted["part"], wanted["examples"]).losses((plane.at(*spot) for spot in spots), seconds)


def _plane(
    task: ArrayTask, settings: Settings, center: bytes | None, directions: Mapping[str, Any]
) -> tuple[Plane, list[str], tuple[float, float]]:
    """The plane, the names of its axes, and what its middle is called on them: the numbers themselves where two parameters are varied."""
    model = restore(task, settings, center).model
    middle = vector(model)
    try:
        if directions["kind"] == "random":
            return Plane(middle, *random_directions(model, directions["seed"])), ["x", "y"], (0.0, 0.0)
        chosen = [directions["a"], directions["b"]]
        a, b = (element(model, one["name"], one["index"]) for one in chosen)
        names = [f"{one['name']}[{', '.join(map(str, one['index']))}]" for one in chosen]
        return Plane(middle, a, b), names, (float(middle @ a), float(middle @ b))
    except ValueError as error:
        raise ProgramError(str(error), "/directions") from None


def _axes(places: Any, span: float | None, resolution: int) -> tuple[Any, Any]:
    """The grid's two axes about the middle: `span` to each side, or as far as the paths go and a fifth more, at least half a unit."""
    axes = []
    for values in places.T:
        low, high = (-span, span) if span is not None else (float(values.min()), float(values.max()))
        if span is None:
            room = max(0.2 * (high - low), 0.5 - (high - low) / 2)
            low, high = low - room, high + room
        axes.append(np.linspace(low, high, resolution))
    return axes[0], axes[1]
