"""A table of what nobody means well with, and the answer that each must get: a problem document of a kind, never a bug, never an echo."""

from __future__ import annotations

import gzip
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from server.problems import KINDS
from tests.server.helpers import API, Start, create_run, expression, wait_until
from tests.server.upload_files import HOSTILE_FILES, npy_bytes

JSON = {"Content-Type": "application/json"}
FILE = {"Content-Type": "application/octet-stream"}
UPLOADS = f"{API}/uploads"
MARK = "wherefore"  # in the inputs, and never in an answer


@dataclass(frozen=True)
class Row:
    """A request. kinds: of the problems that may answer, each with its status; empty: the answer is none, and its status is `status`."""

    name: str
    kinds: tuple[str, ...]
    status: int
    method: str = "POST"
    path: str = f"{API}/traces"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    words: str = ""  # of the detail


def body(name: str, content: bytes, status: int = 400, kind: str = "malformed", words: str = "") -> Row:
    return Row(name, (kind,), status, body=content, words=words)


def typed(name: str, headers: dict[str, str], content: bytes = b"{}") -> Row:
    return Row(name, ("media-type",), 415, body=content, headers=headers)


def formula(name: str, text: str, words: str = "", kind: str = "program", **inputs: Any) -> Row:
    program = expression(text, inputs or {"w": 1})
    return Row(name, (kind,), 422, body=json.dumps(program).encode(), words=words)


def network(name: str, kind: str = "invalid", **program: Any) -> Row:
    content = {"program": {"kind": "network", "task": "surnames", **program}}
    return Row(name, (kind,), 422, body=json.dumps(content).encode())


def get(name: str, path: str, kind: str = "not-found", status: int = 404, **headers: str) -> Row:
    return Row(name, (kind,), status, "GET", path, None, headers)


def other(name: str, kind: str, status: int, method: str, path: str, **headers: str) -> Row:
    content = b"{}" if method in ("POST", "PUT", "PATCH") else None
    return Row(name, (kind,), status, method, path, content, {**JSON, **headers})


