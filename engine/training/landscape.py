"""The loss over a plane through the space of a network's parameters, and the way of a training on that plane.

A point of parameter space is one vector: all parameters, one after the other, in the order of the network's. A plane is a centre and two
directions; its point (x, y) is ``centre + x a + y b``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.tape import Tape
from engine.told import Told
from engine.training.checkpoint import restore
from engine.training.model import SequenceModel
from engine.training.settings import Settings
from engine.training.task import Batch, Part, Task


@dataclass(frozen=True)
class Plane:
    """centre, a, b: vectors of one size. Raises ValueError for directions that span no plane."""

    centre: Array
    a: Array
    b: Array

    def __post_init__(self) -> None:
        gram = self._gram()
        if not np.linalg.det(gram) > 1e-12 * gram[0, 0] * gram[1, 1]:
            words = "the two directions span no plane: one is nothing, or a multiple of the other"
            raise ValueError(Told(words, "landscape-plane"))

    def at(self, x: float, y: float) -> Array:
        """The point of parameter space."""
        return np.asarray(self.centre + x * self.a + y * self.b)

    def project(self, points: Array) -> tuple[Array, float]:
        """Where the points (n, size) stand over the plane, (n, 2), and how much of the way between them and the centre lies in it.

        The nearest point of the plane is meant (least squares; the directions need not be at right angles). The share is that of the
        squared distances, 1 where no point is away from the centre.
        """
        moved = points - self.centre
        found = np.linalg.solve(self._gram(), np.stack([moved @ self.a, moved @ self.b]))
        total = float((moved**2).sum())
        within = found[0][:, None] * self.a + found[1][:, None] * self.b
        return np.asarray(found.T), 1.0 if total == 0 else float((within**2).sum()) / total

    def _gram(self) -> Array:
        return np.array([[self.a @ self.a, self.a @ self.b], [self.a @ self.b, self.b @ self.b]])


def vector(model: SequenceModel) -> Array:
    """The model's parameters as a point."""
    return np.concatenate([p.data.ravel() for p in model.parameters()])


def element(model: SequenceModel, name: str, index: Sequence[int]) -> Array:
    """The direction in which one number of one parameter grows. Raises ValueError for a number that there is not."""
    shapes = {known: p.shape for known, p in model.named_parameters()}
    if name not in shapes:
        raise ValueError(f"the network has no parameter {name}; it has {', '.join(shapes)}")
    shape = shapes[name]
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        raise ValueError(f"{name} has shape {list(shape)}; it has no element {list(index)}")
    parts = [np.zeros(known) for known in shapes.values()]
    parts[list(shapes).index(name)][tuple(index)] = 1.0
    return np.concatenate([part.ravel() for part in parts])


def random_directions(model: SequenceModel, seed: int) -> tuple[Array, Array]:
    """Two random directions whose filters are as long as the network's (Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018).

    A filter is what leads to one unit: a row of a matrix; a bias is taken as one. So a step along a direction means as much in layers of
    large weights as in those of small ones.
    """
    random = np.random.Generator(np.random.Philox(key=seed))
    found = []
    for _ in range(2):
        parts = []
        for parameter in model.parameters():
            drawn, axes = random.standard_normal(parameter.shape), parameter.data.ndim - 1
            length = np.sqrt((drawn**2).sum(axis=axes, keepdims=True))
            parts.append((drawn / length * np.sqrt((parameter.data**2).sum(axis=axes, keepdims=True))).ravel())
        found.append(np.concatenate(parts))
    return found[0], found[1]


def principal_directions(centre: Array, points: Array) -> tuple[Array, Array, tuple[float, float]]:
    """The two directions that hold most of the way between a centre and points (n, size), and how much of it each of them holds.

    These are the first two principal components of ``points - centre``: its right singular vectors, of length 1 and at right angles, so
    that a step along one is a distance in parameter space. They are taken about the centre, not about the mean, so that the plane goes
    through the centre (Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018, section 7: the last network is the centre). The
    shares are of the squared distances. A random walk in many dimensions already has 8/π² and 8/(9π²) of them, 81 % and 9 %, about its end
    (of its Karhunen-Loève expansion; Antognini and Sohl-Dickstein, "PCA of high dimensional random walks", 2018): a large share says that
    the plane holds the way, not that the loss has few directions.

    Their signs: along the first the point farthest out has a negative place, so that a way to the centre goes in the direction's sense;
    along the second a positive one. Points that are not finite count for nothing. Raises ValueError for points that lie on one line.
    """
    moved = (points - centre)[np.isfinite(points).all(axis=1)]
    if not np.isfinite(moved).all():
        words = "the middle of the plane holds numbers that are not finite; choose a run whose last network is finite"
        raise ValueError(Told(words, "landscape-middle"))
    _, lengths, found = np.linalg.svd(moved, full_matrices=False)
    if len(lengths) < 2 or not lengths[1] > 1e-6 * lengths[0]:
        words = f"the {len(points)} networks of the way lie on one line and span no plane; train further, or choose other directions"
        raise ValueError(Told(words, "landscape-line", given=len(points)))
    shares = lengths[:2] ** 2 / float((lengths**2).sum())
    places = moved @ found[:2].T
    farthest = np.take_along_axis(places, np.abs(places).argmax(axis=0)[None], axis=0)[0]
    a, b = found[:2] * (np.sign(farthest) * [-1, 1])[:, None]
    return a, b, (float(shares[0]), float(shares[1]))


class Surface:
    """The mean loss over some examples as a function of the parameters, without dropout.

    examples: the first so many of the part; None: all. They are put in order once, and run as one batch.
    """

    def __init__(self, task: Task, settings: Settings, part: Part, examples: int | None = None) -> None:
        self.model = restore(task, settings, None).model
        self.model.eval()
        size = task.size(part) if examples is None else min(examples, task.size(part))
        self.batch: Batch = task.batch(part, np.arange(size)).by_falling_length()
        self._shapes = [p.shape for p in self.model.parameters()]
        self._ends = np.cumsum([p.data.size for p in self.model.parameters()])[:-1]

    def loss(self, point: Array) -> float:
        """The loss at a point. NaN and infinities are answers."""
        pieces: list[Any] = np.split(point, self._ends)
        for parameter, piece, shape in zip(self.model.parameters(), pieces, self._shapes, strict=True):
            parameter.data = piece.reshape(shape)
        with Tape("OFF"):
            output, _ = self.model(self.batch)
            return float(self.model.loss(output, self.batch).item())

    def losses(self, points: Iterable[Array], seconds: float | None = None) -> list[float]:
        """The losses at points, at least one, and no more after `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        found = []
        for point in points:
            found.append(self.loss(point))
            if end is not None and time.monotonic() >= end:
                break
        return found
