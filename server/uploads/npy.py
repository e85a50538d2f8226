"""One array as numpy saves it (.npy)."""

from __future__ import annotations

import io
import re

import numpy as np
from numpy.lib import format as numpy_format

from engine.ops.op import Array
from server.uploads.bounds import Budget, UploadError

MAGIC = numpy_format.MAGIC_PREFIX
NAME = "array"  # of the only one
HEADER_BYTES = 4096
_READERS = {(1, 0): numpy_format.read_array_header_1_0, (2, 0): numpy_format.read_array_header_2_0}
# numpy reads a header as a Python literal. What an array of numbers needs of that is little: no sign, no list, hardly any nesting.
_HEADER = re.compile(rb"[\w\s'\"<>|=(),:.{}]*", re.ASCII)
_DTYPE = re.compile(rb"""['"]descr['"]\s*:\s*['"]([^'"]*)['"]""")
_NUMBERS = re.compile(rb"[<>|=]?(b1|[iu][1248]|f[248])")


def read_file(data: bytes, budget: Budget) -> dict[str, Array]:
    """The array of a file, under the name `array`."""
    return {NAME: read(data, budget, "the array")}


def read(data: bytes, budget: Budget, called: str) -> Array:
    """The array of these bytes, in C order and the machine's byte order.

    called: how errors call it. Raises UploadError, and LimitError where the budget ends.
    """
    file = io.BytesIO(data)
    shape, fortran, dtype = _header(file, called)
    numbers = data[file.tell() :]
    wanted = budget.take(shape, called) * dtype.itemsize
    if len(numbers) != wanted:
        raise UploadError(f"{called} has {len(numbers):,} bytes of numbers; its header says {wanted:,}")
    if dtype.kind == "b":  # whatever is not 0 is true
        array: Array = np.frombuffer(numbers, np.uint8) != 0
    else:
        array = np.frombuffer(numbers, dtype).astype(dtype.newbyteorder("="))
    return array.reshape(shape, order="F" if fortran else "C").copy(order="C")


def _header(file: io.BytesIO, called: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether the order is Fortran's, and dtype; leaves the file where the numbers begin."""
    try:
        version = numpy_format.read_magic(file)
        reader = _READERS.get(version)
        if reader is None:
            raise UploadError(f"the header of {called} is of version {version[0]}.{version[1]}; 1.0 and 2.0 are read")
        _check_text(file, version[0], called)
        shape, fortran, dtype = reader(file, max_header_size=HEADER_BYTES)
    except UploadError:
        raise
    except (ValueError, TypeError, KeyError, SyntaxError, OverflowError, MemoryError, RecursionError):
        raise UploadError(f"the header of {called} cannot be read; save it with numpy.save, say") from None
    if dtype.hasobject or dtype.kind not in "biuf":  # said twice of one thing
        raise UploadError(f"the header of {called} says more than one dtype")
    return tuple(int(n) for n in shape), fortran, dtype


def _check_text(file: io.BytesIO, version: int, called: str) -> None:
    """Looks at a header before numpy does; leaves the file where it was."""
    start = file.tell()
    size = int.from_bytes(file.read(2 * version), "little")
    text = file.read(min(size, HEADER_BYTES + 1))
    file.seek(start)
    if len(text) > HEADER_BYTES:
        raise UploadError(f"the header of {called} is said to have {size:,} bytes; at most {HEADER_BYTES:,} are read")
    dtypes = _DTYPE.findall(text)
    if len(dtypes) != 1 or not _NUMBERS.fullmatch(dtypes[0]):
        kept = "booleans, whole numbers up to 64 bits, or floating point numbers of 16, 32 or 64 bits"
        raise UploadError(f"{called} holds no plain numbers (objects, which are pickles, records, text, complex): expected {kept}")
    if not _HEADER.fullmatch(text) or text.count(b"{") != 1 or text.count(b"(") != 1 or re.search(rb"\dL", text):
        raise UploadError(f"the header of {called} cannot be read; save it with numpy.save, say")
