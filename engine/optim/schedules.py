"""Schedules of the learning rate with PyTorch's names and semantics: each a pure function of the step, by named formulas.

A schedule sets its optimizer's rates for step 0 when it is made, and for the next step at each `step()`, to be called after the
optimizer's. The formulas are closed: rates do not drift by rounding, and any step can be asked for. At TRACE an update shows how its rate
came about. Two schedules on one optimizer are joined by `SequentialLR`; without that the second takes over, and the first says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from engine.ops.formula import Tree, compile_steps, parse
from engine.optim.group import Group, positive
from engine.optim.optimizer import Optimizer
from engine.optim.rule import Rate, Term

FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"cos": math.cos, "floor": math.floor, "minimum": min, "maximum": max, "where": lambda condition, a, b: a if condition else b}
)
INITIAL = Term("initial_lr", r"\eta_{0}")
EPOCH = Term("epoch", "e")


class Formulas:
    """Named formulas over numbers. terms: given ones and computed ones, in order, ``lr`` last. hyper: constants, name -> LaTeX."""

    def __init__(self, terms: Sequence[Term], hyper: Mapping[str, str]) -> None:
        self.terms, self.hyper = tuple(terms), dict(hyper)
        known = [*hyper]
        self.trees: dict[str, Tree] = {}
        for term in self.terms:
            if term.formula is not None:
                self.trees[term.name] = parse(term.formula, known, FUNCTIONS)
            known.append(term.name)
        self.given = [*(term.name for term in self.terms if term.formula is None), *hyper]
        self._compute = compile_steps(self.trees, self.given, FUNCTIONS)

    def rate(self, numbers: Mapping[str, float]) -> Rate:
        """The rate that follows from the given terms and the constants."""
        computed = self._compute(*(numbers[name] for name in self.given))
        return Rate(self.terms, self.hyper, {**{name: numbers[name] for name in self.given}, **computed})


class Governor:
    """What sets the learning rates of an optimizer's groups, and knows whether another does too."""

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} takes an optimizer; given {type(optimizer).__name__}")
        self.optimizer = optimizer

    def govern(self, group: Group, rate: Rate) -> None:
        """Sets a group's rate and leaves how it came about."""
        group["lr"] = rate.values["lr"]
        group.rate = rate

    def take(self) -> None:
        """Makes this the one that sets the rates."""
        for group in self.optimizer.param_groups:
            group.governor = self

    def still(self) -> None:
        """Raises ValueError when another schedule has taken over."""
        for group in self.optimizer.param_groups:
            if group.governor is not self and group.governor is not None:
                other = type(group.governor).__name__
                raise ValueError(f"{type(self).__name__}: {other} sets this optimizer's rates now; join two schedules with SequentialLR")

    def get_last_lr(self) -> list[float]:
        """The groups' learning rates as they are."""
        return [group["lr"] for group in self.optimizer.param_groups]


class Schedule(Governor):
    """The rate as a function of the step. Subclasses give `formulas` and their constants.

    last_epoch: how many steps it has gone. base_lrs: the groups' rates that it starts from (``initial_lr`` in a group).
    """

    terms: tuple[Term, ...] = ()  # after INITIAL and EPOCH, the last being lr
    symbols: Mapping[str, str] = MappingProxyType({})  # of the constants

    def __init__(self, optimizer: Optimizer, **constants: float) -> None:
        super().__init__(optimizer)
        self.constants, self.last_epoch = constants, 0
        for group in optimizer.param_groups:
            group["initial_lr"] = group.get("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.take()
        self.set_rates()

    @cached_property
    def formulas(self) -> Formulas:
        return Formulas((INITIAL, EPOCH, *self.terms), self.symbols)

    def rate(self, epoch: int, initial_lr: float) -> Rate:
        """The learning rate after `epoch` steps, with the terms that it comes from; depends on nothing else."""
        return self.formulas.rate({"initial_lr": initial_lr, "epoch": epoch, **self.constants})

    def step(self) -> None:
        """Sets the rates of the next step. Raises ValueError when another schedule has taken over."""
        self.still()
        self.last_epoch += 1
        self.set_rates()

    def set_rates(self) -> None:
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:  # a group added since starts from its own rate
            group["initial_lr"] = group.get("initial_lr", group["lr"])
            group.governor = self
            self.base_lrs.append(group["initial_lr"])
        for group, initial in zip(groups, self.base_lrs, strict=True):
            self.govern(group, self.rate(self.last_epoch, initial))

    def state_dict(self) -> dict[str, Any]:
        """Kind, constants, position and starting rates: JSON."""
        return {"schedule": type(self).__name__, "constants": dict(self.constants), "last_epoch": self.last_epoch,
                "base_lrs": list(self.base_lrs)}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave, and sets the rates of that position. Raises ValueError for another schedule's."""
        same_kind(self, state, len(state.get("base_lrs", self.base_lrs)))
        if set(state["constants"]) != set(self.constants):
            raise ValueError(f"{type(self).__name__} has {', '.join(self.constants)}; the state has {', '.join(state['constants'])}")
        self.constants, self.last_epoch, self.base_lrs = dict(state["constants"]), int(state["last_epoch"]), list(state["base_lrs"])
        for group, initial in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["initial_lr"] = initial
        self.set_rates()


class ConstantLR(Schedule):
    """The initial rate times `factor` for the first `total_iters` steps, and then the initial rate."""

    terms = (Term("lr", r"\eta", "where(epoch < total_iters, initial_lr*factor, initial_lr)"),)
    symbols = MappingProxyType({"factor": "f", "total_iters": "T"})

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        super().__init__(optimizer, factor=_in_unit("factor", factor, zero=True), total_iters=whole("total_iters", total_iters, 0))


class StepLR(Schedule):
    """Times `gamma` after every `step_size` steps."""

    terms = (Term("decays", "n", "floor(epoch/step_size)"), Term("lr", r"\eta", "initial_lr*gamma**decays"))
    symbols = MappingProxyType({"gamma": r"\gamma", "step_size": "S"})

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer, gamma=positive("gamma", gamma, zero=True), step_size=whole("step_size", step_size, 1))


