"""What is seen of a training, that it is true, that looking changes nothing, and that slices join whatever they hold."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from engine import Tape
from engine.trace import SCHEMA_PATH, Document
from engine.training import Part, Settings, Slice, Task, evaluate, observed, predictions, trace_step, train
from engine.training import loop as training_loop
from engine.training.checkpoint import restore
from engine.training.loop import BatchOrder

SCHEDULE = {"name": "warmup_cosine", "warmup_iters": 4, "total_iters": 12, "start_factor": 0.2, "eta_min": 0.001}
EDITS = ({"step": 3, "lr": 0.05}, {"step": 9, "lr": 0.01})
ALL = {"layers": 2, "dropout": 0.3, "schedule": SCHEDULE, "edits": EDITS}
NETWORKS: list[dict[str, Any]] = [
    {}, {"layers": 2, "dropout": 0.3}, {"bidirectional": True, "dropout": 0.2}, {"layers": 2, "bidirectional": True, "dropout": 0.5},
    {"truncation": 2}, {"layers": 2, "truncation": 3},
]  # fmt: skip


def settings(**changes: Any) -> Settings:
    return Settings(**{"hidden_size": 5, "batch_size": 7, "optimizer": {"name": "adamw", "lr": 0.02}, "clip_norm": 0.5, **changes})


def through_time(document: Document, chosen: Settings) -> list[float]:
    """||dL/dh_t|| of the top layer's forward direction, as the tray of a film shows it."""
    scope = chosen.cell if chosen.layers == 1 else f"{chosen.cell}/l{chosen.layers - 1}"
    states = {n["time"]: n["id"] for n in document.nodes if n["label"] == "h" and n["scope"].startswith(f"{scope}/t=")}
    gradients = [document.gradient(states[t]) for t in sorted(states)]
    return [0.0 if gradient is None else float(np.linalg.norm(gradient)) for gradient in gradients]


def test_every_step_is_observed_at_first_and_ever_fewer_later() -> None:
    seen = [k for k in range(1, 3001) if observed(k)]
    assert seen[:24] == [*range(1, 21), 22, 24, 26, 28]
    assert [k for k in seen if 100 < k <= 200] == [120, 140, 160, 180, 200]
    assert [k for k in seen if 1000 < k <= 1200] == [1050, 1100, 1150, 1200]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_gradient_through_time_is_the_traces(task: Task, cell: str, network: dict[str, Any]) -> None:
    chosen = settings(cell=cell, **network)
    seen = train(task, chosen, None, 3).observations[-1]
    document = Document(trace_step(task, chosen, 3))
    expected = through_time(document, chosen)
    np.testing.assert_allclose(seen["gradient_through_time"], expected, rtol=0, atol=1e-10)
    assert max(expected) > 1e-6


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_gradient_through_time_where_sequences_end_at_every_step(uneven: Task, cell: str) -> None:
    chosen = settings(cell=cell, dropout=0.4)
    done = train(uneven, chosen, None, 4)
    document = Document(trace_step(uneven, chosen, 4))
    np.testing.assert_allclose(done.observations[-1]["gradient_through_time"], through_time(document, chosen), rtol=0, atol=1e-10)
    assert document.value(document.loss) == pytest.approx(done.losses[-1], abs=1e-10)
    assert document.doc["notes"][0]["params"]["difference"] < 1e-10
    (logits,) = [n for n in document.nodes if n["scope"] == "head" and n["label"] in ("logits", "y_hat")]
    assert logits["shape"][0] == sum(example["length"] for example in document.doc["batch"]["examples"])


def test_long_sequences_in_many_blocks(monkeypatch: pytest.MonkeyPatch, task: Task) -> None:
    chosen = settings(cell="lstm", layers=2)
    whole = train(task, chosen, None, 2).observations[-1]["gradient_through_time"]
    from engine.ops import fused_plan

    monkeypatch.setattr(fused_plan, "CACHED", 7 * 5 * 8)  # one step a block
    fused_plan.plan_of.cache_clear()
    try:
        np.testing.assert_allclose(train(task, chosen, None, 2).observations[-1]["gradient_through_time"], whole, rtol=1e-12)
    finally:
        fused_plan.plan_of.cache_clear()


