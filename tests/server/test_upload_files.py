"""Files of arrays: what was written comes back, and what lies is refused before anything is allocated."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save

from server import limits
from server.programs.errors import LimitError
from server.uploads import READERS, Budget, UnknownFormatError, UploadError, describe, read
from tests.server.upload_files import HOSTILE_FILES, HostileFile, npy_bytes, npz_bytes, safetensors_with, tensor

BOUND = settings(max_examples=80, deadline=None, derandomize=True, database=None)
FLOATS = (16, 32, 64)
NUMBERS = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="="), hnp.unsigned_integer_dtypes(endianness="="),
    hnp.floating_dtypes(endianness="=", sizes=FLOATS),
)  # fmt: skip
ANY_ORDER = st.one_of(NUMBERS, hnp.integer_dtypes(), hnp.floating_dtypes(sizes=FLOATS))
NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=20)


def arrays(dtypes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))


def same(one: Any, other: Any) -> None:
    """Bit for bit, whatever the order of the bytes."""
    assert one.shape == other.shape
    assert one.dtype == other.dtype.newbyteorder("=")
    assert one.flags.c_contiguous
    assert one.tobytes() == other.astype(one.dtype).tobytes()


@given(arrays(ANY_ORDER), st.booleans())
@BOUND
def test_npy(array: Any, fortran: bool) -> None:
    form, found = read(npy_bytes(np.asfortranarray(array) if fortran else array))
    assert (form, list(found)) == ("npy", ["array"])
    same(found["array"].reshape(array.shape), array)


@given(st.dictionaries(NAMES.filter(lambda name: name not in (".", "..")), arrays(ANY_ORDER), max_size=4), st.booleans())
@BOUND
def test_npz(given_arrays: dict[str, Any], compressed: bool) -> None:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **{f"a{name}": array for name, array in given_arrays.items()})
    form, found = read(file.getvalue())
    assert (form, list(found)) == ("npz", [f"a{name}" for name in given_arrays])
    for name, array in given_arrays.items():
        same(found[f"a{name}"], array)


@given(st.dictionaries(NAMES.filter(lambda name: name != "__metadata__"), arrays(NUMBERS), max_size=4))
@BOUND
def test_safetensors(given_arrays: dict[str, Any]) -> None:
    form, found = read(save(given_arrays, metadata={"format": "np"}))
    assert (form, set(found)) == ("safetensors", set(given_arrays))
    for name, array in given_arrays.items():
        same(found[name], array)


def test_bfloat16_is_float32() -> None:
    numbers = np.array([1.5, -0.0, np.inf, 2.0**-130], np.float32)
    data = safetensors_with({"w": tensor(0, 8, [2, 2], "BF16")}, (numbers.view(np.uint32) >> 16).astype("<u2").tobytes())
    found = read(data)[1]["w"]
    same(found, numbers.reshape(2, 2))


def test_what_is_not_finite_is_data() -> None:
    numbers = np.array([np.nan, np.inf, -np.inf, -0.0])
    for data in (npy_bytes(numbers), npz_bytes(a=numbers), save({"a": numbers})):
        (found,) = read(data)[1].values()
        same(found, numbers)


def test_what_is_said_of_arrays() -> None:
    _, found = read(npz_bytes(w=np.zeros((2, 3), np.float32), n=np.array(True)))
    assert describe(found) == [
        {"name": "w", "dtype": "float32", "shape": [2, 3], "bytes": 24}, {"name": "n", "dtype": "bool", "shape": [], "bytes": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("file", [pytest.param(file, id=file.name.replace(" ", "-")) for file in HOSTILE_FILES])
def test_what_lies_is_refused_and_takes_no_memory(file: HostileFile) -> None:
    wanted = {"limit": LimitError, "media-type": UnknownFormatError, "malformed": UploadError}[file.kind]
    tracemalloc.start()
    try:
        with pytest.raises(wanted) as error:
            read(file.data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.words in str(error.value)
    assert "wherefore" not in str(error.value)
    assert peak < 2**23 + 2 * len(file.data)


def test_the_formats_are_each_attacked() -> None:
    for form in READERS:
        assert sum(file.name.startswith(f"{form}:") for file in HOSTILE_FILES) >= 20
    assert len({file.name for file in HOSTILE_FILES}) == len(HOSTILE_FILES)


@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_a_file_with_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    """And never anything else: what is read is then as large as its description."""
    whole = data.draw(st.sampled_from([npy_bytes(np.eye(2)), npz_bytes(a=[1.0], b=[[2]]), save({"a": np.eye(2), "b": np.array([True])})]))
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, found = read(bytes(content))
    except (UploadError, LimitError):
        return
    for about, array in zip(describe(found), found.values(), strict=True):
        assert about["bytes"] == array.nbytes <= len(whole)


def test_a_budget_is_of_the_whole_file() -> None:
    data = npz_bytes(a=np.zeros(3), b=np.zeros(3))
    assert len(read(data, Budget(6, 2))[1]) == 2
    for budget in (Budget(5, 2), Budget(6, 1)):
        with pytest.raises(LimitError):
            read(data, budget)
    assert Budget().most == limits.UPLOAD_ELEMENTS