class ExponentialLR(Schedule):
    """Times `gamma` after every step."""

    terms = (Term("lr", r"\eta", "initial_lr*gamma**epoch"),)
    symbols = MappingProxyType({"gamma": r"\gamma"})

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer, gamma=positive("gamma", gamma, zero=True))


class CosineAnnealingLR(Schedule):
    """Down to `eta_min` along half a cosine of `T_max` steps, and on along the wave (Loshchilov and Hutter, "SGDR", without restarts)."""

    terms = (
        Term("height", "h", "(1 + cos(pi*epoch/T_max))/2"),
        Term("lr", r"\eta", "eta_min + (initial_lr - eta_min)*height"),
    )
    symbols = MappingProxyType({"T_max": r"T_{\max}", "eta_min": r"\eta_{\min}", "pi": r"\pi"})

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        super().__init__(optimizer, T_max=whole("T_max", T_max, 1), eta_min=positive("eta_min", eta_min, zero=True), pi=math.pi)


class LinearLR(Schedule):
    """From `start_factor` of the initial rate to `end_factor` of it, in `total_iters` equal steps: a warm-up, or a decay."""

    terms = (
        Term("progress", "p", "minimum(epoch, total_iters)/total_iters"),
        Term("factor", "f", "start_factor + (end_factor - start_factor)*progress"),
        Term("lr", r"\eta", "initial_lr*factor"),
    )
    symbols = MappingProxyType({"start_factor": "f_{0}", "end_factor": "f_{1}", "total_iters": "T"})

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5) -> None:
        super().__init__(
            optimizer, start_factor=_in_unit("start_factor", start_factor), end_factor=_in_unit("end_factor", end_factor, zero=True),
            total_iters=whole("total_iters", total_iters, 1),
        )  # fmt: skip


class LinearWarmupLR(Schedule):
    """From `start_factor` of the initial rate up to it in `warmup_iters` steps, and then straight down to nothing at `total_iters`.

    PyTorch has this only as a LambdaLR that one writes oneself.
    """

    terms = (
        Term("rise", "r", "start_factor + (1 - start_factor)*(epoch/maximum(warmup_iters, 1))"),
        Term("fall", "d", "maximum(0, (total_iters - epoch)/(total_iters - warmup_iters))"),
        Term("lr", r"\eta", "initial_lr*where(epoch < warmup_iters, rise, fall)"),
    )
    symbols = MappingProxyType({"start_factor": "f_{0}", "warmup_iters": "W", "total_iters": "T"})

    def __init__(self, optimizer: Optimizer, warmup_iters: int, total_iters: int, start_factor: float = 0.0) -> None:
        warmup, total = _warmup(warmup_iters, total_iters)
        super().__init__(optimizer, start_factor=_in_unit("start_factor", start_factor, zero=True), warmup_iters=warmup, total_iters=total)


