"""Itemised back-propagation through time, against closed forms, finite differences and what the trace records."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor
from engine.nn import RNN
from engine.tape import label
from engine.trace import Document, Edit, from_bytes, itemise, record, to_bytes, what_if
from engine.trace.arena import decode
from engine.trace.bptt import (
    NotItemisedError,
    Recurrence,
    TooMuchError,
    check_cost,
    choose,
    find_chains,
    gradients_by_loss,
    products,
    spectral_norms,
)  # fmt: skip
from engine.training import Settings, Task, trace_step


@pytest.fixture(params=["rnn", "lstm", "gru"])
def document(request: pytest.FixtureRequest, task: Task) -> Document:
    doc = trace_step(task, Settings(cell=request.param, hidden_size=4, batch_size=6), 2)
    return Document(from_bytes(to_bytes(doc)))


def states_of(document: Document) -> list[tuple[int, ...]]:
    chain = choose(find_chains(document), None)
    assert chain is not None
    return list(chain.steps)


def test_the_parts_of_the_loss_add_up_to_the_gradient_of_each_state(document: Document) -> None:
    chain = choose(find_chains(document), None)
    assert chain is not None
    table = gradients_by_loss(Recurrence(document, chain), None)
    for s, states in enumerate(chain.steps):
        recorded = np.concatenate([_gradient(document, state) for state in states], axis=1)
        total = np.zeros_like(recorded)
        for reached in table[s:]:
            total[: len(reached[s])] += reached[s]
        np.testing.assert_allclose(total, recorded, rtol=1e-11, atol=1e-15)


def test_a_trace_with_an_edited_state_is_itemised_as_any_other(document: Document) -> None:
    state = next(node for node in document.nodes if node["label"] == "h" and node["time"] == 2)
    program = {"kind": "what-if", "parent": document.doc["id"], "program": document.doc["program"], "edits": []}
    edited = Document(what_if(document, [Edit(state["id"], (0, 1), 0.9)], program))
    (put,) = (node["id"] for node in edited.nodes if node["op"] == "where")
    assert states_of(edited)[1][0] == put
    test_the_parts_of_the_loss_add_up_to_the_gradient_of_each_state(edited)
    chain = choose(find_chains(edited), None)
    assert chain is not None
    jacobian = list(products(Recurrence(edited, chain), 0))[1][0]
    assert not jacobian[1].any()  # the element that was given does not depend on the state before
    assert jacobian[0].any()


def test_what_later_losses_send_back_is_what_finite_differences_say(document: Document) -> None:
    """Moving the state of step s and looking at a later state: the products of Jacobians, for every pair of steps."""
    chain = choose(find_chains(document), None)
    assert chain is not None
    reached, steps, epsilon = list(products(Recurrence(document, chain), 0)), chain.steps, 1e-6
    for s in range(len(steps)):
        columns = []
        for state in steps[s]:
            for unit in range(document.nodes[state]["shape"][1]):
                sides = []
                for sign in (1, -1):
                    moved = document.value(state).copy()
                    moved[0, unit] += sign * epsilon
                    # the whole state is set, so that h stays where it is while c moves
                    held = {other: document.value(other) for other in steps[s]}
                    values = document.replay({**held, state: moved})
                    sides.append([np.concatenate([values[node][0] for node in states]) for states in steps])
                columns.append([(after - before) / (2 * epsilon) for after, before in zip(*sides, strict=True)])
        for t in range(s, len(steps)):
            expected = np.stack([column[t] for column in columns], axis=1)
            np.testing.assert_allclose(reached[t][s], expected, rtol=1e-6, atol=1e-8)


def test_the_answer_holds_these_norms(document: Document) -> None:
    answer = itemise(document)
    steps = states_of(document)
    times = range(len(steps))
    assert answer["times"] == [t + 1 for t in times]
    assert answer["states"] == ["h", "c"][: len(steps[0])]
    chain = choose(find_chains(document), None)
    assert chain is not None
    recurrence = Recurrence(document, chain)
    table, jacobians = gradients_by_loss(recurrence, None), list(products(recurrence, 0))
    for k, name in enumerate(answer["states"]):
        width = document.nodes[steps[0][k]]["shape"][1]
        assert answer["state_norms"][name] == [np.linalg.norm(_gradient(document, states[k])) for states in steps]
        for t in times:
            for s in times:
                part = table[t][s][:, k * width : (k + 1) * width] if s <= t else np.zeros(1)
                assert answer["loss_norms"][name][t][s] == pytest.approx(np.linalg.norm(part), rel=1e-12)
    for t, row in enumerate(answer["jacobian_norms"]):
        assert len(row) == t + 1
        assert row[t] == 1.0
        assert row == pytest.approx([np.linalg.norm(matrix, 2) for matrix in jacobians[t]], rel=1e-12)


def test_one_row_is_that_example_alone(task: Task) -> None:
    chosen = Settings(cell="lstm", hidden_size=3, batch_size=5)
    whole = Document(trace_step(task, chosen, 1))
    for row, example in enumerate(whole.doc["batch"]["examples"]):
        alone = itemise(Document(trace_step(task, chosen, 1, example["index"])))
        found = itemise(whole, row)
        length, share = example["length"], len(whole.doc["batch"]["examples"])  # a batch's loss is a mean over its examples
        for name in ("h", "c"):
            inside = np.array(found["loss_norms"][name])
            np.testing.assert_allclose(inside[:length, :length] * share, alone["loss_norms"][name], rtol=1e-9, atol=1e-15)
            assert not inside[length:].any()
            np.testing.assert_allclose(np.array(found["state_norms"][name])[:length] * share, alone["state_norms"][name], rtol=1e-9)
        assert found["jacobian_norms"] == [pytest.approx(reached, rel=1e-9) for reached in alone["jacobian_norms"]]
    with pytest.raises(ValueError, match="row is 5; the batch has rows 0 to 4"):
        itemise(whole, 5)


def test_uses_add_up_to_the_recorded_gradient_exactly_and_bars_to_its_norm(document: Document) -> None:
    answer = itemise(document)
    assert [p["path"] for p in answer["parameters"]] == [
        "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "head.weight", "head.bias",
    ]  # fmt: skip
    for about in answer["parameters"]:
        one = itemise(document, parameter=about["path"])["parameters"]
        assert [{k: v for k, v in term.items() if k != "array"} for term in one[0]["terms"]] == about["terms"]
        total: Any = None
        for term in one[0]["terms"]:
            part = decode(term["array"])
            total = part if total is None else total + part
            assert term["norm"] == pytest.approx(np.linalg.norm(part), rel=1e-12)
        gradient = document.gradient(about["node"])
        np.testing.assert_array_equal(total, gradient)
        np.testing.assert_array_equal(decode(one[0]["array"]), gradient)
        assert about["norm"] == np.linalg.norm(_gradient(document, about["node"]))
        for bars in (about["terms"], about["steps"]):
            assert sum(bar["bar"] for bar in bars) == pytest.approx(about["norm"], rel=1e-12)
        events = [term["event"] for term in about["terms"]]
        assert events == sorted(events)
    recurrent = next(p for p in answer["parameters"] if p["path"] == "rnn.weight_hh_l0")
    assert [step["time"] for step in recurrent["steps"]] == answer["times"]
    assert [term["time"] for term in recurrent["terms"]] == answer["times"][::-1]


def test_a_chain_of_single_units_in_closed_form() -> None:
    """h_t = tanh(w h_(t-1) + x_t), L the sum of all h_t: d h_t / d h_s is the product of w (1 - h^2) in between."""
    layer = RNN(1, 1, bias=False, batch_first=True)
    layer.load_state_dict({"weight_ih_l0": np.array([[1.0]]), "weight_hh_l0": np.array([[0.7]])})
    with Tape("TRACE") as tape:
        run = layer.run(label(Tensor([[[0.3], [-0.2], [0.5], [0.1]]], name="x"), "x", "input"))
        loss = run.output().sum()
        document = Document(record(tape, loss.backward(), program={"kind": "none"}))
    h = [float(step.data[0, 0]) for step in run.steps]
    answer = itemise(document)
    for t in range(4):
        for s in range(t + 1):
            slope = np.prod([0.7 * (1 - h[k] ** 2) for k in range(s + 1, t + 1)])
            assert answer["loss_norms"]["h"][t][s] == pytest.approx(slope, rel=1e-12)
            assert answer["jacobian_norms"][t][s] == pytest.approx(slope, rel=1e-12)
        assert answer["loss_norms"]["h"][t][t + 1 :] == [0.0] * (3 - t)
        total = sum(np.prod([0.7 * (1 - h[k] ** 2) for k in range(t + 1, later + 1)]) for later in range(t, 4))
        assert answer["state_norms"]["h"][t] == pytest.approx(total, rel=1e-12)


def test_a_trace_without_a_recurrence_has_the_uses_of_its_parameters() -> None:
    w = Tensor(2.0, requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        run = (w * w * 3.0).backward()
    answer = itemise(Document(record(tape, run, program={"kind": "none"})))
    assert (answer["cell"], answer["times"], answer["jacobian_norms"]) == (None, [], [])
    (about,) = answer["parameters"]
    assert [(term["port"], term["time"], term["bar"]) for term in about["terms"]] == [(0, None, 6.0), (1, None, 6.0)]
    assert about["steps"] == [{"time": None, "norm": 12.0, "bar": 12.0}]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_each_layer_and_direction_is_itemised(task: Task, cell: str) -> None:
    settings = Settings(cell=cell, hidden_size=3, batch_size=6, layers=2, bidirectional=True)
    example = int(np.argmax([len(task.describe(task.batch("train", np.array([i])), "train")["examples"][0]["tokens"]) for i in range(6)]))
    document = Document(from_bytes(to_bytes(trace_step(task, settings, 2, example))))
    chains = find_chains(document)
    assert list(chains) == [cell, f"{cell}/l0_reverse", f"{cell}/l1", f"{cell}/l1_reverse"]
    assert itemise(document)["cell"] == f"{cell}/l1"
    for scope, chain in chains.items():
        answer = itemise(document, scope=scope)
        assert (answer["cell"], answer["cells"], answer["times"]) == (scope, list(chains), list(chain.times))
        assert chain.times == tuple(sorted(chain.times, reverse=scope.endswith("_reverse")))
        table = gradients_by_loss(Recurrence(document, chain), None)
        for s, states in enumerate(chain.steps):
            recorded = np.concatenate([_gradient(document, state) for state in states], axis=1)
            np.testing.assert_allclose(sum(reached[s] for reached in table[s:]), recorded, rtol=1e-10, atol=1e-15)
    with pytest.raises(ValueError, match=f"no recurrence of that name; it has {cell}, {cell}/l0_reverse"):
        itemise(document, scope="nobody")


def test_sequences_of_different_lengths_read_backwards_are_refused(task: Task) -> None:
    document = Document(trace_step(task, Settings(cell="rnn", hidden_size=3, batch_size=6, bidirectional=True), 1))
    rows = [document.nodes[states[0]]["shape"][0] for states in find_chains(document)["rnn/l0_reverse"].steps]
    if rows == sorted(rows, reverse=True):
        assert itemise(document, scope="rnn/l0_reverse")["times"][0] == len(rows)
    else:
        with pytest.raises(ValueError, match="ask for the trace of one example"):
            itemise(document, scope="rnn/l0_reverse")


def test_what_cannot_be_itemised_is_said() -> None:
    w, x = Tensor(2.0, requires_grad=True, name="w"), Tensor(3.0, name="x")
    with Tape("TRACE") as tape:
        document = Document(record(tape, (w * x).backward(), program={"kind": "none"}))
    with pytest.raises(KeyError, match="no parameter with a gradient; those are w"):
        itemise(document, parameter="x")
    with pytest.raises(KeyError, match="no node"):
        itemise(document, parameter="nobody")


@pytest.mark.parametrize("columns", [1, 3])
def test_states_that_stand_in_columns_are_not_taken_for_rows(columns: int) -> None:
    """Another program may keep its states as (hidden, batch): read as (batch, hidden) the Jacobians would be wrong."""
    w = Tensor([[0.5, -0.3], [0.2, 0.7]], requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        h = Tensor(np.full((2, columns), 0.4), name="h_0")
        for t in (1, 2, 3):
            with tape.scope(f"rnn/t={t}", time=t):
                h = label((w @ h).tanh(), "h")
        document = Document(record(tape, h.sum().backward(), program={"kind": "none"}))
    with pytest.raises(NotItemisedError, match="step 2 computes the rows of its states from each other"):
        itemise(document)


def test_too_large_a_batch_is_refused_before_it_is_computed(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.trace.bptt.MOST_ELEMENTS", 100)
    document = Document(trace_step(task, Settings(cell="rnn", hidden_size=4, batch_size=6), 1))
    with pytest.raises(ValueError, match="at most 100 are computed; make the trace of one example"):
        itemise(document)


@pytest.mark.parametrize(
    ("steps", "rows", "units", "states", "what"),
    [(7, 1, 64, 2, None), (16, 1, 16, 2, None), (200, 1, 4, 1, None), (200, 1, 64, 2, "operations"), (100, 32, 128, 2, "elements")],
)
def test_what_takes_too_long_is_known_before_any_is_computed(steps: int, rows: int, units: int, states: int, what: str | None) -> None:
    if what is None:
        check_cost(steps, rows, units * states, units)
        return
    with pytest.raises(TooMuchError, match=f"take about [0-9,]+ {what}, at most") as raised:
        check_cost(steps, rows, units * states, units)
    assert raised.value.actual > raised.value.most
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # it comes from a worker


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200, 0.0])
def test_the_spectral_norm_is_the_largest_singular_value(scale: float) -> None:
    matrix = np.random.default_rng(5).standard_normal((5, 5)) * scale
    assert spectral_norms(matrix[None])[0] == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-13)


def test_the_norm_of_what_is_no_number_is_no_number() -> None:
    assert np.isnan(spectral_norms(np.array([[[1.0, np.nan], [0.0, 1.0]]]))[0])


def _gradient(document: Document, node: int) -> np.ndarray:
    gradient = document.gradient(node)
    assert gradient is not None
    return gradient
