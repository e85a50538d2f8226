"""Traces with edits: all of a record computed again, and two records side by side."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from engine import Tape, Tensor, optim
from engine.ops.op import Array
from engine.optim import clip_grad_norm_, clip_grad_value_
from engine.trace import (
    SCHEMA_PATH,
    Change,
    Document,
    Edit,
    EditError,
    KeepGradients,
    Mute,
    MuteStep,
    check,
    diff,
    from_bytes,
    record,
    to_bytes,
    what_if,
)
from engine.training import Settings, Task, trace_step

VALIDATOR = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA_PATH.read_text()))
FILES = sorted((Path(__file__).resolve().parents[1] / "fixtures" / "traces").glob("*.json"))
PROGRAM = {"kind": "what-if", "parent": "sha256:" + "0" * 64, "program": {"kind": "none"}, "edits": []}


@pytest.fixture(params=["rnn", "lstm", "gru"])
def network(request: pytest.FixtureRequest, task: Task) -> Document:
    return Document(from_bytes(to_bytes(trace_step(task, Settings(cell=request.param, hidden_size=4, batch_size=6), 3))))


def edited(document: Document, *edits: Change) -> Document:
    found = what_if(document, edits, PROGRAM)
    VALIDATOR.validate(found)
    return Document(from_bytes(to_bytes(found)))


def same(one: Document, other: Document) -> None:
    """Two records are equal, number for number, but for program, id and notes."""
    for part in ("loss", "rules", "batch", "ops"):
        assert one.doc[part] == other.doc[part], part
    assert _resolved(one) == _resolved(other)


def _resolved(document: Document) -> Any:
    """Nodes, events, updates and the values after them, with their numbers in place of references."""

    def numbers(reference: int | None) -> Any:
        if reference is None or reference < 0:
            return reference
        array = document.tensor(reference)
        return array.dtype.str, array.shape, array.tobytes()

    doc = document.doc
    events = {name: column for name, column in doc["events"].items() if name not in ("tensor", "details")}
    nodes = [{**node, "value": numbers(node["value"]), "gradient": numbers(node["gradient"])} for node in doc["nodes"]]
    details = {e: {name: numbers(reference) for name, reference in about["terms"].items()} for e, about in doc["events"]["details"].items()}
    after = None if doc["after"] is None else {node: numbers(reference) for node, reference in doc["after"]["values"].items()}
    return nodes, events, [numbers(reference) for reference in doc["events"]["tensor"]], details, after


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_without_edits_the_record_comes_again_bit_for_bit(task: Task, optimizer: str) -> None:
    for cell in ("rnn", "lstm", "gru"):
        chosen = Settings(cell=cell, hidden_size=3, batch_size=5, optimizer={"name": optimizer}, clip_norm=0.1)
        document = Document(trace_step(task, chosen, 4))
        same(edited(document), document)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_records_of_before_come_again_as_well(file: Path) -> None:
    """Documents of version 1 that were written once, maybe by another processor, whose products are rounded otherwise.
    What they hold beyond it is not computed, and so does not come again."""
    document = Document(from_bytes(file.read_bytes()))
    compared = diff(document, edited(document))
    assert [row for row in (*compared["values"], *compared["gradients"]) if row["max"] > 1e-12] == []
    assert compared["structure"] == {"only_a": [], "only_b": [], "changed": []}


def _step(make: Any, clip: Any, schedule: Any = None) -> Document:
    """A record of the second step of a small problem, under any optimizer and any clipping."""
    w, b = Tensor([0.5, -2.0], requires_grad=True, name="w"), Tensor(0.25, requires_grad=True, name="b")
    optimizer = make([w, b])
    planned = None if schedule is None else schedule(optimizer)
    x = np.array([[1.0, 2.0], [0.5, -1.0]])
    document: Document | None = None
    for _ in range(2):
        with Tape("TRACE") as tape:
            y = (tape.label(Tensor(x, name="x"), "x", "input") * w + b).tanh()
            with tape.phase("loss"):
                loss = tape.label((y * y).mean(), "L", "loss")
            optimizer.zero_grad()
            run = loss.backward()
            clip([w, b])
            before = {tape.leaf(p): p for p in (w, b)}
            optimizer.step()
            replayed = tape.replay({node: p.data for node, p in before.items()})
            after = {node: value for node, value in enumerate(replayed) if value is not tape.values[node]}
        if planned is not None:
            planned.step()
        document = Document(record(tape, run, program={"kind": "none"}, after=after))
    assert document is not None
    return document


OPTIMIZERS = {
    "adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.9, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
}
CLIPPINGS = {
    "none": lambda p: None,
    "norm": lambda p: clip_grad_norm_(p, 0.01),
    "value": lambda p: clip_grad_value_(p, 0.01),
    "both": lambda p: (clip_grad_value_(p, 0.1), clip_grad_norm_(p, 0.01)),
}


@pytest.mark.parametrize("clipping", CLIPPINGS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_rule_and_every_clipping_comes_again(optimizer: str, clipping: str) -> None:
    document = _step(OPTIMIZERS[optimizer], CLIPPINGS[clipping])
    same(edited(document), document)
    moved = edited(document, Edit("w", (0,), 0.75))
    (w,) = (node["id"] for node in moved.nodes if node["path"] == "w")
    terms = _terms(moved, w)
    np.testing.assert_array_equal(terms["old"], [0.75, document.value(document.node("w")["id"])[1]])
    np.testing.assert_array_equal(terms["gradient"], moved.gradient(w))
    np.testing.assert_array_equal(terms["new"], terms["old"] + terms["delta"])


def test_a_schedule_comes_again() -> None:
    document = _step(OPTIMIZERS["nesterov"], CLIPPINGS["norm"], lambda o: optim.ExponentialLR(o, 0.5))
    same(edited(document), document)


def _terms(document: Document, node: int) -> dict[str, Array]:
    events = document.doc["events"]
    update = events["kinds"].index("update")
    (event,) = (e for e, kind in enumerate(events["kind"]) if kind == update and events["node"][e] == node)
    return {name: document.tensor(reference) for name, reference in events["details"][str(event)]["terms"].items()}


def test_an_edited_parameter_gives_what_a_network_with_it_gives(network: Document) -> None:
    """Values by replay, gradients by finite differences, the update by the rule written out."""
    weight = network.node("rnn.weight_hh_l0")["id"]
    new = edited(network, Edit("rnn.weight_hh_l0", (1, 2), 1.5))
    moved = network.value(weight).copy()
    moved[1, 2] = 1.5
    for node, value in enumerate(network.replay({weight: moved})):
        np.testing.assert_array_equal(new.value(node), value)
    assert [node["path"] for node in new.nodes] == [node["path"] for node in network.nodes]
    for path in ("rnn.weight_hh_l0", "rnn.bias_ih_l0", "head.weight"):
        node = new.node(path)
        found = check(new, path, [n - 1 for n in node["shape"]])
        assert found["difference"] == pytest.approx(0.0, abs=1e-8)
    gradients = [_gradient(new, node["id"]) for node in new.nodes if node["role"] == "parameter"]
    norm = np.sqrt(sum(np.square(g).sum() for g in gradients))
    terms = _terms(new, weight)
    coefficient = min(1.0, 1.0 / (norm + 1e-6))
    assert float(terms["coefficient"]) == pytest.approx(coefficient, rel=1e-12)
    g = _gradient(new, weight) * coefficient
    m, v = 0.9 * terms["exp_avg_prev"] + 0.1 * g, 0.999 * terms["exp_avg_sq_prev"] + 0.001 * g * g
    step = -0.01 * (m / (1 - 0.9**3)) / (np.sqrt(v / (1 - 0.999**3)) + 1e-8) - 0.01 * 0.01 * moved
    np.testing.assert_allclose(terms["delta"], step, rtol=1e-9)
    np.testing.assert_array_equal(terms["new"], moved + terms["delta"])
    np.testing.assert_array_equal(new.tensor(new.doc["after"]["values"][str(weight)]), terms["new"])


def test_an_edited_state_has_its_new_element_and_passes_gradients_by_the_others(network: Document) -> None:
    state = next(node for node in network.nodes if node["label"] == "h" and node["time"] == 2)
    new = edited(network, Edit(state["path"], (0, 1), 0.9), Edit(state["path"], (0, 1), -0.6))  # the later one counts
    put = next(node for node in new.nodes if node["op"] == "where")
    assert (put["label"], put["scope"], put["time"], put["role"]) == ("h", state["scope"], 2, "intermediate")
    assert new.nodes[put["inputs"][2]]["path"] == state["path"]
    assert new.nodes[put["inputs"][2]]["label"] is None
    moved = network.value(state["id"]).copy()
    moved[0, 1] = -0.6
    replayed = network.replay({state["id"]: moved})
    np.testing.assert_array_equal(new.value(put["id"]), moved)
    for node in network.nodes:
        if node["id"] != state["id"]:
            np.testing.assert_array_equal(new.value(new.node(node["path"])["id"]), replayed[node["id"]])
    gradient, before = _gradient(new, put["id"]), _gradient(new, put["inputs"][2])
    assert gradient[0, 1] != 0
    assert before[0, 1] == 0
    mask = np.ones(before.shape, bool)
    mask[0, 1] = False
    np.testing.assert_array_equal(before[mask], gradient[mask])
    for node in new.nodes:
        if node["gradient"] is not None and node["dtype"] == "float64" and node["scope"].startswith((f"{state['scope']}", "loss")):
            found = check(new, node["id"], [0] * len(node["shape"]))
            assert found["difference"] == pytest.approx(0.0, abs=1e-8)


def test_the_fold_of_contributions_is_still_the_gradient(network: Document) -> None:
    new = edited(network, Edit("x", (0, 0, 0), 2.0), Edit(network.nodes[20]["id"], None, np.zeros(network.nodes[20]["shape"])))
    for node in new.nodes:
        contributions = new.contributions(node["id"])
        if contributions:
            total = contributions[0].array
            for contribution in contributions[1:]:
                total = total + contribution.array
            np.testing.assert_array_equal(total, new.gradient(node["id"]))


def test_a_trace_with_edits_can_be_edited(network: Document) -> None:
    once = edited(network, Edit("rnn.bias_ih_l0", (0,), 0.5))
    back = edited(once, Edit("rnn.bias_ih_l0", (0,), float(network.value(network.node("rnn.bias_ih_l0")["id"])[0])))
    same(back, network)


def test_a_muted_use_leaves_the_sum_of_the_others(network: Document) -> None:
    weight = network.node("rnn.weight_hh_l0")["id"]
    shares = network.contributions(weight)
    cut = shares[0]
    new = edited(network, Mute(cut.node, cut.port))
    total = np.zeros_like(cut.array)
    for share in shares[1:]:
        total = total + share.array
    np.testing.assert_allclose(_gradient(new, "rnn.weight_hh_l0"), total, rtol=1e-12, atol=1e-15)
    assert new.value(new.loss) == network.value(network.loss)
    assert "zero_grad" in _kinds(new)
    border = new.nodes[new.node(network.nodes[cut.node]["path"])["inputs"][cut.port]]
    assert (border["op"], new.nodes[border["inputs"][0]]["path"]) == ("truncate", "rnn.weight_hh_l0")


def test_a_muted_node_sends_nothing_back() -> None:
    w = Tensor(2.0, requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        run = (w * 3.0 + w.tanh()).backward()
        document = Document(record(tape, run, program={"kind": "none"}))
    assert _gradient(edited(document, Mute("tanh#0")), "w") == 3
    new = edited(document, Mute(document.loss))
    assert _gradient(new, "w") == 0
    np.testing.assert_allclose(_gradient(edited(document, Mute("mul#0", 0)), "w"), 1 - np.tanh(2.0) ** 2, rtol=1e-15)
    assert check(edited(document, Mute("tanh#0")), "w", ())["finite_difference"] == pytest.approx(3, abs=1e-8)


def test_a_muted_step_takes_its_share_of_every_parameter(network: Document) -> None:
    last = max(node["time"] for node in network.nodes if node["time"] is not None)
    new = edited(network, MuteStep(last))
    for name in ("rnn.weight_hh_l0", "rnn.weight_ih_l0", "rnn.bias_hh_l0"):
        parts = network.contributions(network.node(name)["id"])
        rest = [part.array for part in parts if network.nodes[part.node]["time"] != last]
        assert len(rest) < len(parts)
        np.testing.assert_allclose(_gradient(new, name), np.sum(rest, axis=0), rtol=1e-9, atol=1e-15)
    for node in network.nodes:
        if node["label"] == "h":
            np.testing.assert_array_equal(_gradient(new, node["path"]), network.gradient(node["id"]))


def test_gradients_that_are_kept_are_added_to(network: Document) -> None:
    new = edited(network, KeepGradients())
    assert "zero_grad" not in _kinds(new)
    for node in network.nodes:
        if node["role"] == "parameter" and (gradient := network.gradient(node["id"])) is not None:
            np.testing.assert_allclose(_gradient(new, node["path"]), 2 * gradient, rtol=1e-12)


def test_what_cannot_be_muted(network: Document) -> None:
    consumer = network.contributions(network.node("rnn.weight_hh_l0")["id"])[0].node
    for change, words in (
        (Mute("nobody"), "no such node"),
        (Mute(consumer, 9), r"has \d inputs, numbered from 0; given input 9"),
        (Mute("x"), "sends no gradient back through it"),
        (MuteStep(99), "no parameter is used at step 99 of this trace; its steps are 1 to"),
    ):
        with pytest.raises(EditError, match=words) as error:
            what_if(network, [Edit("rnn.bias_ih_l0", (0,), 0.0), change], PROGRAM)
        assert error.value.number == 1


def _kinds(document: Document) -> list[str]:
    events = document.doc["events"]
    return [events["kinds"][kind] for kind in events["kind"]]


def test_integers_stay_whole() -> None:
    w = Tensor([[0.5, -1.0, 2.0]], requires_grad=True, name="w")
    with Tape("TRACE") as tape:
        run = w.cross_entropy(Tensor([2], name="target")).backward()  # type: ignore[attr-defined]
        document = Document(record(tape, run, program={"kind": "none"}))
    new = edited(document, Edit("target", (0,), 0.0))
    p = np.exp(document.value(0)) / np.exp(document.value(0)).sum()
    np.testing.assert_allclose(_gradient(new, 0), p - np.eye(3)[[0]], rtol=1e-12)
    with pytest.raises(EditError, match="expected whole numbers"):
        what_if(document, [Edit("target", (0,), 0.5)], PROGRAM)
    with pytest.raises(ValueError, match="cross_entropy"):
        what_if(document, [Edit("target", (0,), 7)], PROGRAM)


def test_not_a_number_is_data(network: Document) -> None:
    new = edited(network, Edit("rnn.weight_ih_l0", (0, 0), np.nan))
    assert np.isnan(new.value(new.loss))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("nobody", None, 1.0), "no such node"),
        (Edit(10**6, None, 1.0), "no such node"),
        (Edit("rnn.bias_ih_l0", (99,), 1.0), r"index \[99\] is outside node [45] of shape"),
        (Edit("rnn.bias_ih_l0", (0, 0), 1.0), "outside node"),
        (Edit("rnn.bias_ih_l0", None, 1.0), r"has shape \[\]; expected"),
        (Edit("rnn.bias_ih_l0", (0,), [1.0]), r"has shape \[1\]; expected \[\]"),
    ],
)
def test_edits_that_a_trace_cannot_take(network: Document, edit: Edit, words: str) -> None:
    with pytest.raises(EditError, match=words) as error:
        what_if(network, [Edit("rnn.bias_ih_l0", (0,), 0.0), edit], PROGRAM)
    assert error.value.number == 1
    with pytest.raises(EditError, match="the loss is what is differentiated"):
        what_if(network, [Edit(network.loss, (), 1.0)], PROGRAM)


def test_values_alone_cannot_be_differentiated_again(network: Document) -> None:
    alone = copy.deepcopy(network.doc)
    seed = alone["events"]["kinds"].index("seed")
    first = alone["events"]["kind"].index(seed)
    for column in ("kind", "phase", "node", "port", "target", "tensor", "message"):
        del alone["events"][column][first:]
    with pytest.raises(ValueError, match="holds values alone"):
        what_if(Document(alone), [], PROGRAM)


# side by side


def test_a_trace_does_not_differ_from_itself(network: Document) -> None:
    found = diff(network, network)
    assert found["loss"]["difference"] == 0
    assert (found["values"], found["gradients"]) == ([], [])
    assert found["structure"] == {"only_a": [], "only_b": [], "changed": []}


def test_what_an_edit_changed_is_listed_and_nothing_else(network: Document) -> None:
    state = next(node for node in network.nodes if node["label"] == "h" and node["time"] == 2)
    new = edited(network, Edit(state["path"], (0, 1), 0.9))
    found = diff(network, new)
    assert found["loss"]["difference"] == float(new.value(new.loss)) - float(network.value(network.loss))
    assert found["structure"]["only_a"] == []
    assert found["structure"]["only_b"] == [f"{state['path']}/edited", f"{state['path']}/given", f"{state['scope']}/where#0"]
    assert all(one["what"] == ["inputs"] for one in found["structure"]["changed"])
    listed = {one["path"]: one for one in found["values"]}
    for node in network.nodes:
        before, after = network.value(node["id"]), new.value(new.node(node["path"])["id"])
        assert (node["path"] in listed) == (not np.array_equal(before, after, equal_nan=True))
        if node["path"] in listed:
            one = listed[node["path"]]
            apart = np.abs(after - before)
            assert one["max"] == apart.max()
            assert one["norm"] == pytest.approx(np.linalg.norm(apart), rel=1e-12)
            assert one["elements"] == np.count_nonzero(apart)
            assert (one["from"], one["to"]) == (before[tuple(one["index"])], after[tuple(one["index"])])
    gradients = {one["path"] for one in found["gradients"]}
    for node in network.nodes:
        before, after = network.gradient(node["id"]), new.gradient(new.node(node["path"])["id"])
        assert (node["path"] in gradients) == (before is not None and not np.array_equal(before, after))


def test_shapes_gradients_and_numbers_that_are_none_are_told_apart() -> None:
    def product(w: Any, x: Any, needs: bool) -> Document:
        a, b = Tensor(w, requires_grad=True, name="w"), Tensor(x, requires_grad=needs, name="x")
        with Tape("TRACE") as tape:
            run = (a * b).sum().backward()
        return Document(record(tape, run, program={"kind": "none"}))

    one, other = product([1.0, np.nan], [1.0, 2.0], False), product([1.0, np.nan], [1.0, 3.0], True)
    found = diff(one, other)
    assert [(v["path"], v["index"], v["max"]) for v in found["values"]] == [("x", [1], 1.0)]
    assert [(g["path"], g.get("only"), g.get("max")) for g in found["gradients"]] == [("w", None, 1.0), ("x", "b", None)]
    assert found["structure"]["changed"] == [{"path": "x", "what": ["role"]}]
    assert found["loss"] == {"a": "NaN", "b": "NaN", "difference": "NaN"}
    longer = diff(one, product([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], False))
    assert {"path": "w", "what": ["shape"]} in longer["structure"]["changed"]
    assert [v["path"] for v in longer["values"]] == ["sum#0"]
    finite = diff(one, product([1.0, 2.0], [1.0, 2.0], False))
    assert [(v["path"], v["index"], v["from"], v["max"]) for v in finite["values"] if v["path"] == "w"] == [("w", [1], "NaN", "NaN")]


def _gradient(document: Document, node: int | str) -> Array:
    gradient = document.gradient(document.node(node)["id"])
    assert gradient is not None
    return gradient
