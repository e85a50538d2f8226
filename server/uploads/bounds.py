"""What every file has to keep to, whatever its format."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from server import limits
from server.programs.errors import LimitError

_PLAIN = re.compile(r"[\w./-]{1,60}", re.ASCII)
_LARGEST = 2**31 - 1  # that one dimension may have


class UploadError(ValueError):
    """A file that cannot be read: what is wrong with it and what was expected."""


class UnknownFormatError(UploadError):
    """A file of no format that is read."""


class Budget:
    """How many numbers and tensors one file may still hold."""

    def __init__(self, elements: int = limits.UPLOAD_ELEMENTS, tensors: int = limits.UPLOAD_TENSORS) -> None:
        self.most, self.most_tensors = elements, tensors
        self.elements = self.tensors = 0

    def take(self, shape: Sequence[int], called: str) -> int:
        """The elements of a tensor of this shape, once they are admitted.

        Raises UploadError for a shape that is none, LimitError for one too large, alone or with those before.
        """
        if any(n < 0 or n > _LARGEST for n in shape):
            raise UploadError(f"{called} has a dimension below 0 or above {_LARGEST:,}")
        if len(shape) > limits.INPUT_DIMENSIONS:
            detail = f"{called} has {len(shape)} dimensions, at most {limits.INPUT_DIMENSIONS} are kept; reshape it"
            raise LimitError(detail, limits.INPUT_DIMENSIONS, len(shape))
        count = math.prod(shape)
        self.elements += count
        if self.elements > self.most:
            held = f"the file holds {self.elements:,} numbers or more, at most {self.most:,} are kept"
            raise LimitError(f"{held}; leave tensors out", self.most, self.elements)
        self.count(self.tensors + 1)
        self.tensors += 1
        return count

    def count(self, tensors: int) -> None:
        """Raises LimitError for more tensors than may be."""
        if tensors > self.most_tensors:
            detail = f"the file holds {tensors:,} tensors or more, at most {self.most_tensors:,} are kept; leave some out"
            raise LimitError(detail, self.most_tensors, tensors)


def check_name(name: str, number: int) -> None:
    """Raises UploadError for a name that a tensor cannot be asked for by."""
    if not 0 < len(name) <= limits.TENSOR_NAME_CHARACTERS or not name.isprintable():
        detail = f"the name of tensor {number} is not of 1 to {limits.TENSOR_NAME_CHARACTERS} printable characters; give it another"
        raise UploadError(detail)


def called(name: str, number: int) -> str:
    """How an error calls a tensor: by its name where that is a plain one."""
    return f"tensor {name}" if is_plain(name) else f"tensor {number}"


def is_plain(name: str) -> bool:
    """Whether an error may repeat a name."""
    return _PLAIN.fullmatch(name) is not None