@pytest.mark.parametrize("changes", [{}, ALL, {"cell": "lstm", "bidirectional": True, "dropout": 0.1}], ids=["plain", "all", "both"])
def test_looking_changes_nothing(task: Task, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = train(task, settings(**changes), None, 12)
    monkeypatch.setattr(training_loop, "observed", lambda step: False)
    unseen = train(task, settings(**changes), None, 12)
    assert unseen.observations == []
    assert len(seen.observations) == 12
    assert (seen.losses, seen.gradient_norms, seen.learning_rates) == (unseen.losses, unseen.gradient_norms, unseen.learning_rates)
    assert seen.checkpoint == unseen.checkpoint


@pytest.mark.parametrize("cuts", [[1] * 14, [5, 9], [2, 3, 4, 5]], ids=str)
@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "rmsprop", "adagrad"])
def test_slices_join_bit_for_bit_with_dropout_schedule_and_edits(uneven: Task, cuts: list[int], optimizer: str) -> None:
    chosen = settings(**ALL, optimizer={"name": optimizer, "lr": 0.02})
    whole = train(uneven, chosen, None, 14)
    parts: list[Slice] = []
    for steps in cuts:
        parts.append(train(uneven, chosen, parts[-1].checkpoint if parts else None, steps))
    for name in ("losses", "gradient_norms", "learning_rates", "observations"):
        assert [entry for part in parts for entry in getattr(part, name)] == getattr(whole, name)
    assert parts[-1].checkpoint == whole.checkpoint


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adagrad"])
def test_any_step_with_everything_opens_as_it_was_trained(task: Task, cell: str, optimizer: str) -> None:
    chosen = settings(cell=cell, **ALL, optimizer={"name": optimizer, "lr": 0.02})
    done = train(task, chosen, None, 10)
    near = train(task, chosen, None, 7).checkpoint
    document = Document(trace_step(task, chosen, 10, checkpoint=near))
    assert document.value(document.loss) == pytest.approx(done.losses[-1], abs=1e-10)
    after = restore(task, chosen, done.checkpoint).model.state_dict()
    events = document.doc["events"]
    moved = [about["terms"] | {"path": document.nodes[events["node"][int(event)]]["path"]}
             for event, about in events["details"].items() if events["kinds"][events["kind"][int(event)]] == "update"]  # fmt: skip
    assert {terms["path"] for terms in moved} == set(after)
    for terms in moved:
        np.testing.assert_allclose(document.tensor(terms["new"]), after[terms["path"]], rtol=0, atol=1e-10)
        assert float(document.tensor(terms["lr"])) == done.learning_rates[-1]
        assert float(document.tensor(terms["initial_lr"])) == 0.01  # the edit of step 9
        assert float(document.tensor(terms["epoch"])) == 9
    masks = [node for node in document.nodes if node["label"] == "mask"]
    assert masks
    assert {node["role"] for node in masks} == {"constant"}
    kept = {float(x) for node in masks for x in np.unique(document.value(node["id"]))}
    assert kept == {0.0, 1 / 0.7}
    assert document.doc["program"]["edits"] == list(EDITS)
    assert trace_step(task, chosen, 5, checkpoint=None)["program"]["edits"] == [EDITS[0]]


def test_the_answer_that_the_loss_reads_is_the_last_one_shown(task: Task) -> None:
    document = Document(trace_step(task, settings(dropout=0.4), 2, example=4))
    (read,) = [n for n in document.nodes if n["label"] in ("logits", "y_hat") and n["scope"] == "head"]
    shown = [n for n in document.nodes if n["label"] in ("logits", "y_hat") and n["scope"].startswith("predict/t=")]
    np.testing.assert_allclose(np.ravel(document.value(read["id"]))[-2:], np.ravel(document.value(shown[-1]["id"])), rtol=1e-14)


def test_an_observation_is_of_the_network_after_the_step(task: Task) -> None:
    chosen = settings(cell="lstm", layers=2, dropout=0.3)
    before, done = train(task, chosen, None, 3), train(task, chosen, None, 4)
    seen = done.observations[-1]
    json.dumps(seen)
    old, model = restore(task, chosen, before.checkpoint).model, restore(task, chosen, done.checkpoint).model
    new = model.state_dict()
    for name, value in old.state_dict().items():
        assert seen["update_ratios"][name] == pytest.approx(np.linalg.norm(new[name] - value) / np.linalg.norm(value), rel=1e-12)
    model.eval()
    first = task.batch("validation", [0])
    with Tape("OFF"):
        unrolled = model.states(first)
        hidden, output = unrolled.output().data[0], model.answer(unrolled, first).data
    np.testing.assert_allclose(seen["hidden"], hidden, rtol=0, atol=5.1e-5)
    said = seen["predictions"][0]
    assert [one["index"] for one in seen["predictions"]] == list(range(8))
    if task.kind == "classification":
        assert said["prediction"] == (output.argmax(axis=1).tolist() if task.readout == "every" else int(output.argmax()))
        assert np.all(np.asarray(said["p"]) >= 0.5)
    else:
        np.testing.assert_allclose(said["prediction"], output[0], rtol=1e-10)


