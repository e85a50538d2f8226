"""The backward sweep: the short ways it takes give what the rules give, and its events are complete."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor
from engine.events import LARGE, Placed, Product
from engine.ops.op import REGISTRY, NumpyNamespace, Op, Record, Sample

SHORT = [(op, sample) for op in REGISTRY.values() for sample in op.samples if op.on_arrays is not None and not sample.attributes]


@pytest.mark.parametrize(("op", "sample"), SHORT, ids=[f"{op.name}-{k}" for k, (op, _) in enumerate(SHORT)])
def test_short_ways_contribute_what_the_rule_does(op: Op, sample: Sample) -> None:
    inputs: list[Any] = [np.asarray(x, dtype=np.float64) for x in sample.inputs]
    y = op.forward(*inputs)
    g = np.random.default_rng(1).standard_normal(np.shape(y))
    expected = op.vjp(NumpyNamespace(), g, Record(inputs, y, {}, None, [True] * len(inputs)))
    assert op.on_arrays is not None
    for port, slope in enumerate(op.on_arrays.each):
        np.testing.assert_allclose(g if slope is None else slope(g, *inputs, y), expected[port], rtol=1e-14, atol=0)
    if op.on_arrays.both is not None:
        for found, wanted in zip(op.on_arrays.both(g, *inputs, y), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=0)


def test_a_large_contribution_to_a_weight_is_two_factors_and_the_gradient_their_products_sum_to_the_last_bit() -> None:
    random = np.random.default_rng(2)
    n = int(LARGE**0.5) + 1
    W, h = Tensor(random.standard_normal((n, n)) / n, requires_grad=True), Tensor(random.standard_normal((3, n)))
    with Tape("TRACE") as tape:
        for _ in range(4):
            h = h.linear(W).tanh()
        run = h.sum().backward()
    sent = [e[5] for e in tape.log if e[0] == "vjp" and e[4] == tape.leaf(W)]
    assert [type(contribution) for contribution in sent] == [Product] * 4
    total = sent[0].whole()
    for contribution in sent[1:]:
        total = total + contribution.whole()
    np.testing.assert_array_equal(run[W], total)


def test_a_slice_contributes_its_part_in_its_place() -> None:
    x = Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    with Tape("TRACE") as tape:
        run = (x[:, 1:] * 2.0 + x[:, :2]).sum().backward()
    sent = [e[5] for e in tape.log if e[0] == "vjp" and e[4] == tape.leaf(x)]
    assert all(isinstance(contribution, Placed) for contribution in sent)
    np.testing.assert_array_equal(np.sum([contribution.whole() for contribution in sent], axis=0), run[x])
    np.testing.assert_array_equal(run[x], [[1.0, 3.0, 2.0]])


def test_every_edge_has_its_event_and_every_further_arrival_is_an_accumulation() -> None:
    w, b, x = (Tensor(v, requires_grad=True) for v in (0.5, 0.1, 2.0))
    with Tape("TRACE") as tape:
        y = w * x + b
        z = y * y + w
        z.backward()
    edges = [(node, port) for node in range(len(tape)) if tape.ops[node] is not None for port in range(len(tape.inputs[node]))]
    events = tape.log
    assert sorted(e[2:4] for e in events if e[0] == "vjp") == edges
    targets = [e[4] for e in events if e[0] in ("vjp", "accumulate")]
    twice = [tape.leaf(w), y.node]
    assert [e[4] for e in events if e[0] == "accumulate"] == sorted(twice, reverse=True, key=targets.index)
    assert len(targets) == len(edges) + 2


def test_a_second_sweep_over_the_same_tape_has_events_of_its_own() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True)
    with Tape("TRACE") as tape:
        loss = (w * w).sum()
        loss.backward()
        first = tape.log
        (loss * 3.0).backward()
    assert tape.log[: len(first)] == first
    assert [e[0] for e in tape.log[len(first) :]] == ["forward", "seed", "vjp", "vjp", "vjp", "vjp", "accumulate"]
