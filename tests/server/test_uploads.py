"""Uploads: sent, kept by their content, listed, read tensor by tensor, deleted."""

from __future__ import annotations

import base64
import io
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save
from sqlalchemy import Engine

from server.bodies import FILE_TYPES
from server.store.blobs import DamagedError
from server.store.tables import uploads
from server.store.uploads import Upload, UploadStore
from server.uploads import content_id
from server.visitors import COOKIE, Visitors
from tests.server.helpers import API, Start
from tests.server.test_store import damage
from tests.server.upload_files import npy_bytes, npz_bytes

BYTES = {"Content-Type": "application/octet-stream"}
SECRET = "a secret of these tests alone"


def send(client: httpx.Client, data: bytes, **headers: str) -> httpx.Response:
    return client.post(f"{API}/uploads", content=data, headers={**BYTES, **headers})


def uploaded(client: httpx.Client, data: bytes) -> dict[str, Any]:
    response = send(client, data)
    assert response.status_code in (200, 201), response.text
    document: dict[str, Any] = response.json()
    return document


def visitor(number: str) -> dict[str, str]:
    """The cookie of a visitor of a server with that secret."""
    return {"Cookie": f"{COOKIE}={Visitors(SECRET)._signer.sign(f'v_{number}').decode()}"}


def numbers(client: httpx.Client, upload: str, tensor: str) -> Any:
    """A tensor as each of its forms has it, which are one."""
    place = f"{API}/uploads/{upload}/tensors/{tensor}"
    shown, raw = client.get(place).json(), client.get(place, params={"format": "raw"})
    array = np.load(io.BytesIO(client.get(place, headers={"Accept": "application/x-npy"}).content), allow_pickle=False)
    assert base64.b64decode(shown["bdata"]) == raw.content == array.tobytes()
    assert shown["dtype"] == raw.headers["x-tensor-dtype"] == array.dtype.str[1:]
    assert shown["shape"] == list(array.shape) == [int(n) for n in raw.headers["x-tensor-shape"].split(",") if n]
    return array


def test_a_file_is_told_by_its_first_bytes_and_described(client: httpx.Client) -> None:
    arrays = {"rnn.weight": np.eye(2), "n/1": np.array([1, 2, 3], np.int16)}
    for form, data in (("npz", npz_bytes(**arrays)), ("safetensors", save(arrays)), ("npy", npy_bytes(np.eye(2)))):
        response = send(client, data)
        assert response.status_code == 201
        document = response.json()
        assert (document["id"], document["format"], document["bytes"]) == (content_id(data), form, len(data))
        assert response.headers["location"] == f"{API}/uploads/{document['id']}"
        assert client.get(response.headers["location"]).json() == document
        names = {tensor["name"]: tensor for tensor in document["tensors"]}
        if form == "npy":
            assert names == {"array": {"name": "array", "dtype": "float64", "shape": [2, 2], "bytes": 32}}
        else:
            assert names["n/1"] == {"name": "n/1", "dtype": "int16", "shape": [3], "bytes": 6}
            np.testing.assert_array_equal(numbers(client, document["id"], "n/1"), [1, 2, 3])


@pytest.mark.parametrize("media_type", FILE_TYPES)
def test_every_type_of_a_file_is_taken(client: httpx.Client, media_type: str) -> None:
    assert send(client, npy_bytes([1.0]), **{"Content-Type": media_type}).status_code in (200, 201)