def test_predictions_are_what_the_figures_are_made_of(any_task: Task) -> None:
    task = any_task
    chosen = settings(dropout=0.5)
    checkpoint = train(task, chosen, None, 6).checkpoint
    found, figures = predictions(task, chosen, checkpoint, "validation"), evaluate(task, chosen, checkpoint, "validation")
    assert found.indices.tolist() == list(range(8))
    assert found.lengths.tolist() == task.batch("validation", range(8)).lengths.tolist()
    assert len(found.outputs) == len(found.targets) == (found.lengths.sum() if task.readout == "every" else 8)
    if task.kind == "classification":
        assert figures["accuracy"] == pytest.approx((found.outputs.argmax(axis=1) == found.targets).mean())
        logs = found.outputs - np.log(np.exp(found.outputs).sum(axis=1, keepdims=True))
        assert figures["loss"] == pytest.approx(-logs[np.arange(len(logs)), found.targets].mean())
        if task.readout == "every":
            assert figures["perplexity"] == pytest.approx(np.exp(figures["loss"]))
    else:
        assert figures["rmse"] == pytest.approx(np.sqrt(np.square(found.outputs - found.targets).mean()))
    alone = predictions(task, chosen, checkpoint, "validation", stop=3)
    np.testing.assert_allclose(alone.outputs, found.outputs[: len(alone.outputs)], rtol=1e-12)
    assert alone.indices.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="no examples to evaluate"):
        evaluate(task, chosen, checkpoint, "validation", stop=0)


def test_an_example_of_another_part_is_traced_as_if_it_were_the_batch(classification: Task) -> None:
    doc = trace_step(classification, settings(), 2, example=5, part="test")
    assert doc["program"]["part"] == "test"
    np.testing.assert_array_equal(doc["batch"]["examples"][0]["tokens"], classification.batch("test", [5]).inputs[0])
    assert "part" not in trace_step(classification, settings(), 2, example=5)["program"]
    with pytest.raises(ValueError, match="choose an example"):
        trace_step(classification, settings(), 2, part="test")


@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_example_that_is_not_trained_on_is_traced_without_dropout(any_task: Task, part: Part) -> None:
    chosen = settings(**{**ALL, "layers": 2, "dropout": 0.4})
    checkpoint = train(any_task, chosen, None, 6).checkpoint
    made = predictions(any_task, chosen, checkpoint, part)
    for example in (0, 3):
        document = Document(trace_step(any_task, chosen, 7, example, checkpoint, part=part))
        assert not [node for node in document.nodes if node["op"] == "dropout" or node["label"] == "mask"]
        assert document.doc["program"]["dropout"] == 0.4  # the run's, with which its network was trained
        ends = np.cumsum(made.lengths) if any_task.readout == "every" else np.arange(1, len(made.indices) + 1)
        said = np.ravel(made.outputs[ends[example] - (made.lengths[example] if any_task.readout == "every" else 1) : ends[example]])
        (read,) = [n for n in document.nodes if n["label"] in ("logits", "y_hat") and n["scope"] == "head"]
        np.testing.assert_allclose(np.ravel(document.value(read["id"])), said, rtol=1e-10)
        assert document.doc["notes"][0]["params"]["difference"] < 1e-10


def test_an_example_of_the_training_part_is_traced_with_the_dropout_of_its_step(task: Task) -> None:
    chosen = settings(dropout=0.4, batch_size=1)
    checkpoint = train(task, chosen, None, 6).checkpoint
    done = train(task, chosen, checkpoint, 1)
    (example,) = BatchOrder(task.size("train"), 1, chosen.seed).indices(7).tolist()
    document = Document(trace_step(task, chosen, 7, example, checkpoint))
    assert [node for node in document.nodes if node["op"] == "dropout"]
    assert float(document.value(document.loss)) == pytest.approx(done.losses[0], rel=1e-10)


