"""Why this number: formulas, terms, contributions and updates, taken from stored traces."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from engine import Tape, Tensor, optim
from engine.trace import Document, explain, from_bytes, record, to_bytes
from engine.trace.explain import OutsideNodeError, UnknownNodeError
from engine.training import Settings, Task, trace_step


def stored(document: dict[str, Any]) -> Document:
    return Document(from_bytes(to_bytes(document)))


def neuron(x: Any = (1.0, 2.0), w: float = 0.5, accumulate: bool = False, step: bool = False) -> Document:
    """y = tanh(w*x + b), summed, with w and b parameters."""
    weight, bias = Tensor(w, requires_grad=True, name="w"), Tensor(0.0, requires_grad=True, name="b")
    optimizer = optim.SGD([weight, bias], lr=0.1, momentum=0.9)
    with Tape("TRACE") as tape:
        y = (weight * tape.label(Tensor(x, name="x"), "x", "input") + bias).tanh()
        loss = tape.label(y.sum(), "L", "loss")
        run = loss.backward()
        if accumulate:
            run = loss.backward(accumulate=True)
        if step:
            optimizer.step()
    return stored(record(tape, run, program={"kind": "expression", "expression": "tanh(w*x + b)", "inputs": {}, "wrt": ["w", "b"]}))


@pytest.fixture(params=["rnn", "lstm", "gru"])
def network(request: pytest.FixtureRequest, task: Task) -> Document:
    optimizer = {"name": "adamw" if request.param == "gru" else "sgd", "lr": 0.05}
    return stored(trace_step(task, Settings(cell=request.param, hidden_size=4, batch_size=6, optimizer=optimizer), 2))


def elements(shape: list[int]) -> list[tuple[int, ...]]:
    """The first, the last and a middle element."""
    if 0 in shape:
        return []
    return list({tuple(0 for _ in shape), tuple(n - 1 for n in shape), tuple(n // 2 for n in shape)})


def test_a_forward_formula_is_given_with_symbols_and_with_numbers() -> None:
    document = neuron()
    answer = explain(document, "tanh#0", (1,))
    assert answer["value"] == np.tanh(1.0)
    assert answer["forward"]["latex"] == r"\mathrm{tanh}_{5} = \tanh(\mathrm{add}_{4})"
    assert answer["forward"]["latex_numbers"] == r"\tanh(1) = 0.7616"
    assert answer["forward"]["terms"] == [{"name": "x", "symbol": r"\mathrm{add}_{4}", "node": 4, "index": [1], "value": 1.0}]
    product = explain(document, "mul#0", [1])["forward"]
    assert (product["latex"], product["latex_numbers"]) == (r"\mathrm{mul}_{2} = w\,x", r"0.5\cdot 2 = 1")
    assert [(term["name"], term["node"], term["index"], term["value"]) for term in product["terms"]] == [
        ("a", 1, [], 0.5),
        ("b", 0, [1], 2.0),
    ]
    assert explain(document, "w")["forward"] is None


def test_a_sum_of_terms_is_written_out() -> None:
    forward = explain(neuron(), "sum#0", ())["forward"]
    assert forward["latex"] == r"L = \sum {\mathrm{tanh}_{5}}"
    assert forward["latex_numbers"] == "0.4621 + 0.7616 = 1.224"
    assert [term["value"] for term in forward["terms"]] == [np.tanh(0.5), np.tanh(1.0)]
    long = explain(neuron(np.linspace(0.0, 1.0, 12)), "sum#0", ())["forward"]
    assert len(long["terms"]) == 12
    assert long["latex_numbers"].startswith("0 + 0.04542 + ")
    assert r" + \cdots + 0.4621 = " in long["latex_numbers"]


def test_of_a_long_sum_the_largest_terms_are_given_and_the_others_together() -> None:
    x = np.linspace(-1.0, 1.0, 1001) ** 3
    forward = explain(neuron(x, w=2.0), "sum#0", ())["forward"]
    terms, others = forward["terms"], forward["others"]
    values = np.tanh(2 * x)
    assert (len(terms), others["count"]) == (64, 1001 - 64)
    places = [term["index"][0] for term in terms]
    assert places == sorted(places)  # the order of the sum
    assert min(abs(term["product"]) for term in terms) >= np.sort(np.abs(values))[-64]
    assert [term["value"] for term in terms] == [values[k] for k in places]
    assert others["value"] == pytest.approx(np.delete(values, places).sum(), rel=1e-12, abs=1e-12)
    assert explain(neuron(), "sum#0", ())["forward"]["others"] is None
    x[500] = np.nan
    assert 500 in [term["index"][0] for term in explain(neuron(x), "sum#0", ())["forward"]["terms"]]


def test_contributions_are_rows_with_their_derivative() -> None:
    document = neuron()
    (row,) = explain(document, "add#0", (0,))["backward"]["contributions"]
    assert (row["node"], row["port"], row["path"], row["time"]) == (5, 0, "tanh#0", None)
    assert row["latex"] == r"\bar{\mathrm{tanh}_{5}}\,\left(1 - \mathrm{tanh}_{5}^{2}\right)"
    assert row["latex_numbers"] == r"1\,\left(1 - 0.4621^{2}\right) = 0.7864"
    assert row["value"] == pytest.approx(1 - np.tanh(0.5) ** 2, rel=1e-15)
    (shared,) = explain(document, "w", ())["backward"]["contributions"]
    assert shared["latex"] == r"\bar{\mathrm{mul}_{2}}\,x"
    assert shared["latex_numbers"] is None  # broadcast: one number made of two
    assert shared["value"] == pytest.approx(np.sum((1 - np.tanh([0.5, 1.0]) ** 2) * [1, 2]), rel=1e-15)


def test_structured_ops_are_written_out_in_numbers_both_ways() -> None:
    z, w = Tensor([0.5, -0.5], requires_grad=True, name="z"), Tensor([[2.0, 3.0], [4.0, 5.0]], requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        p = tape.label((w @ z).softmax(), "p")
        run = (p * Tensor([1.0, 3.0])).sum().backward()
    document = Document(record(tape, run, program={"kind": "expression"}))
    share = explain(document, p.node, (0,))
    assert share["forward"] is not None
    assert share["forward"]["latex_numbers"] == r"\frac{e^{-0.5}}{e^{-0.5} + e^{-0.5}} = 0.5"
    product = explain(document, "matmul#0", (1,))
    assert product["backward"]["contributions"][0]["latex_numbers"] == r"0.5\,(3 - (1\cdot 0.5 + 3\cdot 0.5)) = 0.5".replace(
        r"1\cdot 0.5", "0.5"
    )
    weight = explain(document, "w", (1, 0))
    assert weight["backward"]["contributions"][0]["latex_numbers"] == r"0.5\cdot 0.5 = 0.25"


def test_the_loss_starts_with_one() -> None:
    backward = explain(neuron(), "sum#0", ())["backward"]
    assert backward["sum"] == 1.0
    assert [(row["latex"], row["value"]) for row in backward["contributions"]] == [(r"\frac{\partial L}{\partial L}", 1.0)]


def test_a_kept_gradient_is_a_row_of_its_own() -> None:
    once, twice = explain(neuron(), "w", ()), explain(neuron(accumulate=True), "w", ())
    assert len(twice["backward"]["contributions"]) == len(once["backward"]["contributions"]) + 1
    assert sorted(row["value"] for row in twice["backward"]["contributions"]) == [once["gradient"]] * 2
    assert twice["backward"]["sum"] == twice["gradient"] == 2 * once["gradient"]


def test_what_got_no_gradient_has_no_contributions() -> None:
    answer = explain(neuron(), "x", (0,))
    assert answer["gradient"] is None
    assert answer["backward"] == {"contributions": [], "sum": None}


def test_an_update_is_taken_apart_in_the_order_of_the_rule() -> None:
    document = neuron(step=True)
    answer = explain(document, "w", ())
    terms = {term["name"]: term for term in answer["update"]["terms"]}
    assert list(terms) == ["gradient", "momentum_buffer_prev", "old", "momentum_buffer", "delta", "new", "lr", "momentum"]
    assert terms["gradient"]["value"] == answer["gradient"]
    assert terms["new"]["value"] == 0.5 + terms["delta"]["value"]
    assert terms["delta"]["value"] == pytest.approx(-0.1 * answer["gradient"], rel=1e-15)
    assert terms["delta"]["latex"] == r"\Delta\theta = -\eta\,u"
    assert terms["delta"]["latex_numbers"] == r"-0.1\cdot 1.626 = -0.1626"
    assert (terms["lr"]["symbol"], terms["lr"]["latex_numbers"], terms["lr"]["value"]) == (r"\eta", r"\eta = 0.1", 0.1)
    assert explain(neuron(), "w", ())["update"] is None


def test_each_group_of_parameters_has_the_rule_of_its_own_terms() -> None:
    plain, heavy = Tensor([1.0, 2.0], requires_grad=True, name="plain"), Tensor([3.0, 4.0], requires_grad=True, name="heavy")
    groups = [{"params": [plain]}, {"params": [heavy], "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}]
    optimizer = optim.SGD(groups, lr=0.1)
    with Tape("TRACE") as tape:
        run = (plain * heavy).sum().backward()
        optimizer.step()
    document = Document(record(tape, run, program={"kind": "expression"}))
    assert len(document.doc["rules"]) == 2
    document.doc["rules"] = dict(sorted(document.doc["rules"].items(), key=lambda item: len(item[1]["terms"])))  # the smaller one first
    written = {}
    for name in ("plain", "heavy"):
        update = explain(document, name, (0,))["update"]
        assert update is not None
        written[name] = {term["name"]: term["latex"] for term in update["terms"]}
    assert "lookahead" not in written["plain"]
    assert "=" in written["heavy"]["lookahead"]
    assert "=" in written["heavy"]["decayed"]


def test_every_gradient_of_a_network_is_the_sum_of_its_rows_exactly(network: Document) -> None:
    compared = 0
    for node in network.nodes:
        for at in elements(node["shape"]):
            answer = explain(network, node["id"], at)
            assert answer["backward"]["sum"] == answer["gradient"]
            compared += answer["gradient"] is not None
    assert compared > 100


def test_every_value_of_a_network_is_the_sum_of_its_terms(network: Document) -> None:
    compared = 0
    for node in network.nodes:
        for at in elements(node["shape"]):
            forward = explain(network, node["id"], at)["forward"]
            if forward is None or not all("product" in term for term in forward["terms"]):
                continue
            for term in forward["terms"]:
                assert term["value"] == network.value(term["node"])[tuple(term["index"])]
                assert term["product"] == term["factor"] * term["value"]
            value = network.value(node["id"])[at]
            assert sum(term["product"] for term in forward["terms"]) == pytest.approx(value, rel=1e-12, abs=1e-14)
            assert forward["latex_numbers"] is not None
            compared += 1
    assert compared > 50


def test_every_parameter_of_a_network_was_updated_from_its_gradient(network: Document) -> None:
    parameters = [node for node in network.nodes if node["role"] == "parameter"]
    assert len(parameters) == 6
    for node in parameters:
        at = tuple(n - 1 for n in node["shape"])
        answer = explain(network, node["path"], at)
        terms = {term["name"]: term["value"] for term in answer["update"]["terms"]}
        assert terms["gradient"] == answer["gradient"]
        assert terms["old"] == answer["value"]
        assert terms["clipped"] == terms["coefficient"] * terms["gradient"]
        assert terms["new"] == pytest.approx(terms["old"] + terms["delta"], rel=1e-15)


def test_an_answer_is_json_and_its_latex_balanced(network: Document) -> None:
    for node in network.nodes:
        for at in [None, *elements(node["shape"])]:
            text = json.dumps(explain(network, node["id"], at), allow_nan=False)
            for latex in re.findall(r'"latex(?:_numbers)?": "([^"]*)"', text):
                assert latex.count("{") == latex.count("}"), latex
                assert not re.search(r"_(\w|\{[^{}]*\})_", latex), f"two subscripts in a row: {latex}"


def test_names_of_a_network_are_the_ones_that_people_know(network: Document) -> None:
    symbols = {node["path"]: explain(network, node["id"])["symbol"] for node in network.nodes}
    assert symbols["rnn.weight_hh_l0"] == r"W_{\mathrm{hh}}"
    assert symbols["rnn.bias_ih_l0"] == r"b_{\mathrm{ih}}"
    assert symbols["head.weight"] == r"W_{\mathrm{head}}"
    assert symbols["h_0"] == "h_{0}"
    third = next(node for node in network.nodes if node["label"] == "h" and node["time"] == 3)
    assert symbols[third["path"]] == "h_{3}"


def test_a_constant_stands_in_a_formula_as_its_number() -> None:
    x = Tensor([0.25, 0.5], requires_grad=True, name="x")
    with Tape("TRACE") as tape:
        loss = ((1 - x) * -2.0).sum()
        run = loss.backward()
    document = stored(record(tape, run, program={"kind": "expression", "expression": "(1 - x)*-2", "inputs": {}, "wrt": ["x"]}))
    assert explain(document, "sub#0")["forward"]["latex"] == r"\mathrm{sub}_{2} = 1 - x"
    assert explain(document, "mul#0")["forward"]["latex"] == r"\mathrm{mul}_{4} = \mathrm{sub}_{2}\cdot (-2)"
    assert explain(document, "sub#0", (0,))["backward"]["contributions"][0]["latex_numbers"] == r"1\cdot (-2) = -2"


def test_a_whole_node_is_told_by_shape_and_norm() -> None:
    answer = explain(neuron(step=True), "tanh#0")
    assert answer["index"] is None
    assert answer["value"] == {"shape": [2], "norm": pytest.approx(np.linalg.norm(np.tanh([0.5, 1.0])), rel=1e-15)}
    assert answer["gradient"] == answer["backward"]["sum"] == {"shape": [2], "norm": pytest.approx(np.sqrt(2), rel=1e-15)}
    assert answer["forward"]["latex_numbers"] is None
    scalar = explain(neuron(step=True), "w")
    assert scalar["index"] == []
    assert scalar["value"] == 0.5


def test_numbers_that_json_lacks_are_strings() -> None:
    with np.errstate(invalid="ignore"):
        document = neuron(x=(np.nan, np.inf))
    answer = explain(document, "mul#0", (0,))
    assert answer["value"] == "NaN"
    assert answer["forward"]["latex_numbers"] == r"0.5\cdot \mathrm{NaN} = \mathrm{NaN}"
    assert explain(document, "mul#0", (1,))["value"] == "Infinity"
    assert explain(document, "sum#0", ())["forward"]["latex_numbers"] == r"\mathrm{NaN} + 1 = \mathrm{NaN}"


@pytest.mark.parametrize("node", [99, -1, "nowhere#0"])
def test_a_node_that_is_not_there_is_named(node: int | str) -> None:
    with pytest.raises(UnknownNodeError, match=f"the trace has no node {node!r}; it has 0..6"):
        explain(neuron(), node)


@pytest.mark.parametrize("index", [(2,), (-1,), (), (0, 0)])
def test_an_index_outside_the_node_is_named(index: tuple[int, ...]) -> None:
    with pytest.raises(OutsideNodeError, match=re.escape(f"index {list(index)} is outside node 'tanh#0' of shape [2]; expected 1 numbers")):
        explain(neuron(), "tanh#0", index)