def test_the_same_file_is_one_upload(client: httpx.Client) -> None:
    data = npy_bytes([1.25])
    first, second = send(client, data), send(client, data)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    key = {"Idempotency-Key": "an upload"}
    answers = [send(client, npy_bytes([2.5]), **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[0].json() == answers[1].json()
    assert send(client, npy_bytes([3.5]), **key).status_code == 422


FLOATS = (16, 32, 64)
DTYPES = st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes(sizes=FLOATS))
ARRAYS = st.dictionaries(
    st.text("abc.-_µ中 %?#", min_size=1, max_size=8).filter(lambda name: name.strip(". ")),
    hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
    min_size=1, max_size=2,
)  # fmt: skip


@given(ARRAYS, st.sampled_from(["npy", "npz", "safetensors"]))
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_what_was_written_comes_back(client: httpx.Client, arrays: dict[str, Any], form: str) -> None:
    if form == "npy":
        arrays = {"array": next(iter(arrays.values()))}
        data = npy_bytes(arrays["array"])
    elif form == "npz":
        data = npz_bytes(**arrays)
    else:
        data = save({name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()})
    document = uploaded(client, data)
    assert document["format"] == form
    assert {tensor["name"] for tensor in document["tensors"]} == set(arrays)
    for name, array in arrays.items():
        found = numbers(client, document["id"], quote(name, safe=""))
        assert (found.shape, found.dtype) == (array.shape, array.dtype.newbyteorder("="))
        assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_statistics_are_of_what_is_finite(client: httpx.Client) -> None:
    document = uploaded(client, npy_bytes([[3.0, np.nan], [-np.inf, -4.0]]))
    place = f"{API}/uploads/{document['id']}/tensors/array"
    assert client.get(place).json()["statistics"] == {"min": -4, "max": 3, "mean": -0.5, "norm": 5, "nonfinite": 2}
    nothing = uploaded(client, npy_bytes(np.zeros((0, 2))))
    found = client.get(f"{API}/uploads/{nothing['id']}/tensors/array").json()
    assert (found["bdata"], found["statistics"]["norm"], found["statistics"]["nonfinite"]) == ("", "NaN", 0)


def test_a_tensor_never_changes(client: httpx.Client) -> None:
    document = uploaded(client, npy_bytes([9.0]))
    place = f"{API}/uploads/{document['id']}/tensors/array"
    first = client.get(place)
    assert "immutable" in first.headers["cache-control"]
    assert client.get(place, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert client.delete(f"{API}/uploads/{document['id']}").status_code == 204
    assert client.get(place).status_code == 404  # nor does memory keep it
    assert client.get(f"{API}/uploads/{document['id']}").status_code == 404


def test_what_there_is_not(client: httpx.Client) -> None:
    document = uploaded(client, npy_bytes([1.0]))
    unknown = f"{API}/uploads/sha256:{'0' * 64}"
    for response in (client.get(unknown), client.delete(unknown), client.get(f"{unknown}/tensors/a"),
                     client.get(f"{API}/uploads/{document['id']}/tensors/b"), client.get(f"{API}/uploads/..")):  # fmt: skip
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


def test_uploads_are_each_visitors_own(start: Start) -> None:
    with start(secret=SECRET, visitor_uploads=3) as client:
        files = [npy_bytes([float(n)]) for n in range(5)]
        one, other = visitor("1"), visitor("2")
        for data in files:
            assert send(client, data, **one).status_code == 201
        assert send(client, files[4], **other).status_code == 201

        def listed(headers: dict[str, str], **query: Any) -> list[str]:
            return [item["id"] for item in client.get(f"{API}/uploads", params=query, headers=headers).json()["items"]]

        assert listed(one) == [content_id(data) for data in files[:1:-1]]  # the newest three
        assert listed(other) == [content_id(files[4])]
        assert listed(visitor("3")) == []
        page = client.get(f"{API}/uploads", params={"limit": 2}, headers=one)
        assert page.json()["next"] is not None
        rest = client.get(str(client.base_url.join(page.links["next"]["url"])), headers=one).json()
        assert ([item["id"] for item in rest["items"]], rest["next"]) == ([content_id(files[2])], None)
        assert "tensors" not in rest["items"][0]
        place = f"{API}/uploads/{content_id(files[4])}"
        assert client.get(f"{API}/uploads/{content_id(files[3])}", headers=other).status_code == 200  # whoever knows it may read it
        assert client.delete(f"{API}/uploads/{content_id(files[3])}", headers=other).status_code == 404
        assert client.delete(place, headers=one).status_code == 204
        assert client.get(place, headers=one).status_code == 200  # the other's
        assert client.delete(place, headers=other).status_code == 204
        assert client.get(place, headers=one).status_code == 404


def test_the_limit_of_a_file(start: Start) -> None:
    with start(upload_bytes=2000) as client:
        assert client.get(f"{API}/limits").json()["upload_bytes"] == 2000
        fits, large = npy_bytes(np.zeros(234)), npy_bytes(np.zeros(235))
        assert (len(fits), len(large)) == (2000, 2008)
        assert send(client, fits).status_code == 201
        refused = send(client, large)
        assert (refused.status_code, refused.json()["limit"], refused.json()["actual"]) == (413, 2000, 2008)
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
            head = ["POST /api/v1/uploads HTTP/1.1", "Host: localhost", "Content-Type: application/octet-stream",
                    "Transfer-Encoding: chunked", "Connection: close", "", ""]  # fmt: skip
            connection.sendall("\r\n".join(head).encode())
            connection.sendall(
                b"".join(b"3e8\r\n" + large[n : n + 1000].ljust(1000, b"\0") + b"\r\n" for n in (0, 1000, 2000)) + b"0\r\n\r\n"
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
        chunked = client.post(f"{API}/uploads", content=iter([fits[:7], fits[7:]]), headers=BYTES)
        assert chunked.status_code == 200


def test_a_whole_one_of_eight_mebibytes(client: httpx.Client) -> None:
    rng = np.random.default_rng(0)
    data = npy_bytes(rng.integers(0, 255, 4_000_000, np.int16))
    document = uploaded(client, data)
    place = f"{API}/uploads/{document['id']}/tensors/array"
    assert client.get(place, params={"format": "npy"}).content == data
    file = io.BytesIO()
    np.savez_compressed(file, a=np.zeros(2_500_000))
    wide = uploaded(client, file.getvalue())
    refused = client.get(f"{API}/uploads/{wide['id']}/tensors/a")
    assert (refused.status_code, refused.json()["limit"]) == (422, 16 * 2**20)


def test_other_bodies_are_refused_here_and_files_elsewhere(client: httpx.Client) -> None:
    data = npy_bytes([1.0])
    for place, headers in ((f"{API}/uploads", {"Content-Type": "application/json"}), (f"{API}/uploads", {"Content-Type": "text/plain"}),
                           (f"{API}/uploads", {**BYTES, "Content-Encoding": "gzip"}), (f"{API}/traces", BYTES)):  # fmt: skip
        response = client.post(place, content=data, headers=headers)
        assert (response.status_code, response.json()["type"]) == (415, "urn:retrograd:problem:media-type")


def test_behind_a_prefix(start: Start) -> None:
    with start(root_path="/retrograd") as client:
        response = send(client, npy_bytes([1.0]))  # the proxy has taken it off
        assert response.status_code == 201
        assert response.headers["location"] == f"/retrograd{API}/uploads/{response.json()['id']}"


def test_a_damaged_upload_is_told_and_mended(start: Start, tmp_path: Path) -> None:
    data = npy_bytes([1.0])
    with start(tmp_path) as client:
        place = f"{API}/uploads/{uploaded(client, data)['id']}/tensors/array"
        with closing(sqlite3.connect(tmp_path / "retrograd.sqlite3")) as database, database:
            database.execute("UPDATE uploads SET data = x'00'")
        assert client.get(place).json()["type"] == "urn:retrograd:problem:damaged"
        assert send(client, data).status_code == 200
        assert client.get(place).status_code == 200


# the store


def a_file(content: str, size: int = 10) -> Upload:
    data = np.random.default_rng(len(content)).bytes(size) + content.encode()
    return Upload(content, "npy", [], data)


def test_the_oldest_make_room_but_never_for_nothing(database: Engine) -> None:
    store = UploadStore(database, 3000, 10)
    for name in "abc":
        assert store.put("one" if name == "a" else "other", a_file(name, 1200))
    assert [store.get(name) is not None for name in "abc"] == [False, True, True]
    assert store.put("one", a_file("large", 9000))
    assert [store.get(name) is not None for name in ("b", "c", "large")] == [False, False, True]


def test_a_visitors_newest_stay(database: Engine) -> None:
    store = UploadStore(database, 2**20, 2)
    store.put("other", a_file("x"))
    for name in "abc":
        assert store.put("one", a_file(name))
        assert not store.put("one", a_file(name))
    assert [item["id"] for item in store.page("one", 9, None)[0]] == ["c", "b"]
    assert [item["id"] for item in store.page("other", 9, None)[0]] == ["x"]
    assert store.page("one", 1, None)[1] is not None
    assert not store.delete("x", "one")
    assert store.delete("x", "other")
    assert store.get("x") is None
    assert store.describe("x", "other") is None


def test_a_damaged_file(database: Engine) -> None:
    store, file = UploadStore(database, 2**20, 2), a_file("a")
    store.put("one", file)
    assert store.get("a") == file
    damage(database, uploads, "data")
    with pytest.raises(DamagedError, match="the upload a"):
        store.get("a")
    assert not store.put("one", file)
    assert store.get("a") == file
