"""Files of arrays as nobody means well with them, each with what must be said of it."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from server.uploads import npy


class HostileFile(NamedTuple):
    """status, kind: of the answer; words: of its detail."""

    name: str
    data: bytes
    words: str
    status: int = 400
    kind: str = "malformed"


def npy_bytes(array: npt.ArrayLike, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asanyarray(array), allow_pickle=pickled)
    return file.getvalue()


def npy_with(header: str | bytes, numbers: bytes = b"", version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    """An .npy file with this header, whatever it says."""
    text = header.encode("latin-1") if isinstance(header, str) else header
    size = len(text) if length is None else length
    return npy.MAGIC + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", size) + text + numbers


def header(descr: str = "'<f8'", shape: str = "(2,)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def npz_bytes(**arrays: npt.ArrayLike) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.asanyarray(array) for name, array in arrays.items()})
    return file.getvalue()


def zipped(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.comment = comment
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def changed(data: bytes, *patches: tuple[bytes, int, bytes]) -> bytes:
    """The file with other bytes: each patch so far from where a signature is found first."""
    content = bytearray(data)
    for signature, offset, value in patches:
        place = content.index(signature) + offset
        content[place : place + len(value)] = value
    return bytes(content)


def safetensors_with(header: Any, numbers: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def tensor(start: int, end: int, shape: list[Any] | None = None, dtype: Any = "F64", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [(end - start) // 8] if shape is None else shape, "data_offsets": [start, end], **more}


def _overlapping() -> bytes:
    """Two entries of the directory that lead to one member: each byte is unpacked twice."""
    data = zipped(("a.npy", npy_bytes(np.zeros(2))), ("b.npy", npy_bytes(np.zeros(2))))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    content = bytearray(data)
    content[second + 42 : second + 46] = struct.pack("<L", 0)
    return bytes(content)


def _encrypted() -> bytes:
    data = bytearray(zipped(("a.npy", npy_bytes([1.0]))))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


ONE = npy_bytes([1.0, 2.0])
BOMB = b"\x00" * (64 * 2**20)
LYING = npy_with(header(shape="(67108864,)"))
DIRECTORY, END = b"PK\x01\x02", b"PK\x05\x06"

HOSTILE_FILES = [
    # no file of arrays
    HostileFile("nothing", b"", "expected an .npy", 415, "media-type"),
    HostileFile("text", b"wherefore", "expected an .npy", 415, "media-type"),
    HostileFile("a pickle", pickle.dumps({"wherefore": 1}), "Pickles", 415, "media-type"),
    HostileFile("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "expected an .npy", 415, "media-type"),
    # .npy
    HostileFile("npy: the magic alone", npy.MAGIC, "cannot be read"),
    HostileFile("npy: no header", npy.MAGIC + b"\x01\x00", "no plain numbers"),
    HostileFile("npy: version 9", npy_with(header(), ONE, (9, 9)), "version 9.9"),
    HostileFile("npy: version 3", npy_with(header(), ONE, (3, 0)), "version 3.0"),
    HostileFile("npy: pickled objects", npy_bytes(np.array([{"wherefore": 1}], dtype=object), pickled=True), "pickles"),
    HostileFile("npy: objects by name", npy_with(header("'|O'"), pickle.dumps([1])), "pickles"),
    HostileFile("npy: records", npy_bytes(np.zeros(2, dtype=[("wherefore", "<f8")])), "records"),
    HostileFile("npy: subarrays", npy_with(header("'(1000000,1000000)f8'")), "no plain numbers"),
    HostileFile("npy: a dtype of commas", npy_with(header("'f8,f8'")), "records"),
    HostileFile("npy: text", npy_bytes(np.array(["wherefore"])), "text"),
    HostileFile("npy: complex", npy_bytes(np.array([1j])), "complex"),
    HostileFile("npy: dates", npy_bytes(np.array(["2020-01-01"], dtype="M8[D]")), "no plain numbers"),
    HostileFile("npy: long doubles", npy_bytes(np.zeros(1, np.longdouble)), "no plain numbers"),
    HostileFile("npy: floats of a byte", npy_with(header("'<f1'"), b"12"), "no plain numbers"),
    HostileFile(
        "npy: two dtypes", npy_with("{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n"), "no plain numbers"
    ),
    HostileFile(
        "npy: two dtypes, one apart",
        npy_with(b"{'descr': '<f8', 'desc' 'r': '|O', 'fortran_order': False, 'shape': (2,)}\n"),
        "more than one",
    ),
    HostileFile("npy: a million by a million", npy_with(header(shape="(1000000, 1000000)"), bytes(16)), "4,000,000", 422, "limit"),
    HostileFile("npy: 10^30", npy_with(header(shape=f"({10**30},)"), bytes(16)), "2,147,483,647"),
    HostileFile("npy: 5,000 digits", npy_with(header(shape=f"({'9' * 3900},)"), bytes(16)), "2,147,483,647"),
    HostileFile("npy: a header that is longer than read", npy_with(header(shape=f"({'9' * 5000},)")), "4,096"),
    HostileFile("npy: a negative shape", npy_with(header(shape="(-2,)"), bytes(16)), "cannot be read"),
    HostileFile("npy: a shape of texts", npy_with(header(shape="('wherefore',)"), bytes(16)), "cannot be read"),
    HostileFile("npy: a shape of fractions", npy_with(header(shape="(2.0,)"), bytes(16)), "cannot be read"),
    HostileFile("npy: a huge shape of nothing", npy_with(header(shape=f"({2**31}, 0)")), "2,147,483,647"),
    HostileFile("npy: 65 dimensions", npy_with(header(shape="(" + "1, " * 65 + ")"), bytes(8)), "65 dimensions", 422, "limit"),
    HostileFile("npy: nine dimensions", npy_bytes(np.zeros((1,) * 9)), "9 dimensions", 422, "limit"),
    HostileFile("npy: fewer numbers than said", npy_with(header(shape="(3,)"), bytes(16)), "says 24"),
    HostileFile("npy: more numbers than said", npy_with(header(shape="(1,)"), bytes(16)), "says 8"),
    HostileFile("npy: something after", ONE + b"wherefore", "says 16"),
    HostileFile("npy: cut off", ONE[:-1], "says 16"),
    HostileFile("npy: 4 GiB of header", npy_with(header(), version=(2, 0), length=2**32 - 1), "cannot be read"),
    HostileFile("npy: a call", npy_with(header(shape="(__import__('os').getpid(),)")), "cannot be read"),
    HostileFile("npy: a comprehension", npy_with(header(shape="[0 for wherefore in ()]")), "cannot be read"),
    HostileFile("npy: 4,000 parentheses", npy_with(header(shape="(" * 1900 + ")" * 1900)), "cannot be read"),
    HostileFile("npy: 3,900 minuses", npy_with(header(shape="(" + "-" * 3900 + "1,)")), "cannot be read"),
    HostileFile("npy: Python 2's numbers", npy_with(header(shape="(2L,)"), bytes(16)), "cannot be read"),
    HostileFile("npy: NUL in the header", npy_with(header(shape="(2,\0)"), bytes(16)), "cannot be read"),
    HostileFile("npy: an order that is none", npy_with(header(order="7"), bytes(16)), "cannot be read"),
    HostileFile(
        "npy: another member",
        npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'wherefore': 1}\n", bytes(16)),
        "cannot be read",
    ),
    # .npz
    HostileFile("npz: cut off", npz_bytes(a=[1.0])[:-5], "cut off"),
    HostileFile("npz: the first bytes alone", b"PK\x03\x04", "cut off"),
    HostileFile("npz: something after", npz_bytes(a=[1.0]) + b"wherefore", "cut off"),
    HostileFile("npz: something before", b"PK\x03\x04" + npz_bytes(a=[1.0]), "not where"),
    HostileFile("npz: a comment", zipped(("a.npy", ONE), comment=b"wherefore"), "comment"),
    HostileFile(
        "npz: a bomb",
        zipped(("a.npy", npy_with(header("'|u1'", f"({len(BOMB)},)"), BOMB)), compression=zipfile.ZIP_DEFLATED),
        "41,943,040",
        422,
        "limit",
    ),
    HostileFile(
        "npz: a bomb that says it is small",
        changed(
            zipped(("a.npy", npy_with(header("'|u1'", f"({len(BOMB)},)"), BOMB)), compression=zipfile.ZIP_DEFLATED),
            (DIRECTORY, 24, struct.pack("<L", 100)),
        ),
        "damaged",
    ),
    HostileFile(
        "npz: a member said to be larger",
        changed(zipped(("a.npy", ONE)), (DIRECTORY, 24, struct.pack("<L", 10**6))),
        "the zip says 1,000,000",
    ),
    HostileFile(
        "npz: a member beyond the archive",
        changed(zipped(("a.npy", ONE)), (DIRECTORY, 20, struct.pack("<L", 10**6))),
        "larger than the archive",
    ),
    HostileFile(
        "npz: many small arrays that add up",
        zipped(*[(f"a{n}.npy", npy_bytes(np.zeros(450_000, np.int8))) for n in range(9)], compression=zipfile.ZIP_DEFLATED),
        "4,050,000",
        422,
        "limit",
    ),
    HostileFile("npz: members over each other", _overlapping(), "lies over"),
    HostileFile("npz: 1,001 members", zipped(*[(f"{n}.npy", b"") for n in range(1001)]), "1,000", 422, "limit"),
    HostileFile(
        "npz: a count that lies",
        changed(zipped(*[(f"{n}{'x' * 90}.npy", b"") for n in range(200)]), (END, 8, struct.pack("<HH", 1, 1))),
        "directory",
    ),
    HostileFile("npz: a directory elsewhere", changed(zipped(("a.npy", ONE)), (END, 16, struct.pack("<L", 3))), "directory"),
    HostileFile("npz: a number that is wrong", changed(zipped(("a.npy", ONE)), (ONE[-8:], 0, b"\x01")), "damaged"),
    HostileFile("npz: the local name differs", changed(zipped(("a.npy", ONE)), (b"a.npy", 0, b"b")), "damaged"),
    HostileFile("npz: encrypted", _encrypted(), "encrypted"),
    HostileFile("npz: bzip2", zipped(("a.npy", ONE), compression=zipfile.ZIP_BZIP2), "another way"),
    HostileFile("npz: LZMA", zipped(("a.npy", ONE), compression=zipfile.ZIP_LZMA), "another way"),
    HostileFile("npz: an archive within", zipped(("a.npy", npz_bytes(a=[1.0]))), "archives in archives"),
    HostileFile("npz: a pickle within", zipped(("archive/data.pkl", pickle.dumps(1))), "no array"),
    HostileFile("npz: pickled objects within", zipped(("a.npy", npy_bytes(np.array([{}], dtype=object), pickled=True))), "pickles"),
    HostileFile("npz: traversal", zipped(("../../wherefore.npy", ONE)), "no array"),
    HostileFile("npz: an absolute path", zipped(("/etc/wherefore.npy", ONE)), "no array"),
    HostileFile("npz: backslashes", zipped(("..\\a.npy", ONE)), "no array"),
    HostileFile("npz: a folder", zipped(("a.npy/", b"")), "no array"),
    HostileFile("npz: NUL in a name", changed(zipped(("axb.npy", ONE)), (b"axb", 1, b"\0"), (DIRECTORY, 47, b"\0")), "no array"),
    HostileFile("npz: a line feed in a name", zipped(("a\nb.npy", ONE)), "printable"),
    HostileFile("npz: a name of 201", zipped(("a" * 201 + ".npy", ONE)), "1 to 200"),
    HostileFile(
        "npz: a name twice",
        changed(zipped(("a.npy", ONE), ("b.npy", ONE)), (b"b.npy", 0, b"a"), (b"b.npy", 0, b"a")),
        "the name of member 1",
    ),
    HostileFile("npz: a lying header within", zipped(("a.npy", LYING)), "4,000,000", 422, "limit"),
    # safetensors
    HostileFile("safetensors: a header of 2^62", safetensors_with({}, length=2**62), "1,048,576", 422, "limit"),
    HostileFile("safetensors: a header beyond the file", safetensors_with({}, length=1000), "2 follow"),
    HostileFile("safetensors: a header of 2 MiB", safetensors_with(b"{" + b" " * 2**21 + b"}"), "1,048,576", 422, "limit"),
    HostileFile("safetensors: no JSON", safetensors_with(b"{wherefore}"), "not JSON"),
    HostileFile("safetensors: a name twice", safetensors_with(b'{"a": 1, "a": 2}'), "two members"),
    HostileFile("safetensors: NaN", safetensors_with(b'{"a": NaN}'), "not JSON"),
    HostileFile("safetensors: invalid UTF-8", safetensors_with(b'{"\xff": 1}'), "not JSON"),
    HostileFile("safetensors: deep", safetensors_with(b'{"a":' * 1000 + b"1" + b"}" * 1000), "at most 3"),
    HostileFile("safetensors: over each other", safetensors_with({"a": tensor(0, 16), "b": tensor(8, 24)}, bytes(24)), "lies over"),
    HostileFile("safetensors: one inside another", safetensors_with({"a": tensor(0, 24), "b": tensor(8, 16)}, bytes(24)), "lies over"),
    HostileFile("safetensors: one in place of another", safetensors_with({"a": tensor(0, 8), "b": tensor(0, 8)}, bytes(8)), "lies over"),
    HostileFile("safetensors: a gap", safetensors_with({"a": tensor(0, 8), "b": tensor(16, 24)}, bytes(24)), "does not begin"),
    HostileFile("safetensors: out of range", safetensors_with({"a": tensor(0, 800)}, bytes(8)), "end at byte 800 of 8"),
    HostileFile("safetensors: before the numbers", safetensors_with({"a": tensor(-8, 0, [1])}, bytes(8)), "whole numbers"),
    HostileFile("safetensors: backwards", safetensors_with({"a": tensor(8, 0, [1])}, bytes(8)), "span -8"),
    HostileFile("safetensors: something after", safetensors_with({"a": tensor(0, 8)}, bytes(9)), "end at byte 8 of 9"),
    HostileFile("safetensors: a span that lies", safetensors_with({"a": tensor(0, 8, [2])}, bytes(8)), "need 16"),
    HostileFile(
        "safetensors: a million by a million", safetensors_with({"a": tensor(0, 8, [10**6, 10**6])}, bytes(8)), "4,000,000", 422, "limit"
    ),
    HostileFile(
        "safetensors: 2^64 that wrap to 8",
        safetensors_with({"a": tensor(0, 8, [2**31 - 1, 2**31 - 1, 4])}, bytes(8)),
        "4,000,000",
        422,
        "limit",
    ),
    HostileFile("safetensors: a dimension of 2^63", safetensors_with({"a": tensor(0, 0, [2**63, 0])}), "2,147,483,647"),
    HostileFile("safetensors: nine dimensions", safetensors_with({"a": tensor(0, 8, [1] * 9)}, bytes(8)), "9 dimensions", 422, "limit"),
    HostileFile("safetensors: a negative shape", safetensors_with({"a": tensor(0, 8, [-1, -1])}, bytes(8)), "whole numbers"),
    HostileFile("safetensors: a shape of truth", safetensors_with({"a": tensor(0, 8, [True])}, bytes(8)), "whole numbers"),
    HostileFile(
        "safetensors: three offsets", safetensors_with({"a": {**tensor(0, 8), "data_offsets": [0, 4, 8]}}, bytes(8)), "whole numbers"
    ),
    HostileFile(
        "safetensors: a dtype that is none", safetensors_with({"a": tensor(0, 8, dtype="wherefore")}, bytes(8)), "dtype that is not read"
    ),
    HostileFile("safetensors: a dtype that is a list", safetensors_with({"a": tensor(0, 8, dtype=[])}, bytes(8)), "dtype that is not read"),
    HostileFile("safetensors: another member", safetensors_with({"a": tensor(0, 8, wherefore=1)}, bytes(8)), "nothing else"),
    HostileFile("safetensors: a tensor that is a number", safetensors_with({"a": 1}), "does not say"),
    HostileFile("safetensors: metadata of numbers", safetensors_with({"__metadata__": {"a": 1}}), "__metadata__"),
    HostileFile("safetensors: no name", safetensors_with({"": tensor(0, 8)}, bytes(8)), "printable"),
    HostileFile("safetensors: a control character", safetensors_with({"a\r\nSet-Cookie: wherefore": tensor(0, 8)}, bytes(8)), "printable"),
    HostileFile("safetensors: 1,001 tensors", safetensors_with({str(n): tensor(0, 0) for n in range(1001)}), "1,000", 422, "limit"),
]
