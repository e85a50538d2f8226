"""What all optimizers share: parameters, state, and the recording of a step's terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.ops.op import Array, as_array
from engine.optim.rule import Rule
from engine.tape import Tape, tracing
from engine.tensor import Tensor


class Optimizer:
    """Moves parameters by a rule. Subclasses say which rule their settings make.

    hyper: the hyper-parameters by name; a changed value holds from the next step on.
    """

    def __init__(self, params: Iterable[Tensor], rule: Rule, hyper: Mapping[str, float]) -> None:
        self.params = list(params)
        if not self.params or not all(isinstance(p, Tensor) and p.requires_grad and p.tape is None for p in self.params):
            raise ValueError("an optimizer takes leaf tensors with requires_grad=True, at least one; give model.parameters()")
        if len({id(p) for p in self.params}) != len(self.params):
            raise ValueError("an optimizer takes each parameter once; some are given twice")
        self.rule, self.hyper, self.steps = rule, dict(hyper), 0
        self.state: list[dict[str, Array]] = [{name: np.zeros_like(p.data) for name in rule.state} for p in self.params]

    def zero_grad(self) -> None:
        """Forgets the gradients of the parameters."""
        for parameter in self.params:
            parameter.grad = None
        if (tape := tracing()) is not None:
            tape.log.append(("zero_grad", "backward", -1, -1, -1, None, None))
            tape.clipping = None

    def step(self) -> None:
        """Moves every parameter that has a gradient by one step of the rule; at TRACE its terms are recorded."""
        self.steps += 1
        hyper = {"step": self.steps, **self.hyper}
        tape = tracing()
        for parameter, state in zip(self.params, self.state, strict=True):
            if parameter.grad is None:
                continue
            given = {"clipped": parameter.grad, "old": parameter.data, **hyper}
            given.update((before, state[name]) for name, before in self.rule.state.items())
            terms = self.rule.compute(*(given[name] for name in self.rule.given))
            if tape is not None:
                self._record(tape, parameter, {**given, **terms})
            parameter.data = as_array(terms["new"])
            for name in state:
                state[name] = as_array(terms[name])

    def _record(self, tape: Tape, parameter: Tensor, terms: dict[str, Any]) -> None:
        node = tape.leaf(parameter)
        clipped = tape.clipping is not None and node in tape.clipping.gradients
        if tape.clipping is not None and clipped:
            terms = {**terms, "coefficient": tape.clipping.coefficient, "gradient": tape.clipping.gradients[node]}
        else:
            terms = {**terms, "gradient": terms["clipped"]}
        dtype = parameter.data.dtype
        ordered = {name: np.asarray(terms[name], dtype=dtype) for name in self.rule.order(clipped)}
        tape.log.append(("update", "update", node, -1, -1, None, ordered))
        tape.rules[self.rule.name] = self.rule.describe(clipped)

    def state_dict(self) -> dict[str, Any]:
        """Steps done, hyper-parameters and copies of the state, parameter by parameter."""
        return {"steps": self.steps, "hyper": dict(self.hyper), "state": [{k: v.copy() for k, v in s.items()} for s in self.state]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave. Raises ValueError when it is another optimizer's or another model's."""
        given = list(state["state"])
        fits = len(given) == len(self.params) and all(
            set(new) == set(own) and all(np.shape(new[k]) == own[k].shape for k in own) for new, own in zip(given, self.state, strict=False)
        )
        if not fits or set(state["hyper"]) != set(self.hyper):
            raise ValueError(f"this state is not of {type(self).__name__} with {len(self.params)} parameters of these shapes")
        self.steps, self.hyper = int(state["steps"]), dict(state["hyper"])
        self.state = [{k: np.array(v, dtype=p.dtype) for k, v in s.items()} for s, p in zip(given, self.params, strict=True)]


def positive(name: str, value: float, *, zero: bool = False) -> float:
    """A hyper-parameter checked. Raises ValueError naming it."""
    number = float(value)
    if not (number >= 0 if zero else number > 0) or math.isinf(number):
        raise ValueError(f"{name} is {value!r}; expected a finite number {'of at least' if zero else 'above'} 0")
    return number
