"""Training in slices, and any step replayed as a trace."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from engine.trace import Document, check
from engine.training import Settings, Task, Training, evaluate, loop, trace_step, train
from engine.training.checkpoint import pack, restore, step_of
from engine.training.loop import BatchOrder

ADAMW = {"name": "adamw", "lr": 0.02}
SGD = {"name": "sgd", "lr": 0.1, "momentum": 0.9}


def settings(**changes: Any) -> Settings:
    return Settings(**{"cell": "gru", "hidden_size": 5, "batch_size": 7, "optimizer": ADAMW, "clip_norm": 0.5, **changes})


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_training_goes_down(task: Task, cell: str) -> None:
    done = train(task, settings(cell=cell), None, 80)
    assert done.step == 80
    assert len(done.losses) == len(done.gradient_norms) == 80
    assert np.mean(done.losses[-10:]) < 0.8 * np.mean(done.losses[:10])
    score = evaluate(task, settings(cell=cell), done.checkpoint, "validation")
    every = {"perplexity"} if (task.kind, task.readout) == ("classification", "every") else set()
    assert set(score) == {"loss", "accuracy" if task.kind == "classification" else "rmse"} | every
    assert all(np.isfinite(v) for v in score.values())


@pytest.mark.parametrize("optimizer", [ADAMW, SGD], ids=["adamw", "sgd"])
def test_slices_join_bit_for_bit(task: Task, optimizer: dict[str, Any]) -> None:
    chosen = settings(optimizer=optimizer)
    whole = train(task, chosen, None, 9)
    first = train(task, chosen, None, 4)
    second = train(task, chosen, first.checkpoint, 5)
    assert first.losses + second.losses == whole.losses
    assert second.checkpoint == whole.checkpoint
    assert step_of(second.checkpoint) == 9
    cut = train(task, chosen, None, 9, seconds=0.0)
    assert cut.step == 1
    assert cut.losses == whole.losses[:1]


def test_batches_are_taken_some_at_a_time_and_each_once(classification: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also across slices, and over the end of an epoch; of large ones no more than one is held. Each is what it is by itself."""
    whole, take, taken = train(classification, settings(), None, 45), type(classification).batch, []

    def counted(self: Task, part: Any, indices: Any) -> Any:
        if part == "train":
            taken.append(np.asarray(indices).tolist())
        return take(self, part, indices)

    monkeypatch.setattr(type(classification), "batch", counted)
    monkeypatch.setattr(loop, "_AHEAD", 16)
    training = Training(classification, settings(), None)
    losses = [loss for steps in (1, 20, 24) for loss in training.go_on(steps).losses]
    order = BatchOrder(classification.size("train"), 7, settings().seed)
    assert losses == whole.losses
    assert list(map(len, taken)) == [7, *[7 * 16] * 3]  # the first tells how large they are
    assert np.concatenate(taken).tolist() == [index for step in range(1, 50) for index in order.indices(step)]
    monkeypatch.setattr(loop, "_AHEAD_BYTES", 1)
    taken.clear()
    assert Training(classification, settings(), None).go_on(5).losses == whole.losses[:5]
    assert list(map(len, taken)) == [7] * 5


def test_a_batch_is_cut_into_those_that_each_would_be(any_task: Task) -> None:
    order = BatchOrder(any_task.size("train"), 7, seed=3)
    steps = [order.indices(step) for step in range(1, 6)]
    for part, indices in zip(any_task.batch("train", np.concatenate(steps)).cut(5), steps, strict=True):
        alone = any_task.batch("train", indices).by_falling_length()
        for name in ("inputs", "lengths", "targets", "indices"):
            np.testing.assert_array_equal(getattr(part, name), getattr(alone, name), strict=True)