ROWS = [
    # what is not JSON
    body("NaN", b'{"program": {"kind": "expression", "expression": "w*w", "inputs": {"w": NaN}}}', words="not JSON"),
    body("Infinity", b'{"program": Infinity}', words="not JSON"),
    body("-Infinity", b'{"program": [-Infinity]}', words="not JSON"),
    body("1e999", b'{"program": 1e999}', words="not JSON"),
    body("-1e999", b'{"program": -1e999}', words="not JSON"),
    body("lone high surrogate", b'{"program": "wherefore\\ud800"}'),
    body("lone low surrogate", b'{"program": "\\udc00"}'),
    body("lone surrogate as a name", b'{"\\ud800": 1}'),
    body("surrogate in UTF-8", b'{"program": "\xed\xa0\x80"}'),
    body("invalid UTF-8", b'{"program": "\xff\xfe"}'),
    body("overlong UTF-8", b'{"program": "\xc0\xaf"}'),
    body("UTF-16", json.dumps({"program": MARK}).encode("utf-16")),
    body("byte order mark", b"\xef\xbb\xbf{}"),
    body("truncated object", b'{"program": {"kind": "wherefore'),
    body("truncated after a name", b'{"program"'),
    body("truncated escape", b'{"program": "\\u12'),
    body("5,000 digits", b'{"program": {"kind": "network", "task": "surnames", "seed": ' + b"9" * 5000 + b"}}"),
    body("20,000 lists", b"[" * 20_000, kind="limit", words="64"),
    body("20,000 lists, closed", b"[" * 20_000 + b"]" * 20_000, kind="limit"),
    body("20,000 objects", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, kind="limit"),
    body("65 deep", b"[" * 65 + b"]" * 65, kind="limit"),
    body("a name twice", b'{"program": {"kind": "expression"}, "program": {"kind": "network"}}', words="two members"),
    body("a name twice, escaped", b'{"program": {"kind": 1, "k\\u0069nd": 2}}', words="two members"),
    body("__proto__ twice", b'{"__proto__": 1, "__proto__": 2}', words="two members"),
    body("NUL in a string", b'{"program": "\x00"}'),
    body("comment", b'{} // wherefore'),
    body("single quotes", b"{'program': 'wherefore'}"),
    body("nothing", b""),
    body("two texts", b"{}{}"),
    # what is JSON and no request
    body("a list", b"[]", 422, "invalid"),
    body("null", b"null", 422, "invalid"),
    body("a made-up member", json.dumps(expression("w*w", {"w": 1}, **{"<wherefore>": 1})).encode(), 422, "invalid"),
    body("a made-up kind", b'{"program": {"kind": "wherefore"}}', 422, "invalid"),
    body("__proto__ as a program", b'{"program": {"__proto__": {"kind": "expression"}}}', 422, "invalid"),
    body("30 digits", b'{"program": {"kind": "network", "task": "surnames", "seed": ' + b"9" * 30 + b"}}", 422, "invalid"),
    # what is too large, or of another type
    Row("declared too large", ("limit",), 413, body=b" " * (2**20 + 1), words="1,048,576"),
    Row("an upload too large", ("limit",), 413, body=b" " * (2**23 + 1), headers={"Content-Type": "application/octet-stream"}),
    typed("no type", {}),
    typed("plain text", {"Content-Type": "text/plain"}),
    typed("a form", {"Content-Type": "application/x-www-form-urlencoded"}, b"program=wherefore"),
    typed("a form with parts", {"Content-Type": "multipart/form-data; boundary=wherefore"}, b"--wherefore--"),
    typed("almost JSON", {"Content-Type": "application/jsonp"}),
    typed("JSON in UTF-16", {"Content-Type": "application/json; charset=utf-16"}, "{}".encode("utf-16")),
    typed("a zip bomb", {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b" " * 10**7)),
    typed("a pickle", {"Content-Type": "application/x-python-pickle"}, b"cos\nsystem\n(S'wherefore'\ntR."),
    # expressions that are programs
    formula("dunder name", "__builtins__"),
    formula("import", "__import__('os').system('wherefore')"),
    formula("attribute", "w.__class__.__mro__", words="attribute"),
    formula("call of a method", "w.tobytes()"),
    formula("call of a call", "tanh(w)(w)"),
    formula("lambda", "(lambda: w)()"),
    formula("f-string", "f'{w.__class__}'"),
    formula("list comprehension", "[w for w in w]"),
    formula("generator", "sum(x for x in w)"),
    formula("subscript", "w[0]"),
    formula("walrus", "(w := 1)"),
    formula("string", "'wherefore' * 9**9"),
    formula("star arguments", "concat(*w)", w=[1]),
    formula("keyword dictionary", "sum(w, **w)", w=[1]),
    formula("a hidden operation", "fused_gru(w)"),
    formula("eval", "eval('wherefore')"),
    formula("huge power of attributes", "sum(w, axis=9**9**9)", w=[1]),
    formula("unary minuses", "-" * 1_990 + "w"),
    formula("parentheses", "(" * 900 + "w" + ")" * 900),
    formula("501 terms", "concat(" + ",".join(["w"] * 501) + ")", words="500"),
    formula("2,001 characters", "w" + " " * 1_999 + "*w", kind="invalid"),
    formula("a number of 1,900 digits", "w*" + "9" * 1_900),
    # shapes
    formula("a million by a million", "broadcast_to(w, shape=(1000000, 1000000))", words="elements"),
    formula("a negative shape", "broadcast_to(w, shape=(-5, 3))"),
    formula("65 dimensions", "broadcast_to(w, shape=(" + "1, " * 65 + "))"),
    formula("32 dimensions", "sum(broadcast_to(w, shape=(" + "1, " * 32 + ")))", words="at most 8"),
    formula("nine dimensions of input", "sum(w)", kind="invalid", w=[[[[[[[[[1]]]]]]]]]),
    formula("uneven lists", "sum(w)", kind="invalid", w=[[1, 2], [3]]),
    formula("10,001 numbers", "sum(w)", kind="invalid", w=[0] * 10_001),
    formula("small operations that multiply", "+".join(f"sum(outer(w, w*{n}))" for n in range(60)), words="elements", w=[1] * 100),
    formula("nothing that becomes much", "sum(broadcast_to(w, shape=(99999999, 0)), axis=1)", words="elements"),
    formula("dunder input", "__proto__*2", kind="invalid", __proto__=1),
    formula("markup as an input", "w*2", kind="invalid", **{"<img src=x onerror=alert(1)>": 1, "w": 1}),
    formula("text as a number", "w*2", kind="invalid", w="1"),
    network("a hidden size beyond memory", hidden_size=10**9),
    network("a negative batch", batch_size=-1),
    network("a step beyond the end", step=10**12),
    network("an infinite rate", optimizer={"name": "sgd", "lr": "Infinity"}),
    network("a task that is a path", kind="program", task="../../etc/passwd"),
    network("a start that is a path", start={"upload": "../../etc/passwd"}),
    network("a start that there is not", "program", start={"upload": "sha256:" + "0" * 64}),
    network("parameters that are markup", "program", cell="rnn", hidden_size=1, start={"parameters": {"<img src=x>": [1]}}),
    network("parameters of another upload's tensor", start={"parameters": {"w": {"upload": "sha256:0", "tensor": "wherefore"}}}),
    network("parameters that are nested", start={"parameters": {"w": [[[[[[[[[1]]]]]]]]]}}),
    network("a trace beyond the limit", kind="limit", cell="lstm", hidden_size=256, batch_size=256),
    # queries and addresses
    get("a sweep of no text", f"{API}/runs?sweep=%00", "invalid", 422),  # which Postgres does not even take as a question
    Row("a run of no text", ("invalid",), 422, path=f"{API}/landscapes", body=b'{"runs": ["r_\\u0000"]}'),
    get("limit=NaN", f"{API}/traces?limit=NaN", "invalid", 422),
    get("limit=Infinity", f"{API}/runs?limit=Infinity", "invalid", 422),
    get("limit=1e999", f"{API}/traces?limit=1e999", "invalid", 422),
    get("limit of 5,000 digits", f"{API}/traces?limit=" + "9" * 5000, "invalid", 422),
    get("a surrogate in the query", f"{API}/traces?limit=%ED%A0%80wherefore", "invalid", 422),
    get("a NUL in the query", f"{API}/traces?after=%00", "invalid", 422),
    get("a part that there is not", f"{API}/tasks/surnames/examples?part=wherefore", "invalid", 422),
    get("an index that is none", f"{API}/traces/sha256:0/nodes/0?index=NaN"),
    get("a NUL in an id", f"{API}/traces/sha256:%00"),
    get("a NUL in a run", f"{API}/runs/r_%00"),
    get("a line feed in an id", f"{API}/traces/a%0d%0aSet-Cookie:%20wherefore=1"),
    get("a surrogate in an id", f"{API}/traces/%ED%A0%80"),
    get("invalid UTF-8 in an id", f"{API}/runs/%FF%FE"),
    get("traversal in an id", f"{API}/traces/..%2f..%2f..%2fetc%2fpasswd"),
    get("traversal of the page", "/..%2f..%2fpyproject.toml"),
    get("traversal with dots", "/assets/%2e%2e/%2e%2e/pyproject.toml"),
    get("traversal with backslashes", "/..%5c..%5cpyproject.toml"),
    get("SQL in an id", f"{API}/runs/r_'%20OR%201=1--"),
    get("an id of 20,000 characters", f"{API}/traces/" + "a" * 20_000),
    get("a node that is a path", f"{API}/traces/sha256:0/nodes/../../../etc/passwd"),
    other("a method that there is not", "method", 405, "PATCH", f"{API}/runs"),
    other("a forged host", "host", 421, "DELETE", f"{API}/runs/r_0", Host="evil.example"),
    other("a rebound name", "host", 421, "POST", f"{API}/runs", Host="127.0.0.1.evil.example"),
    other("a forged origin", "origin", 403, "DELETE", f"{API}/traces/sha256:0", Origin="https://evil.example"),
    other("no origin", "origin", 403, "POST", f"{API}/traces", Origin="null"),
    other("an origin with our name in it", "origin", 403, "POST", f"{API}/runs", Origin="http://localhost.evil.example"),
    other("steps of nothing", "invalid", 422, "POST", f"{API}/runs/r_0/steps"),
    # files of arrays
    *[Row(f"file: {file.name}", (file.kind,), file.status, "POST", UPLOADS, file.data, FILE, file.words) for file in HOSTILE_FILES],
    Row("a file too large", ("limit",), 413, "POST", UPLOADS, bytes(2**23 + 1), FILE, "8,388,608"),
    Row("a file as JSON", ("media-type",), 415, "POST", UPLOADS, b"{}"),
    Row("a file as text", ("media-type",), 415, "POST", UPLOADS, b"wherefore", {"Content-Type": "text/plain"}),
    Row("a file in a form", ("media-type",), 415, "POST", UPLOADS, b"--wherefore--", {"Content-Type": "multipart/form-data; boundary=w"}),
    Row("a file of no type", ("media-type",), 415, "POST", UPLOADS, npy_bytes([1.0]), {}),
    Row("a file in gzip", ("media-type",), 415, "POST", UPLOADS, gzip.compress(bytes(10**7)), {**FILE, "Content-Encoding": "gzip"}),
    Row("a file from another site", ("origin",), 403, "POST", UPLOADS, npy_bytes([1.0]), {**FILE, "Origin": "https://evil.example"}),
    Row("a file to a route of JSON", ("media-type",), 415, "POST", f"{API}/traces", npy_bytes([1.0]), FILE),
    get("an upload that is a path", f"{UPLOADS}/..%2f..%2fetc%2fpasswd"),
    get("a NUL in an upload", f"{UPLOADS}/sha256:%00"),
    get("a tensor that is a path", f"{UPLOADS}/sha256:{'0' * 64}/tensors/..%2f..%2fetc%2fpasswd"),
    get("a tensor of 20,000 characters", f"{UPLOADS}/sha256:{'0' * 64}/tensors/" + "a" * 20_000),
    get("an upload by SQL", f"{UPLOADS}/sha256:'%20OR%201=1--"),
    get("uploads before NaN", f"{UPLOADS}?after=NaN", "invalid", 422),
    other("another's upload", "not-found", 404, "DELETE", f"{UPLOADS}/sha256:{'0' * 64}"),
]  # fmt: skip


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name.replace(" ", "-")) for row in ROWS])
def test_each_gets_its_answer(client: httpx.Client, row: Row) -> None:
    response = client.request(row.method, row.path, content=row.body, headers=row.headers)
    assert response.status_code == row.status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    kind = problem["type"].removeprefix("urn:retrograd:problem:")
    assert kind in row.kinds
    assert problem["title"] == KINDS[kind]
    assert row.words in problem["detail"]
    assert MARK not in response.text.replace(problem["instance"], "")
    for part in ("Traceback", "site-packages", 'File "', "<img", "evil.example", "passwd'"):
        assert part not in response.text
    assert "set-cookie" not in response.headers
    assert len(response.content) < 4000


