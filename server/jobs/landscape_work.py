"""Landscapes, computed by workers: the plane and the paths in one piece, the grid in slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.told import Told
from engine.training.checkpoint import restore
from engine.training.landscape import Plane, Surface, element, principal_directions, random_directions, vector
from engine.training.model import SequenceModel
from server.programs.errors import ProgramError
from server.programs.network import settings_of

Network = tuple[int, bytes | None]  # a step, and the checkpoint after it
_RANDOM = {"kind": "random", "seed": 0}


@dataclass(frozen=True)
class Ground:
    """What a grid is computed on: a plane, and what its middle is called on its axes.

    That is 0, or the numbers themselves where two parameters are varied.
    """

    plane: Plane
    origin: tuple[float, float]


def lay_out(
    program: Mapping[str, Any], center: bytes | None, runs: Sequence[tuple[str, Mapping[str, Any], Sequence[Network]]],
    wanted: Mapping[str, Any],
) -> tuple[dict[str, Any], Ground]:  # fmt: skip
    """Axes and paths of a landscape: all but its grid. program, center: of the run whose last network is the middle of the plane.

    runs: id, program and networks of each, by rising step. wanted: the request. Raises ProgramError for directions that there are not.
    """
    task, settings = settings_of(program)
    model = restore(task, settings, center).model
    with np.errstate(all="ignore"):
        ways = [np.stack([_point(own, checkpoint) for _, checkpoint in networks]) for _, own, networks in runs]
        directions, ground = _ground(model, wanted["directions"], np.concatenate(ways))
        surface = Surface(task, settings, wanted["part"], wanted["examples"])
        paths, everything = [], [np.zeros((1, 2))]
        for (run_id, _, networks), points in zip(runs, ways, strict=True):
            places, share = ground.plane.project(points)
            everything.append(places[np.isfinite(places).all(axis=1)])
            places = places + ground.origin
            paths.append({"run": run_id, "steps": [step for step, _ in networks], "x": places[:, 0].tolist(), "y": places[:, 1].tolist(),
                          "loss": surface.losses(list(points)), "in_plane": share})  # fmt: skip
    x, y = _axes(np.concatenate(everything), wanted["span"], wanted["resolution"], directions["kind"] == "pca")
    laid_out = {"directions": directions, "part": wanted["part"], "examples": len(surface.batch.lengths),
                "x": (x + ground.origin[0]).tolist(), "y": (y + ground.origin[1]).tolist(), "paths": paths}  # fmt: skip
    return laid_out, ground


def grid_slice(
    program: Mapping[str, Any], wanted: Mapping[str, Any], laid_out: Mapping[str, Any], ground: Ground, done: int, seconds: float,
) -> list[float]:  # fmt: skip
    """Losses of the grid's points from number `done` on, row by row of y, as many as are computed within `seconds`."""
    task, settings = settings_of(program)
    x, y, origin = laid_out["x"], laid_out["y"], ground.origin
    spots = ((x[k % len(x)] - origin[0], y[k // len(x)] - origin[1]) for k in range(done, len(x) * len(y)))
    with np.errstate(all="ignore"):
        return Surface(task, settings, wanted["part"], wanted["examples"]).losses((ground.plane.at(*spot) for spot in spots), seconds)


def _point(program: Mapping[str, Any], checkpoint: bytes | None) -> Array:
    return vector(restore(*settings_of(program), checkpoint).model)


def _ground(model: SequenceModel, wanted: Mapping[str, Any] | None, points: Array) -> tuple[dict[str, Any], Ground]:
    """The directions as the answer tells them, and the plane.

    wanted: None for the main ones of the ways (points), or random ones where these span no plane.
    """
    middle = vector(model)
    if not np.isfinite(middle).all():
        words = "the middle of the map holds numbers that are not finite; put a run first whose last network is finite"
        raise ProgramError(Told(words, "landscape-middle"), "/runs")
    if wanted is None:
        try:
            return _ground(model, {"kind": "pca"}, points)
        except ProgramError:
            return _ground(model, _RANDOM, points)
    try:
        match wanted["kind"]:
            case "pca":
                a, b, explained = principal_directions(middle, points)
                return {**wanted, "names": ["PC 1", "PC 2"], "explained": list(explained)}, Ground(Plane(middle, a, b), (0.0, 0.0))
            case "random":
                return {**wanted, "names": ["x", "y"]}, Ground(Plane(middle, *random_directions(model, wanted["seed"])), (0.0, 0.0))
            case _:
                chosen = [wanted["a"], wanted["b"]]
                a, b = (element(model, one["name"], one["index"]) for one in chosen)
                names = [f"{one['name']}[{', '.join(map(str, one['index']))}]" for one in chosen]
                return {**wanted, "names": names}, Ground(Plane(middle, a, b), (float(middle @ a), float(middle @ b)))
    except ValueError as error:
        raise ProgramError(str(error), "/directions") from None


def _axes(places: Array, span: float | None, resolution: int, distances: bool) -> tuple[Array, Array]:
    """The grid's two axes about the middle: `span` to each side, or as far as the paths go and a fifth more.

    At least, axes in units of the network go half a unit to each side; those of distances half as far as the longer one.
    """
    lows, highs = (places.min(axis=0), places.max(axis=0)) if span is None else (np.full(2, -span), np.full(2, span))
    if span is None:
        extent = highs - lows
        room = np.maximum(0.2 * extent, ((extent.max() if distances else 2.0) / 2 - extent) / 2)
        lows, highs = lows - room, highs + room
    x, y = (np.linspace(low, high, resolution) for low, high in zip(lows, highs, strict=True))
    return x, y