class Letters:
    """The letters a, b, c, d go round; the network predicts the next one, and d ends a word."""

    kind, readout, name, input_size, output_size, data_version = "classification", "every", "letters", 5, 4, "00"

    def size(self, part: str) -> int:
        return 12

    def batch(self, part: str, indices: Any) -> Any:
        from engine.training import Batch

        numbers = np.asarray(indices, dtype=np.int64)
        words = np.array([[4, 0, 1, 2]] * len(numbers))
        return Batch(np.eye(5)[words], np.full(len(numbers), 4), np.array([[0, 1, 2, 3]] * len(numbers)), numbers)

    def describe(self, batch: Any, part: str) -> dict[str, Any]:
        return {"examples": [{"index": int(i), "text": "abc", "target": [0, 1, 2, 3]} for i in batch.indices]}

    def samples(self, generate: Any) -> list[str]:
        return ["".join("abc"[letter] for letter in word) for word in generate(np.eye(5)[4], np.eye(5)[:4], 3, count=4, temperature=0.2)]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_network_learns_to_write_and_writes_the_same_again(cell: str) -> None:
    task: Any = Letters()
    chosen = settings(cell=cell, layers=2, dropout=0.1, optimizer={"name": "adam", "lr": 0.05})
    done = train(task, chosen, None, 100)
    assert done.observations[-1]["samples"] == ["abc"] * 4
    assert set(done.observations[0]["samples"]) != {"abc"}
    again = train(task, chosen, train(task, chosen, None, 7).checkpoint, 1)
    assert again.observations[0]["samples"] == done.observations[7]["samples"]
    assert train(task, settings(bidirectional=True), None, 1).observations[0]["samples"] == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [({"name": "stairs"}, "schedule is 'stairs'"), ({"name": "step"}, "needs step_size"), ({"name": "cosine", "gamma": 1}, "no gamma"),
     ({"name": "cosine", "T_max": 0}, "T_max is 0"),
     ({"name": "warmup_cosine", "warmup_iters": 5, "total_iters": 5}, "more than warmup_iters")],
)  # fmt: skip
def test_a_schedule_that_cannot_be_says_why(schedule: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(schedule=schedule)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"dropout": 1.0}, "drops everything"), ({"dropout": -0.1}, "dropout is -0.1"), ({"edits": [{"step": 0, "lr": 1}]}, "step is 0"),
     ({"edits": [{"step": 1}]}, "expected a step and an lr"), ({"edits": [{"step": 1, "lr": 0}]}, "lr is 0"),
     ({"forget_bias": 1.0}, "only the LSTM"), ({"initialisation": "zeros"}, "initialisation is 'zeros'"), ({"dtype": "int8"}, "dtype is"),
     ({"optimizer": {"name": "sgd", "nesterov": True}}, "nesterov asks for a momentum")],
)  # fmt: skip
def test_settings_that_cannot_be_say_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**changes)


def test_the_rate_of_a_step_is_the_schedule_over_the_base_of_the_last_edit(classification: Task) -> None:
    rates = train(classification, settings(schedule={"name": "exponential", "gamma": 0.5}, edits=EDITS), None, 10).learning_rates
    base = [0.02] * 2 + [0.05] * 6 + [0.01] * 2
    assert rates == [b * 0.5**e for e, b in enumerate(base)]
    assert train(classification, settings(edits=EDITS), None, 10).learning_rates == base
    twice = settings(edits=[{"step": 3, "lr": 0.5}, {"step": 1, "lr": 0.3}, {"step": 3, "lr": 0.4}])
    assert list(twice.edits) == [{"step": 1, "lr": 0.3}, {"step": 3, "lr": 0.4}]
    later = train(classification, settings(edits=EDITS), train(classification, settings(), None, 2).checkpoint, 8)
    assert later.checkpoint == train(classification, settings(edits=EDITS), None, 10).checkpoint  # an edit that was made on the way


def test_defaults_are_not_written() -> None:
    usual = settings().to_program()
    assert set(usual) == {"cell", "hidden_size", "optimizer", "clip_norm", "batch_size", "seed"}
    sgd = settings(optimizer={"name": "sgd", "lr": 0.1, "nesterov": False}).to_program()
    assert sgd["optimizer"] == {"name": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0}
    everything = settings(**ALL, initialisation="orthogonal", cell="lstm", forget_bias=1).to_program()
    assert Settings(**everything) == settings(**ALL, initialisation="orthogonal", cell="lstm", forget_bias=1)
    json.dumps(everything)


def test_every_form_of_a_task_is_told_as_the_schema_has_it(any_task: Task) -> None:
    validator = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA_PATH.read_text()))
    validator.validate(trace_step(any_task, settings(**ALL, hidden_size=2), 4, example=3, part="validation"))
    doc = trace_step(any_task, settings(cell="lstm", bidirectional=True, dropout=0.2, hidden_size=2, batch_size=2), 1)
    validator.validate(doc)
    doc["batch"]["examples"][0]["target"] = "red"
    with pytest.raises(jsonschema_rs.ValidationError):
        validator.validate(doc)