def test_the_table_is_as_long_as_was_promised() -> None:
    assert len(ROWS) >= 40
    assert len({row.name for row in ROWS}) == len(ROWS)


def raw(client: httpx.Client, *parts: bytes, pause: float = 0) -> bytes:
    """What the server says to these bytes."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def head(*lines: str, method: str = "POST", path: str = f"{API}/traces") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Connection: close", *lines, "", ""]).encode("latin-1")


LOCAL = "Host: localhost"
TYPED = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("parts", "statuses"),
    [
        ((head(LOCAL, TYPED, "Transfer-Encoding: chunked"), *[b"10000\r\n" + b" " * 65536 + b"\r\n"] * 17, b"0\r\n\r\n"), (413,)),
        ((head(LOCAL, TYPED, "Content-Length: 99999999999", "Expect: 100-continue"),), (413,)),
        ((head(LOCAL, TYPED, "Content-Length: -1"),), (400,)),
        ((head(LOCAL, TYPED, "Content-Length: " + "9" * 5000),), (400, 413)),
        ((head(LOCAL, TYPED, "Content-Length: 2", "Content-Length: 3"), b"{}"), (400,)),
        ((head(LOCAL, TYPED, "Transfer-Encoding: chunked"), b"zz\r\n"), (400,)),
        ((head(LOCAL, TYPED, "Content-Length: 2", "Content-Type: text/plain"), b"{}"), (415,)),
        ((head(TYPED, "Content-Length: 2"), b"{}"), (400,)),
        ((head(LOCAL, "Host: evil.example", TYPED, "Content-Length: 2"), b"{}"), (400, 421)),
        ((head(LOCAL, "Origin: http://localhost", "Origin: http://evil.example", TYPED, "Content-Length: 2"), b"{}"), (403,)),
        ((head(LOCAL, "Range: bytes=" + ",".join(f"{n}-{n}" for n in range(5000)), method="GET", path=f"{API}/opening"),), (200,)),
        ((head(LOCAL, "X: " + "x" * 400_000, method="GET"),), (400, 431)),
        ((head(LOCAL, method="GET", path="/" + "x" * 400_000),), (400, 414, 431)),
        ((head(LOCAL, "Accept-Encoding: " + ",".join(["gzip;q=0"] * 2000), method="GET", path=f"{API}/tasks"),), (200,)),
        ((head(LOCAL, "If-None-Match: " + '"x",' * 5000, method="GET", path=f"{API}/opening"),), (200,)),
        ((head(LOCAL, "Cookie: " + "a=b; " * 4000, method="GET", path=f"{API}/health"),), (200,)),
        ((b"GET / HTTP/9.9\r\n\r\n",), (400, 421, 505)),
        ((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",), (400,)),
        ((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), (400, 421, 505)),
    ],
    ids=["chunked too large", "declared too large, expecting", "negative length", "length of 5,000 digits", "two lengths",
         "a chunk that is none", "two types", "no host", "two hosts", "two origins", "5,000 ranges", "a header of 400,000",
         "an address of 400,000", "2,000 encodings", "5,000 tags", "4,000 cookies", "another version", "TLS to a plain port",
         "HTTP/2"],
)  # fmt: skip
def test_bytes_that_no_client_sends(client: httpx.Client, parts: tuple[bytes, ...], statuses: tuple[int, ...]) -> None:
    answer = raw(client, *parts)
    assert answer.startswith(b"HTTP/1.1 ")
    assert int(answer.split()[1]) in statuses
    assert b"Traceback" not in answer
    assert client.get(f"{API}/health").status_code == 200


def test_a_request_in_another_is_not_one(client: httpx.Client) -> None:
    """Smuggling: the lengths disagree, and one of them hides a second request."""
    inner = b"DELETE /api/v1/runs/r_0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = raw(client, head(LOCAL, TYPED, f"Content-Length: {len(inner) + 5}", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + inner)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert int(answer.split()[1]) in (400, 415)


def test_slow_writers_and_readers_keep_nobody_waiting(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port)
    slow = [socket.create_connection(address) for _ in range(60)]
    for number, connection in enumerate(slow):
        if number % 2:
            connection.sendall(head(LOCAL, TYPED, "Content-Length: 1000") + b"{")  # the rest never comes
        else:
            connection.sendall(head(LOCAL, method="GET", path=f"{API}/opening"))  # the answer is never read
    started = time.monotonic()
    assert client.post(f"{API}/traces", json=expression("w*w", {"w": 1})).status_code in (200, 201)
    assert time.monotonic() - started < 10
    for connection in slow:
        connection.close()


def test_a_body_that_never_comes_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.limits.BODY_SECONDS", 0.3)
    with start() as client:
        answer = raw(client, head(LOCAL, TYPED, "Content-Length: 1000") + b"{")
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_hostile_ids_on_either_database(start: Start, database_url: str) -> None:
    with start(database_url=database_url) as client:
        for thing in (
            "uploads/{}",
            "uploads/{}/tensors/a",
            "runs/{}",
            "traces/{}",
            "traces/{}/nodes/0",
            "runs/{}/figures/loss",
            "runs/{}/steps/1/trace",
        ):
            for name in ("%00", "a%00b", "%ED%A0%80", "%FF", "'", '"', "%5c", "%25", "_", "a" * 5000, "%F0%9F%98%80", "__proto__", "..%2f"):
                response = client.get(f"{API}/{thing.format(name)}")
                assert response.status_code == 404, (thing, name)
        for after in ("9" * 15, str(2**53), str(2**31)):
            assert client.get(f"{API}/runs?after={after}").status_code == 200
        run = create_run(client)
        assert client.get(f"{API}/runs/{run}").status_code == 200


def test_many_at_once_are_all_answered(start: Start) -> None:
    """A job flood: each gets a trace, or is told that there is no room, and then there is room again."""
    program = json.dumps({"program": {"kind": "network", "task": "sunspots", "hidden_size": 8, "example": 0}}).encode()
    with start(workers=1, queue=4) as client:
        connections = []
        for _ in range(40):
            connection = socket.create_connection((client.base_url.host, client.base_url.port), timeout=60)
            connection.sendall(head(LOCAL, TYPED, f"Content-Length: {len(program)}") + program)
            connections.append(connection)
        statuses = [int(connection.recv(20).split()[1]) for connection in connections]
        assert set(statuses) <= {200, 201, 503}
        assert any(status in (200, 201) for status in statuses)
        for connection in connections:
            connection.close()
        assert wait_until(lambda: client.get("/readyz").status_code == 200)