def test_an_epoch_takes_every_example_at_most_once_and_seeds_differ() -> None:
    order = BatchOrder(24, 7, seed=3)
    epoch = np.concatenate([order.indices(step) for step in (1, 2, 3)])
    assert len(set(epoch.tolist())) == 21
    assert not np.array_equal(order.indices(4), order.indices(1))
    np.testing.assert_array_equal(BatchOrder(24, 7, seed=3).indices(4), order.indices(4))
    assert not np.array_equal(BatchOrder(24, 7, seed=4).indices(1), order.indices(1))
    assert sorted(BatchOrder(5, 32, seed=0).indices(2)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_any_step_opens_as_a_trace_of_what_training_did(task: Task, cell: str) -> None:
    chosen = settings(cell=cell)
    done, before = train(task, chosen, None, 6), train(task, chosen, None, 3)
    document = Document(trace_step(task, chosen, 6, checkpoint=before.checkpoint))
    assert document.value(document.loss) == pytest.approx(done.losses[5], abs=1e-10)
    assert document.doc["notes"][0]["params"]["difference"] < 1e-10
    events = document.doc["events"]
    entering, leaving = restore(task, chosen, train(task, chosen, None, 5).checkpoint), restore(task, chosen, done.checkpoint)
    assert len(events["details"]) == 7
    for event, detail in events["details"].items():
        terms = {name: document.tensor(reference) for name, reference in detail["terms"].items()}
        if events["kinds"][events["kind"][int(event)]] == "clip":
            assert terms["norm"] == pytest.approx(done.gradient_norms[5], rel=1e-10)
            continue
        name = document.nodes[events["node"][int(event)]]["path"]
        np.testing.assert_array_equal(terms["old"], dict(entering.model.named_parameters())[name].data)
        np.testing.assert_allclose(terms["new"], dict(leaving.model.named_parameters())[name].data, rtol=0, atol=1e-10)


def test_the_same_step_from_any_checkpoint_is_the_same_record(classification: Task) -> None:
    chosen = settings()
    near = train(classification, chosen, None, 4).checkpoint
    one, two = (trace_step(classification, chosen, 5, checkpoint=c) for c in (None, near))
    assert one["id"] == two["id"]
    assert one == two


def test_a_lone_example_and_the_forward_pass_after_the_update(classification: Task) -> None:
    document = Document(trace_step(classification, settings(), 3, example=9))
    assert document.doc["program"]["example"] == 9
    assert [e["index"] for e in document.doc["batch"]["examples"]] == [9]
    after = {int(node): document.tensor(reference) for node, reference in document.doc["after"]["values"].items()}
    assert {document.nodes[n]["label"] for n in after} >= {"h", "logits", "p", "L", "r", "z", "n"}
    again = document.replay({n: value for n, value in after.items() if document.nodes[n]["role"] == "parameter"})
    for n, value in enumerate(again):
        np.testing.assert_array_equal(value, after.get(n, document.value(n)))
    assert float(after[document.loss]) < float(document.value(document.loss))
    labels = [n["label"] for n in document.nodes if n["scope"] == "gru/t=5"]
    assert "h" in labels
    assert "x" in labels
    assert {n["label"] for n in document.nodes if n["scope"].startswith("gru/t=5/")} >= {"r", "z", "n"}


def test_rows_thin_out_as_sequences_end(classification: Task) -> None:
    document = Document(trace_step(classification, settings(), 1))
    lengths = [e["length"] for e in document.doc["batch"]["examples"]]
    assert lengths == sorted(lengths, reverse=True)
    for t in range(1, lengths[0] + 1):
        (h,) = [n for n in document.nodes if n["label"] == "h" and n["scope"] == f"gru/t={t}"]
        assert h["shape"][0] == sum(n >= t for n in lengths)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"cell": "mlp"}, "cell is 'mlp'"), ({"hidden_size": 0}, "hidden_size is 0"), ({"batch_size": 0}, "batch_size"),
     ({"seed": -1}, "seed"),
     ({"clip_norm": 0.0}, "clip_norm"), ({"optimizer": {"name": "lion"}}, "optimizer is 'lion'"),
     ({"optimizer": {"name": "sgd", "betas": [0.9, 0.9]}}, "has no betas"), ({"optimizer": {"name": "adamw", "lr": -1}}, "lr is")],
)  # fmt: skip
def test_settings_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**changes)


