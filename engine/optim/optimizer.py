"""What all optimizers share: parameters in groups, state, and the recording of a step's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from engine.ops.op import Array, as_array
from engine.optim.clipping import stages_of
from engine.optim.group import Group, Settings, positive
from engine.optim.lean import Lean
from engine.optim.rule import Rule
from engine.tape import Tape, tracing
from engine.tensor import Tensor

__all__ = ["Group", "Optimizer", "positive"]


class _Operands(dict[np.dtype[Any], tuple[Any, ...]]):
    """A group's constants as its compiled step takes them, by dtype."""

    def __init__(self, lean: Lean, constants: tuple[float, ...]) -> None:
        super().__init__()
        self.lean, self.constants = lean, constants

    def __missing__(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        self[dtype] = made = self.lean.operands(self.constants, dtype)
        return made


class _Plan(NamedTuple):
    """What a group's settings ask for: its rule, the numbers of its formulas, the compiled step, and what that takes of the numbers.

    operands: the last, by dtype of the parameters, made when first asked for.
    """

    rule: Rule
    update: Callable[..., Array]
    numbers: Mapping[str, float]
    operands: _Operands


class Optimizer:
    """Moves parameters by a rule. Subclasses say which rule their settings make.

    params: leaf tensors, or a list of groups as PyTorch's: ``[{"params": [...], "lr": 0.1}, {"params": [...]}]``, where what a group
    leaves out is the default. settings: the defaults. Parameters without gradient, and frozen ones (``requires_grad`` False), stay as they
    are; their steps are not counted.

    params: all parameters, group after group. state: per parameter what is kept between steps. steps: how often `step` was called; counts:
    the steps that each parameter has done. param_groups: the groups, whose settings can be changed.
    """

    name: ClassVar[str]

    def __init__(self, params: Iterable[Tensor] | Iterable[Mapping[str, Any]], settings: Settings) -> None:
        self.defaults = self.check(settings)
        positive("lr", self.defaults["lr"])  # a group may stand still; an optimizer whose default does is a mistake
        self.params: list[Tensor] = []
        self.param_groups: list[Group] = []
        self.state: list[dict[str, Array]] = []
        self.counts: list[int] = []
        self.steps = 0
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        grouped = bool(given) and all(isinstance(g, Mapping) for g in given)
        for group in given if grouped else [{"params": given}]:
            self.add_param_group(group)
        if not any(p.requires_grad for p in self.params):
            raise ValueError(
                "an optimizer takes leaf tensors, at least one of them with requires_grad=True; none of those given has it: "
                "give model.parameters(), or build the optimizer before freezing"
            )

    def __repr__(self) -> str:
        groups = "".join(f"\n  {group!r}" for group in self.param_groups)
        return f"{type(self).__name__}({len(self.params)} parameters, {self.steps} steps done){groups}"

    # what subclasses say

    def check(self, settings: Settings) -> Settings:
        """The settings of a group, checked and normalised. Raises ValueError for what no step can be done with."""
        raise NotImplementedError

    def make_rule(self, settings: Settings) -> Rule:
        """The rule that these settings ask for."""
        raise NotImplementedError

    def numbers(self, settings: Settings) -> dict[str, float]:
        """The settings as the formulas name them."""
        return settings

    def from_numbers(self, numbers: Mapping[str, float]) -> Settings:
        """The settings that the formulas' numbers come from: `numbers` the other way round."""
        return dict(numbers)

    def initial(self, settings: Settings, name: str, like: Array) -> Array:
        """The state of this name before a parameter's first step."""
        return np.zeros_like(like)

    # parameters and groups

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Adds ``{"params": [...], ...}``; what it leaves out is the optimizer's default. Raises ValueError for what it cannot take."""
        if "params" not in group:
            raise ValueError(f"a group needs 'params'; given {', '.join(map(repr, group)) or 'an empty one'}")
        given = group["params"]
        params = [given] if isinstance(given, Tensor) else list(given)
        if not params or not all(isinstance(p, Tensor) and p.tape is None and p.dtype.kind == "f" for p in params):
            raise ValueError("an optimizer takes leaf tensors of floating point numbers, at least one a group; give model.parameters()")
        ids = [id(p) for p in (*self.params, *params)]
        if len(set(ids)) != len(ids):
            raise ValueError("an optimizer takes each parameter once; some are given twice")
        unknown = [key for key in group if key not in {"params", "name", "initial_lr", *self.defaults}]
        if unknown:
            raise ValueError(f"a group of {type(self).__name__} has no {', '.join(map(repr, unknown))}; it has {', '.join(self.defaults)}")
        settings = {**self.defaults, **{key: value for key, value in group.items() if key != "params"}}
        made = Group(params, list(range(len(self.params), len(ids))), settings, self.check)
        self.params += params
        self.state += [{} for _ in params]
        self.counts += [0] * len(params)
        self.param_groups.append(made)
        self._plan(made)

    def _plan(self, group: Group) -> _Plan:
        """Prepares a group's settings. State that they newly ask for begins; state that they no longer ask for is given up."""
        settings = group.settings
        rule, numbers = self.make_rule(settings), self.numbers(settings)
        for place in group.places:
            old, parameter = self.state[place], self.params[place]
            if old.keys() != rule.state.keys():
                self.state[place] = {k: old[k] if k in old else self.initial(settings, k, parameter.data) for k in rule.state}
                if rule.state and not old.keys() & rule.state.keys():
                    self.counts[place] = 0  # all its state begins here, and so does the count of its steps
        constants = rule.lean.constants(*(numbers[name] for name in rule.hyper if name != "step"))
        group.plan = _Plan(rule, rule.lean.update, numbers, _Operands(rule.lean, constants))
        plan: _Plan = group.plan
        return plan

    @property
    def rule(self) -> Rule:
        """The rule of the first group."""
        plan: _Plan = self.param_groups[0].plan or self._plan(self.param_groups[0])
        return plan.rule

    @property
    def hyper(self) -> dict[str, float]:
        """The first group's numbers by the names that its formulas use: a copy. They are changed in `param_groups`."""
        plan: _Plan = self.param_groups[0].plan or self._plan(self.param_groups[0])
        return {name: plan.numbers[name] for name in plan.rule.hyper if name != "step"}

    # stepping

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of the parameters. set_to_none: PyTorch's; they are None afterwards in either case."""
        for parameter in self.params:
            parameter.grad = None
        if (tape := tracing()) is not None:
            tape.note("zero_grad", "backward")
            tape.clipping = None

    def step(self) -> None:
        """Moves every parameter that has a gradient by one step of the rule; at TRACE its terms are recorded."""
        self.steps += 1
        tape = tracing()
        counts, states = self.counts, self.state
        for group in self.param_groups:
            plan: _Plan = group.plan or self._plan(group)
            update, operands = plan.update, plan.operands
            for place, parameter in group.members:
                gradient = parameter._grad  # a leaf's, without the property's questions
                if gradient is None or not parameter._requires_grad:
                    continue
                counts[place] = count = counts[place] + 1
                if tape is None and gradient.ndim:
                    parameter.data = update(gradient, parameter.data, count, states[place], *operands[gradient.dtype])
                else:
                    self._step_in_terms(tape, group, place, gradient)

    def _step_in_terms(self, tape: Tape | None, group: Group, place: int, gradient: Array) -> None:
        """The same step with every term computed, and recorded where there is a tape."""
        rule, _, numbers, _ = group.plan
        parameter, state = self.params[place], self.state[place]
        given = {"clipped": gradient, "old": parameter.data, **numbers, "step": self.counts[place]}
        given.update((before, state[name]) for name, before in rule.state.items())
        terms = rule.compute(*[given[name] for name in rule.given])
        if tape is not None:
            self._record(tape, group, parameter, {**given, **terms})
        parameter.data = as_array(terms["new"])
        for name in state:
            state[name] = np.array(terms[name])  # a copy: what is recorded does not change with the state

    def _record(self, tape: Tape, group: Group, parameter: Tensor, terms: dict[str, Any]) -> None:
        node = tape.leaf(parameter)
        clipping, values = stages_of(tape, node, terms["clipped"])
        rate = group.rate
        terms.update(values)
        if rate is not None:
            terms.update(rate.values)
        rule: Rule = group.plan.rule
        described = rule.describe(clipping, rate)
        dtype = parameter.data.dtype
        ordered = {}
        for name in described["symbols"]:
            value = terms[name]
            ordered[name] = value if type(value) is np.ndarray and value.dtype is dtype else np.asarray(value, dtype=dtype)
        tape.note("update", "update", node, terms=ordered)
        _note(tape, rule.name, described)

    # state

    def state_dict(self) -> dict[str, Any]:
        """Name, steps done, the groups with their parameters by position, and copies of the state, parameter by parameter."""
        return {
            "optimizer": self.name,
            "steps": self.steps,
            "counts": list(self.counts),
            "param_groups": [{**group.settings, "params": list(group.places)} for group in self.param_groups],
            "state": [{k: v.copy() for k, v in s.items()} for s in self.state],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave. Raises ValueError when it is another optimizer's or another model's.

        Only ``steps`` and ``state`` are needed: without ``counts`` each parameter has done all steps, without ``param_groups`` the groups
        stay as they are, or take the numbers of ``hyper`` (as the property gives them) if that is there and there is one group.
        """
        groups = self._given_groups(state)
        rules = [self.make_rule(self.check({k: g[k] for k in self.defaults})) for g in groups]
        wanted = [rule for rule, group in zip(rules, self.param_groups, strict=True) for _ in group.places]
        given, counts = list(state["state"]), list(state.get("counts", [state["steps"]] * len(self.params)))
        fits = len(given) == len(counts) == len(self.params) and all(
            set(new) == set(rule.state) and all(np.shape(value) == p.data.shape for value in new.values())
            for new, rule, p in zip(given, wanted, self.params, strict=True)
        )
        if not fits or state.get("optimizer", self.name) != self.name:
            raise self._not_this()
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.take(settings)
        self.steps, self.counts = int(state["steps"]), [int(n) for n in counts]
        kept = zip(given, wanted, self.params, strict=True)
        self.state = [{k: np.array(new[k], dtype=p.dtype) for k in rule.state} for new, rule, p in kept]

    def _given_groups(self, state: Mapping[str, Any]) -> list[Settings]:
        """The settings in a state, group by group."""
        if "param_groups" in state:
            given = list(state["param_groups"])
            same = [list(g["params"]) for g in given] == [g.places for g in self.param_groups]
            if not same or any(set(self.defaults) - set(g) for g in given):
                raise self._not_this()
            return [{k: v for k, v in g.items() if k != "params"} for g in given]
        if "hyper" not in state:
            return [group.settings for group in self.param_groups]
        if len(self.param_groups) != 1 or set(state["hyper"]) != set(self.hyper):
            raise self._not_this()
        return [{**self.param_groups[0].settings, **self.from_numbers(state["hyper"])}]

    def _not_this(self) -> ValueError:
        sizes = " + ".join(str(len(group.places)) for group in self.param_groups)
        return ValueError(
            f"this state is not of {type(self).__name__} with {sizes} parameters of these shapes and these settings; expected what "
            "state_dict() of such an optimizer gave"
        )


def _note(tape: Tape, name: str, described: dict[str, Any]) -> None:
    """Puts a rule into the tape's, under the optimizer's name.

    Groups that differ in their terms make several: the others are called ``name/2`` and so on, and those with the most terms stand first,
    so that the first rule whose terms an update has is its own.
    """
    if described in tape.rules.values():
        return
    number = 1 + sum(key.split("/")[0] == name for key in tape.rules)
    tape.rules[name if number == 1 else f"{name}/{number}"] = described
    if number > 1:
        tape.rules = dict(sorted(tape.rules.items(), key=lambda item: -len(item[1]["terms"])))
