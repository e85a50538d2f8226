"""A stored trace computed again on a tape, with some values changed: all that was recorded comes again, as it is now.

An edited leaf has its new value. What was computed and edited stays in the graph, and a ``where`` after it puts the new elements in its
place, whose consumers read that: so the edit can be seen, a gradient passes by the elements that were not edited and by no others, and the
new trace can be replayed as any other. A muted use reads through a ``truncate``, the op at the border of truncated back-propagation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from engine.backward import BackwardRun
from engine.ops.formula import compile_steps
from engine.ops.functions import FUNCTIONS
from engine.ops.op import Array
from engine.optim import clip_grad_norm_, clip_grad_value_
from engine.optim.clipping import stages_of
from engine.tape import Tape
from engine.tensor import Tensor, apply
from engine.trace.document import Document
from engine.trace.edits import Changes, Edited

_UNNAMED = re.compile(r"(.*/)?constant#[0-9]+")


class Rebuilt:
    """A trace on its way to being one again: forward, then `backward`, then `update`. tensors: by the nodes of the document."""

    def __init__(self, document: Document, tape: Tape, changes: Changes) -> None:
        self.document, self.tape, self.changes, edits = document, tape, changes, changes.values
        self.tensors: list[Tensor] = []
        self.leaves: dict[int, Tensor] = {}
        phases = self._phases()
        for number, node in enumerate(document.nodes):
            with ExitStack() as stack:
                stack.enter_context(tape.scope(node["scope"], node["time"]))
                stack.enter_context(tape.phase(phases.get(number, "forward")))
                if node["role"] == "probe":
                    stack.enter_context(tape.probe())
                tensor = self._leaf(number, edits.get(number)) if node["op"] is None else self._compute(node)
                if node["role"] != "loss":
                    tape.roles[tape.node_of(tensor)] = node["role"]
                edited = edits.get(number) if node["op"] is not None else None
                if edited is not None:
                    tensor = self._replaced(node, tensor, edited)
                if node["label"] is not None:
                    tape.label(tensor, node["label"])
            self.tensors.append(tensor)

    def _phases(self) -> dict[int, Any]:
        events = self.document.doc["events"]
        forward = events["kinds"].index("forward")
        rows = zip(events["kind"], events["node"], events["phase"], strict=True)
        return {node: events["phases"][phase] for kind, node, phase in rows if kind == forward}

    def _leaf(self, number: int, edited: Edited | None) -> Tensor:
        node = self.document.nodes[number]
        value = self.document.value(number) if edited is None else edited.values
        name = None if _UNNAMED.fullmatch(node["path"]) else node["path"]
        tensor = self.leaves[number] = Tensor(value, requires_grad=node["requires_grad"], name=name)
        self.tape.node_of(tensor)
        return tensor

    def _compute(self, node: Mapping[str, Any]) -> Tensor:
        muted = self.changes.muted
        inputs = [
            apply("truncate", self.tensors[source]) if (node["id"], port) in muted else self.tensors[source]
            for port, source in enumerate(node["inputs"])
        ]
        return apply(node["op"], *inputs, **node["attributes"])

    def _replaced(self, node: Mapping[str, Any], tensor: Tensor, edited: Edited) -> Tensor:
        mask, values = (Tensor(array, name=f"{node['path']}/{name}") for name, array in (("edited", edited.mask), ("given", edited.values)))
        return apply("where", mask, values, tensor)

    def backward(self) -> BackwardRun:
        """The sweep, from what the recorded one started with. Raises ValueError where none was recorded."""
        document = self.document
        if document.seed is None:
            raise ValueError("the trace holds values alone, and no gradients; there is nothing to compute them by")
        events = document.doc["events"]
        kinds = [events["kinds"][kind] for kind in events["kind"]]
        keep = self.changes.keep
        if "zero_grad" in kinds and not keep:
            self.tape.note("zero_grad", "backward")
        kept = [event for event, kind in enumerate(kinds) if kind == "accumulate" and events["node"][event] < 0]
        for event in kept:  # what leaves had from an earlier run
            self.leaves[events["target"][event]].grad = document.tensor(events["tensor"][event])
        if keep:
            for node, leaf in self.leaves.items():
                leaf.grad = document.gradient(node)
        return self.tensors[document.loss].backward(document.seed[1], accumulate=bool(kept) or keep)

    def update(self) -> dict[Tensor | int, Array]:
        """Clips and updates as the recorded step did, by the rules that the trace holds. Gives the new values by node of the tape."""
        events, tensor = self.document.doc["events"], self.document.tensor
        details = [(int(event), about["terms"]) for event, about in events["details"].items()]
        updated = [events["node"][event] for event, _ in details if events["node"][event] >= 0]
        parameters = [self.leaves[node] for node in updated] or [leaf for leaf in self.leaves.values() if leaf.requires_grad]
        self.tape.rules.update(self.document.doc["rules"])
        after: dict[Tensor | int, Array] = {}
        for event, terms in sorted(details, key=lambda one: one[0]):
            numbers = {name: tensor(reference) for name, reference in terms.items()}
            if events["node"][event] >= 0:
                leaf = self.leaves[events["node"][event]]
                after[self.tape.node_of(leaf)] = self._step(leaf, numbers)
            elif "max_norm" in numbers:
                clip_grad_norm_(parameters, float(numbers["max_norm"]))
            else:
                clip_grad_value_(parameters, float(numbers["clip_value"]))
        return after

    def _step(self, leaf: Tensor, recorded: Mapping[str, Array]) -> Array:
        """One parameter's update by its rule: what the rule is given, but for gradient and old value, is as it was recorded."""
        rule = next(rule for rule in self.document.doc["rules"].values() if set(rule["symbols"]) == set(recorded))
        node, gradient = self.tape.node_of(leaf), leaf.grad
        assert gradient is not None  # its update was recorded, and edits cut no parameter off
        _, by_clipping = stages_of(self.tape, node, gradient)
        trees = {term["name"]: term["formula"] for term in rule["terms"] if term["formula"] is not None}
        given = {name: value if value.ndim else float(value) for name, value in recorded.items() if name not in trees}
        given |= {"old": leaf.data, **{name: value for name, value in by_clipping.items() if name in given}}
        terms = {**given, **compile_steps(trees, list(given), FUNCTIONS)(**given)}
        ordered = {name: np.asarray(terms[name], dtype=leaf.dtype) for name in rule["symbols"]}
        self.tape.note("update", "update", node, terms=ordered)
        return ordered["new"]