def test_errors(classification: Task) -> None:
    chosen = settings()
    with pytest.raises(ValueError, match="step is 0"):
        trace_step(classification, chosen, 0)
    with pytest.raises(ValueError, match="the checkpoint is of step 4"):
        trace_step(classification, chosen, 4, checkpoint=train(classification, chosen, None, 4).checkpoint)
    with pytest.raises(IndexError, match="example 99"):
        trace_step(classification, chosen, 1, example=99)
    with pytest.raises(ValueError, match="steps is 0"):
        train(classification, chosen, None, 0)
    with pytest.raises(ValueError, match="does not fit"):
        train(classification, settings(hidden_size=6), train(classification, chosen, None, 1).checkpoint, 1)


def test_a_checkpoint_keeps_how_many_steps_each_parameter_has_gone(classification: Task) -> None:
    state = restore(classification, settings(optimizer={"name": "adamw", "lr": 0.1}), train(classification, settings(), None, 3).checkpoint)
    late = state.optimizer.params[1]
    for k in range(2):  # a gradient that came late: fewer steps than the others
        for p in state.optimizer.params:
            p.grad = None if p is late and k == 0 else np.ones(p.shape)
        state.optimizer.step()
    state.step = 5
    again = restore(classification, settings(optimizer={"name": "adamw", "lr": 0.1}), pack(state))
    assert again.optimizer.counts == state.optimizer.counts
    assert again.optimizer.counts[1] == 4
    for each in (state, again):
        for p in each.optimizer.params:
            p.grad = np.full(p.shape, 0.5)
        each.optimizer.step()
    for a, b in zip(state.optimizer.params, again.optimizer.params, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_checkpoint_from_before_they_were_safetensors_is_read(classification: Task) -> None:
    done = train(classification, settings(), None, 3)
    state = restore(classification, settings(), done.checkpoint)
    arrays = {f"p/{name}": p.data for name, p in state.model.named_parameters()}
    arrays |= {f"s/{i}/{key}": value for i, kept in enumerate(state.optimizer.state) for key, value in kept.items()}
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(b'{"step": 3}', dtype=np.uint8), **arrays)
    assert step_of(file.getvalue()) == 3
    assert pack(restore(classification, settings(), file.getvalue())) == done.checkpoint


def test_another_optimizers_checkpoint_is_refused(classification: Task) -> None:
    checkpoint = train(classification, settings(), None, 1).checkpoint
    with pytest.raises(ValueError, match="optimizer is not sgd"):
        train(classification, settings(optimizer={"name": "sgd", "momentum": 0.9}), checkpoint, 1)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("layers", "bidirectional"), [(2, False), (1, True), (2, True)])
def test_layers_and_directions_are_traced_as_they_are_trained(task: Task, cell: str, layers: int, bidirectional: bool) -> None:
    chosen = settings(cell=cell, layers=layers, bidirectional=bidirectional)
    trained = train(task, chosen, None, 4)
    doc = trace_step(task, chosen, 4)
    (note,) = [note for note in doc["notes"] if note["key"] == "note.fused_difference"]
    assert float(note["params"]["difference"]) < 1e-10
    assert (doc["program"].get("layers"), doc["program"].get("bidirectional")) == (layers if layers > 1 else None, bidirectional or None)
    trace = Document(doc)
    scopes = {node["scope"].split("/t=")[0] for node in doc["nodes"] if node["time"] is not None and node["op"] and node["role"] != "probe"}
    suffixes = [f"l{layer}{end}" for layer in range(layers) for end in ("", "_reverse")[: 1 + bidirectional]]
    joined = [f"{cell}/l{layer}_both" for layer in range(layers - 1) if bidirectional]
    assert scopes == {cell if suffix == "l0" else f"{cell}/{suffix}" for suffix in suffixes} | set(joined)
    for suffix in suffixes:
        scope = cell if suffix == "l0" else f"{cell}/{suffix}"
        hidden = [node for node in doc["nodes"] if node["label"] == "h" and node["scope"].startswith(f"{scope}/t=")]
        order = [node["time"] for node in hidden]
        assert order == sorted(order, reverse=suffix.endswith("_reverse"))
        assert len(order) == max(example["length"] for example in doc["batch"]["examples"])
    # the update that the trace records leads to what the fused training came to
    after = restore(task, chosen, trained.checkpoint).model.state_dict()
    events = doc["events"]
    moved = [int(event) for event in events["details"] if events["kinds"][events["kind"][int(event)]] == "update"]
    assert {doc["nodes"][events["node"][event]]["path"] for event in moved} == set(after)
    for event in moved:
        new = trace.tensor(events["details"][str(event)]["terms"]["new"])
        np.testing.assert_allclose(new, after[doc["nodes"][events["node"][event]]["path"]], rtol=0, atol=1e-10)


