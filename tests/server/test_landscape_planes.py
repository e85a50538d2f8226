"""Planes through parameter space, the loss over them, and what projection makes of a path."""

from __future__ import annotations

import numpy as np
import pytest

from engine.training import Settings, evaluate, train
from engine.training.checkpoint import restore
from engine.training.landscape import Plane, Surface, element, principal_directions, random_directions, vector
from server.tasks import load


def test_the_loss_at_a_runs_point_is_that_of_the_evaluation() -> None:
    for name, part in (("sunspots", "validation"), ("surnames", "validation"), ("adding", "train")):
        task, settings = load(name), Settings(hidden_size=4, batch_size=8, seed=2, dropout=0.2)
        checkpoint = train(task, settings, None, 15).checkpoint
        model = restore(task, settings, checkpoint).model
        expected = evaluate(task, settings, checkpoint, part, 200)["loss"]  # type: ignore[arg-type]
        surface = Surface(task, settings, part, 200)  # type: ignore[arg-type]
        assert surface.loss(vector(model)) == pytest.approx(expected, rel=1e-13)
        plane = Plane(vector(model), *random_directions(model, 1))
        assert surface.losses([plane.at(0, 0)]) == [pytest.approx(expected, rel=1e-13)]
        assert surface.loss(plane.at(0.5, -0.5)) != pytest.approx(expected)
        assert surface.loss(plane.at(0, 0)) == pytest.approx(expected, rel=1e-13)  # nothing is left of the point between


def test_of_a_quadratic_loss_the_contours_are_ellipses() -> None:
    """In the read-out alone, with the states held, the mean squared error is a quadratic form: over the plane of two of its numbers

    L = c + g d + d H d / 2, whose contours are ellipses where H has a positive determinant. The grid is held against that form.
    """
    task, settings = load("adding"), Settings(cell="rnn", hidden_size=3, seed=1)
    surface = Surface(task, settings, "validation", 100)
    model = restore(task, settings, None).model
    plane = Plane(vector(model), element(model, "head.weight", [0, 0]), element(model, "head.weight", [0, 2]))
    spots = [(x, y) for x in np.linspace(-2, 2, 7) for y in np.linspace(-2, 2, 7)]
    values = np.array(surface.losses([plane.at(x, y) for x, y in spots]))
    terms = np.array([[1, x, y, x * x, x * y, y * y] for x, y in spots])
    form, *_ = np.linalg.lstsq(terms, values, rcond=None)
    assert terms @ form == pytest.approx(values, rel=1e-12)
    _, _, _, xx, xy, yy = form
    assert xx > 0
    assert 4 * xx * yy > xy**2


def test_projection_gives_back_what_lies_in_the_plane() -> None:
    a, b = np.array([1.0, 1.0, 0.0]), np.array([0.0, 2.0, 0.0])  # not at right angles
    plane = Plane(np.array([5.0, 5.0, 5.0]), a, b)
    spots = np.array([[0.0, 0.0], [1.0, -2.0], [0.5, 3.0]])
    points = np.stack([plane.at(*spot) for spot in spots])
    found, share = plane.project(points)
    assert found == pytest.approx(spots)
    assert share == pytest.approx(1.0)
    found, share = plane.project(points + np.array([0.0, 0.0, 1.0]))  # above them: the same places, and less of the way
    assert found == pytest.approx(spots)
    within = ((points - plane.centre) ** 2).sum()
    assert share == pytest.approx(within / (within + 3))
    assert plane.project(points[:1])[1] == 1.0


def test_random_directions_have_filters_as_long_as_the_networks() -> None:
    model = restore(load("sunspots"), Settings(cell="lstm", hidden_size=3), None).model
    a, b = random_directions(model, 7)
    assert [one.tolist() for one in random_directions(model, 7)] == [a.tolist(), b.tolist()]
    assert random_directions(model, 8)[0].tolist() != a.tolist()
    ends = np.cumsum([p.data.size for p in model.parameters()])[:-1]
    for direction in (a, b):
        for parameter, piece in zip(model.parameters(), np.split(direction, ends), strict=True):
            own, drawn = parameter.data, piece.reshape(parameter.shape)
            assert np.linalg.norm(drawn, axis=-1) == pytest.approx(np.linalg.norm(own, axis=-1))


def test_principal_directions_are_those_of_numpys_decomposition() -> None:
    centre = np.array([1.0, 1.0, 1.0, 1.0])
    points = centre + np.array([[4.0, 0.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [1.0, -1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]])
    a, b, shares = principal_directions(centre, points)
    _, lengths, found = np.linalg.svd(points - centre)
    assert np.abs([a @ found[0], b @ found[1]]) == pytest.approx([1, 1])
    assert shares == pytest.approx(lengths[:2] ** 2 / (lengths**2).sum())
    places, within = Plane(centre, a, b).project(points)
    assert within == pytest.approx(sum(shares))
    assert places[0, 0] == pytest.approx(places[:, 0].min())  # from the left, where the way begins,
    assert places[0, 0] < 0
    assert places[-1] == pytest.approx([0, 0], abs=1e-12)  # to the middle
    assert places[np.abs(places[:, 1]).argmax(), 1] > 0
    with_gap = np.vstack([points, np.full(4, np.nan)])
    assert [one.tolist() for one in principal_directions(centre, with_gap)[:2]] == [a.tolist(), b.tolist()]


def test_of_a_random_walk_two_directions_hold_what_theory_says() -> None:
    walk = np.cumsum(np.random.default_rng(3).standard_normal((200, 4000)), axis=0)
    *_, shares = principal_directions(walk[-1], walk)
    assert shares == pytest.approx((8 / np.pi**2, 8 / (9 * np.pi**2)), rel=0.05)


def test_points_on_one_line_have_no_principal_plane() -> None:
    line = np.outer([3.0, 1.0, 0.0], [1.0, 2.0, 2.0])
    for points in (line, line[-2:], line[-1:]):
        with pytest.raises(ValueError, match="on one line"):
            principal_directions(line[-1], points)
    with pytest.raises(ValueError, match="not finite"):
        principal_directions(np.array([np.nan, 0.0, 0.0]), line)


def test_directions_that_there_are_not() -> None:
    model = restore(load("sunspots"), Settings(cell="rnn", hidden_size=3), None).model
    with pytest.raises(ValueError, match=r"no parameter head\.wight; it has rnn\.weight_ih_l0"):
        element(model, "head.wight", [0, 0])
    for index in ([0], [1, 0], [0, -1]):
        with pytest.raises(ValueError, match=r"has shape \[1, 3\]; it has no element"):
            element(model, "head.weight", index)
    a = element(model, "head.weight", [0, 0])
    assert (a.sum(), vector(model)[a == 1]) == (1, model.head.weight.data[0, 0])
    with pytest.raises(ValueError, match="no plane"):
        Plane(vector(model), a, 2 * a)


def test_time_ends_the_points() -> None:
    task, settings = load("sunspots"), Settings(hidden_size=3)
    surface = Surface(task, settings, "train")
    point = vector(surface.model)
    assert len(surface.losses([point] * 50, seconds=0)) == 1
    assert len(surface.losses([point] * 5)) == 5
