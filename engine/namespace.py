"""F for tensors: every operation by its name, ``F.softmax(x, axis=-1)``.

The derivative rules are written against a namespace F. Given this one in place of numpy's, the same rules are themselves recorded, and
so can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import Any

from engine.habits import FUNCTIONS
from engine.manual import described, signature_of
from engine.ops.op import REGISTRY, Array, as_array
from engine.tensor import Tensor, apply


class TensorNamespace:
    """Operations on tensors by name; arrays and numbers among the operands are constants."""

    arrays = False  # what happens to the numbers is recorded

    @staticmethod
    def array(x: Any) -> Array:
        """The plain array of an operand: a constant from here on."""
        return as_array(x.data if isinstance(x, Tensor) else x)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in REGISTRY:
            if name in FUNCTIONS:
                raise AttributeError(f"no op is called {name!r}; PyTorch's {name} is here: {FUNCTIONS[name]}")
            raise AttributeError(f"no op is called {name!r}; known: {', '.join(self.__dir__())}")

        def call(*inputs: Any, **attributes: Any) -> Tensor:
            return apply(name, *inputs, **attributes)

        op = REGISTRY[name]
        call.__name__, call.__doc__ = name, described(op, " on tensors")
        call.__signature__ = signature_of(op)  # type: ignore[attr-defined]
        setattr(self, name, call)
        return call

    def __dir__(self) -> list[str]:
        return sorted(name for name, op in REGISTRY.items() if not op.hidden)


F = TensorNamespace()
TensorNamespace.__doc__ = f"""{TensorNamespace.__doc__}

{fill(f"There are {', '.join(dir(F))}.", 100)}

``help(F.softmax)`` says how one is called.
"""