def test_the_answer_of_two_directions_stands_at_the_last_step(classification: Task) -> None:
    doc = trace_step(classification, settings(bidirectional=True), 1, example=2)
    trace = Document(doc)
    (read,) = [node for node in doc["nodes"] if node["label"] == "logits" and node["scope"] == "head"]
    last = doc["batch"]["examples"][0]["length"]
    (probe,) = [node for node in doc["nodes"] if node["label"] == "logits" and node["scope"] == f"predict/t={last}"]
    np.testing.assert_array_equal(trace.value(probe["id"]), trace.value(read["id"]))


def test_one_layer_is_the_program_it_always_was(classification: Task) -> None:
    doc = trace_step(classification, settings(layers=1, bidirectional=False), 1)
    assert not {"layers", "bidirectional", "truncation"} & set(doc["program"])


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_truncated_training_is_traced_as_it_is_trained(task: Task, cell: str, layers: int) -> None:
    chosen = settings(cell=cell, layers=layers, truncation=2)
    trained = train(task, chosen, None, 3)
    assert trained.losses[0] == train(task, settings(cell=cell, layers=layers), None, 1).losses[0]  # the state goes on
    doc = trace_step(task, chosen, 3)
    (note,) = [note for note in doc["notes"] if note["key"] == "note.fused_difference"]
    assert float(note["params"]["difference"]) < 1e-10
    assert doc["program"]["truncation"] == 2
    cuts = [node for node in doc["nodes"] if node["op"] == "truncate"]
    longest = max(example["length"] for example in doc["batch"]["examples"])
    states = 2 if cell == "lstm" else 1
    assert sorted(node["time"] for node in cuts) == sorted(list(range(3, longest + 1, 2)) * layers * states)
    trace = Document(doc)
    for node in cuts:
        (before,) = node["inputs"]
        np.testing.assert_array_equal(trace.value(node["id"]), trace.value(before))
        sent = [c.array for c in trace.contributions(before) if c.node == node["id"]]
        assert all(not np.asarray(array).any() for array in sent)
    # the step that the trace records leads to what the fused training came to
    after = restore(task, chosen, trained.checkpoint).model.state_dict()
    events = doc["events"]
    for event, about in events["details"].items():
        if events["kinds"][events["kind"][int(event)]] == "update":
            path = doc["nodes"][events["node"][int(event)]]["path"]
            np.testing.assert_allclose(trace.tensor(about["terms"]["new"]), after[path], rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_finite_differences_agree_with_a_truncated_gradient(task: Task, cell: str) -> None:
    doc = trace_step(task, settings(cell=cell, truncation=2), 1, example=2)
    trace, whole = Document(doc), Document(trace_step(task, settings(cell=cell), 1, example=2))
    (weight,) = [node["id"] for node in doc["nodes"] if node["path"] == "rnn.weight_hh_l0"]
    assert np.abs(trace.gradient(weight) - whole.gradient(whole.node("rnn.weight_hh_l0")["id"])).max() > 1e-6
    for index in ((0, 0), (3, 4), (4, 1)):
        assert abs(check(trace, weight, index)["difference"]) < 1e-7
    (cut,) = [
        node for node in doc["nodes"] if node["op"] == "truncate" and node["time"] == 3 and doc["nodes"][node["inputs"][0]]["label"] == "h"
    ]
    assert abs(check(trace, cut["id"], (0, 1))["difference"]) < 1e-7  # what goes on over the border has a gradient of its own


@pytest.mark.parametrize(
    ("changes", "words"), [({"truncation": 0}, "truncation is 0; expected"), ({"truncation": 3, "bidirectional": True}, "forward alone")]
)
def test_a_truncation_that_cannot_be_says_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**changes)
