"""Modules made of modules: Sequential and ModuleList."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from engine.nn.module import Module

_C = TypeVar("_C", bound="_Numbered")


class _Numbered(Module):
    """Modules as attributes "0", "1", ...: the names that PyTorch's state_dict gives them."""

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: {name} is a {type(module).__name__}; expected a Module")
        vars(self)[name] = module

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self.children())
        if isinstance(index, slice):
            return self._of(modules[index])
        try:
            return modules[index]
        except IndexError:
            raise IndexError(f"{type(self).__name__}: {index} is outside its {len(modules)} modules") from None

    def _of(self: _C, modules: list[Module]) -> _C:
        part = type(self)()
        for number, module in enumerate(modules):
            part._add(str(number), module)
        return part

    def append(self: _C, module: Module) -> _C:
        """Adds a module at the end. Returns the container."""
        self._add(str(len(self)), module)
        return self


class Sequential(_Numbered):
    """Modules one after the other, as torch.nn.Sequential: ``Sequential(a, b)`` or of a mapping from names to modules."""

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                if "." in name or not name or hasattr(self, name):
                    raise ValueError(f"Sequential: {name!r} cannot name a module here; expected a new name without dots")
                self._add(name, module)
        else:
            for number, given in enumerate(modules):
                self._add(str(number), given)

    def forward(self, input: Any) -> Any:
        """What the last module makes of what the one before it makes, and so on; the input itself when there are none."""
        for module in self.children():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules whose parameters are found, as torch.nn.ModuleList."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Adds modules at the end. Returns the list."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Puts a module before the one that has this number."""
        modules = list(self.children())
        modules.insert(index, module)
        for number, each in enumerate(modules):
            self._add(str(number), each)

    def __setitem__(self, index: int, module: Module) -> None:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ModuleList: {index} is outside its {len(self)} modules")
        self._add(str(index % len(self)), module)