class WarmupCosineLR(Schedule):
    """From `start_factor` of the initial rate up to it in `warmup_iters` steps, down to `eta_min` along half a cosine at `total_iters`, and
    `eta_min` from there on.

    PyTorch has this only as a LambdaLR that one writes oneself.
    """

    terms = (
        Term("rise", "r", "start_factor + (1 - start_factor)*(epoch/maximum(warmup_iters, 1))"),
        Term("progress", "p", "minimum(1, maximum(0, epoch - warmup_iters)/(total_iters - warmup_iters))"),
        Term("height", "h", "(1 + cos(pi*progress))/2"),
        Term("lr", r"\eta", "where(epoch < warmup_iters, initial_lr*rise, eta_min + (initial_lr - eta_min)*height)"),
    )
    symbols = MappingProxyType({"start_factor": "f_{0}", "warmup_iters": "W", "total_iters": "T", "eta_min": r"\eta_{\min}", "pi": r"\pi"})

    def __init__(self, optimizer: Optimizer, warmup_iters: int, total_iters: int, start_factor: float = 0.0, eta_min: float = 0.0) -> None:
        warmup, total = _warmup(warmup_iters, total_iters)
        super().__init__(
            optimizer, start_factor=_in_unit("start_factor", start_factor, zero=True), warmup_iters=warmup, total_iters=total,
            eta_min=positive("eta_min", eta_min, zero=True), pi=math.pi,
        )  # fmt: skip


class SequentialLR(Governor):
    """One schedule after another: `schedules[i]` from step ``milestones[i - 1]`` on, counting from there, as torch's SequentialLR.

    The schedules are made for the same optimizer before, and each starts from the rates that the groups had before the first.
    """

    def __init__(self, optimizer: Optimizer, schedules: Iterable[Schedule], milestones: Iterable[int]) -> None:
        super().__init__(optimizer)
        self.schedules, self.milestones, self.last_epoch = list(schedules), [int(m) for m in milestones], 0
        if not self.schedules or not all(isinstance(s, Schedule) and s.optimizer is optimizer for s in self.schedules):
            raise ValueError("SequentialLR takes schedules that are functions of the step, made for the same optimizer, at least one")
        rising = all(a < b for a, b in zip([0, *self.milestones], self.milestones, strict=False))
        if len(self.milestones) != len(self.schedules) - 1 or not rising:
            count = len(self.schedules)
            raise ValueError(f"milestones are {self.milestones}; expected {count - 1} for {count} schedules, rising, the first above 0")
        self.take()
        self.set_rates()

    def step(self) -> None:
        """Sets the rates of the next step. Raises ValueError when another schedule has taken over."""
        self.still()
        self.last_epoch += 1
        self.set_rates()

    def set_rates(self) -> None:
        number = sum(milestone <= self.last_epoch for milestone in self.milestones)
        schedule = self.schedules[number]
        schedule.last_epoch = self.last_epoch - (self.milestones[number - 1] if number else 0)
        schedule.set_rates()
        self.take()

    def state_dict(self) -> dict[str, Any]:
        """Position, milestones and the states of the schedules: JSON."""
        return {"schedule": "SequentialLR", "last_epoch": self.last_epoch, "milestones": list(self.milestones),
                "schedules": [s.state_dict() for s in self.schedules]}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state_dict` gave, and sets the rates of that position. Raises ValueError for another schedule's."""
        same_kind(self, state, len(self.optimizer.param_groups))
        if len(state["schedules"]) != len(self.schedules):
            raise ValueError(f"SequentialLR has {len(self.schedules)} schedules; the state has {len(state['schedules'])}")
        for schedule, own in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(own)
        self.milestones, self.last_epoch = list(state["milestones"]), int(state["last_epoch"])
        self.set_rates()


def same_kind(governor: Governor, state: Mapping[str, Any], groups: int) -> None:
    name, own = state.get("schedule"), type(governor).__name__
    if name != own or groups != len(governor.optimizer.param_groups):
        raise ValueError(f"this state is of {name} with {groups} groups; expected one of {own} with {len(governor.optimizer.param_groups)}")


def _warmup(warmup_iters: Any, total_iters: Any) -> tuple[int, int]:
    warmup, total = whole("warmup_iters", warmup_iters, 0), whole("total_iters", total_iters, 1)
    if total <= warmup:
        raise ValueError(f"total_iters is {total}; expected more than warmup_iters, {warmup}")
    return warmup, total


def whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}")
    return value


def _in_unit(name: str, value: Any, *, zero: bool = False) -> float:
    number = positive(name, value, zero=zero)
    if number > 1:
        raise ValueError(f"{name} is {value!r}; expected a number {'from' if zero else 'above'} 0 to 1")
    return number
