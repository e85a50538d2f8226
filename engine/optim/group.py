"""A group of parameters that share hyper-parameters, as PyTorch's ``param_groups``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from engine.optim.rule import Rate
from engine.tensor import Tensor

Settings = dict[str, Any]
_MARKS = {"name": str, "initial_lr": float}  # what a group may hold beside its optimizer's settings


class Group(MutableMapping[str, Any]):
    """``group["params"]`` and the settings by name: ``group["lr"] = 0.01`` holds from the next step on. Every change is checked.

    params: the tensors. places: their positions among all of the optimizer. settings: complete. check: gives settings checked, and raises
    ValueError for a wrong one.
    """

    def __init__(self, params: list[Tensor], places: list[int], settings: Mapping[str, Any], check: Callable[[Settings], Settings]) -> None:
        self._params, self.places, self._check = params, places, check
        self.members = list(zip(places, params, strict=True))
        marks = {key: _MARKS[key](value) for key, value in settings.items() if key in _MARKS}
        self._settings: Settings = {**check({k: v for k, v in settings.items() if k not in _MARKS}), **marks}
        self.rate: Rate | None = None  # how the learning rate came about, where a schedule set it
        self.governor: object = None  # the schedule that set it
        self.plan: Any = None  # what the optimizer prepared for these settings

    def __getitem__(self, key: str) -> Any:
        return self._params if key == "params" else self._settings[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key in _MARKS:
            self._settings[key] = _MARKS[key](value)
            return
        if key == "params":
            raise ValueError("a group keeps its parameters; add others with optimizer.add_param_group({'params': [...]})")
        own = {k: v for k, v in self._settings.items() if k not in _MARKS}
        if key not in own:
            raise ValueError(f"this optimizer's groups have no {key!r}; they have {', '.join(own)}")
        self._settings.update(self._check({**own, key: value}))
        self.plan = None
        if key == "lr":
            self.rate = None

    def __delitem__(self, key: str) -> None:
        raise ValueError(f"a group keeps all its settings; {key!r} can be changed and not be taken away")

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *self._settings))

    def __len__(self) -> int:
        return 1 + len(self._settings)

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self._settings.items())
        return f"Group({len(self._params)} parameters, {settings})"

    def take(self, settings: Settings) -> None:
        """All settings at once, as a saved state has them; some alone may not go together with what was there before."""
        marks = {key: _MARKS[key](value) for key, value in settings.items() if key in _MARKS}
        self._settings = {**self._check({k: settings[k] for k in self._settings if k not in _MARKS}), **marks}
        self.plan = self.rate = None

    @property
    def settings(self) -> Settings:
        """A copy of the settings, without the parameters."""
        return dict(self._settings)


def positive(name: str, value: Any, *, zero: bool = False) -> float:
    """A hyper-parameter checked. Raises ValueError naming it."""
    expected = f"a finite number {'of at least' if zero else 'above'} 0"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {value!r}; expected {expected}") from None
    if not (number >= 0 if zero else number > 0) or math.isinf(number):
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return number


def fraction(name: str, value: Any) -> float:
    """A decay checked: from 0 to below 1. Raises ValueError naming it."""
    number = positive(name, value, zero=True)
    if number >= 1:
        raise ValueError(f"{name} is {value!r}; expected a number from 0 to below 1")
    return number
