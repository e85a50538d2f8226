"""Files of rows and columns that are good, odd and hostile: read as they are meant, or refused in words."""

from __future__ import annotations

import time

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server import limits
from server.datasets.describing import describe
from server.datasets.reading import DatasetError, number_of, read
from server.jobs.dataset_work import describe_dataset
from server.programs.errors import LimitError
from server.tasks.own_data import own_task
from tests.server.helpers import API, Start

GOOD = "text,label\nMüller,a\nÉcole,b\n"
CHINESE = "句子,标签\n今天天气很好,好\n这本书没有意思,坏\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_western_text_in_every_encoding(encoding: str) -> None:
    table = read(GOOD.encode(encoding))
    assert table.rows == [["Müller", "a"], ["École", "b"]]
    assert table.header == ("text", "label")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_chinese_text_in_every_encoding(encoding: str) -> None:
    table = read(CHINESE.encode(encoding))
    assert table.header == ("句子", "标签")
    assert table.rows[1] == ["这本书没有意思", "坏"]


def test_the_encoding_is_said() -> None:
    encodings = {
        "utf-8": GOOD.encode(), "utf-16-le": GOOD.encode("utf-16-le"), "latin-1": GOOD.encode("latin-1"), "gb18030": CHINESE.encode("gbk"),
        "windows-1252": "a,b\n€ 1,x\n".encode("cp1252"),
    }  # fmt: skip
    assert {name: read(data).encoding for name, data in encodings.items()} == {name: name for name in encodings}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"), (b" \r\n \n", "the file is empty"), (b"\xef\xbb\xbf", "the file is empty"),
        (b"a,b\n", "no rows of data"), (b"a,b\n1,\x002\n", "NUL bytes"), (b"a,b\n" + b"x" * 2000 + b"\0,1\n", "NUL bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "NUL bytes"), (b"PK\x03\x04\x14\0\0\0\x08\0", "NUL bytes"),
        ("a,b\n1,2\n".encode("utf-32"), "UTF-32"), (b"\xff\xfea\0,", "is not; save it in UTF-8"),
        (b"a,b\nx\x81\x20,1\n", "neither UTF-8, GB18030 nor Latin-1"),
        (b",".join(b"c%d" % i for i in range(10_000)) + b"\n1\n", "10,000 columns, at most 100"),
        (b"x" * (limits.DATASET_BYTES + 1), "at most 10,485,760"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read(data)


def test_quotes_commas_and_line_breaks_belong_to_a_cell() -> None:
    table = read(b'text,label\r\n"a, ""quoted"" word",x\r\n"two\nlines",y\r\nplain,z\r\n')
    assert table.rows == [['a, "quoted" word', "x"], ["two\nlines", "y"], ["plain", "z"]]
    assert table.numbers == [2, 3, 5]  # of the file
    assert table.problems == []


@pytest.mark.parametrize(("text", "row", "words"), [
    ('a,b\n1,2\n"x"y,3\n4,5\n', 3, "something follows a closing quote"),
    ('a,b\n1,2\n"never closed,3\n4,5\n', 3, "is never closed"),
    ("a,b\n1,2\n3\n4,5\n", 3, "1 cells, expected 2"),
    ("a,b\n1,2\n3,4,5\n4,5\n", 3, "3 cells, expected 2"),
    (f"a,b\n1,2\n{'x' * 20_000},3\n4,5\n", 3, "more than 10,000 characters"),
    (f"a,b\n1,2\n{'x' * 200_000},3\n4,5\n", 3, "too long"),
])  # fmt: skip
def test_a_row_that_is_wrong_is_named_and_the_others_are_read(text: str, row: int, words: str) -> None:
    table = read(text.encode())
    assert table.rows[0] == ["1", "2"]
    assert words in table.problems[0].message
    assert table.problems[0].row == row


def test_blank_lines_and_old_line_ends_are_no_rows() -> None:
    assert read(b"a,b\r1,2\r\r3,4\r").rows == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "=HYPERLINK(1)", "<script>alert(1)</script>", "'; DROP TABLE runs"])
def test_a_formula_is_text(client: httpx.Client, cell: str) -> None:
    made = client.post(f"{API}/datasets", content=f"text,label\n{cell},x\nb,y\n".encode(), headers={"Content-Type": "text/csv"})
    assert made.json()["preview"][0] == [cell, "x"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    table = read(f"a{delimiter}b\n1{delimiter}2\n".encode())
    assert (table.delimiter, table.rows) == (delimiter, [["1", "2"]])


def test_decimal_commas_are_numbers_where_they_are_meant() -> None:
    about = describe(b"day;value\n1;3,5\n2;4,25\n3;\n")
    assert [(column["kind"], column["missing"]) for column in about["columns"]] == [("number", 0), ("number", 1)]
    assert (number_of("3,5", comma=True), number_of("3,5"), number_of("1.234,5", comma=True)) == (3.5, None, None)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "1e999", "0x10", "1_000", "١٢", "1 2", "", "--1", "1e99999"])
def test_what_only_python_takes_for_a_number_is_none(cell: str) -> None:
    assert number_of(cell) is None or cell == "١٢"


def test_a_first_row_of_numbers_names_no_columns() -> None:
    table = read(b"1.5\n2.5\n")
    assert (table.named, table.header, table.rows) == (False, ("column 1",), [["1.5"], ["2.5"]])
    assert read(b"x,x,\n1,2,3\n").header == ("x", "x (2)", "column 3")


def test_ten_megabytes_are_read_in_time() -> None:
    line = "some words of an ordinary sentence,label\n"
    data = ("text,label\n" + line * ((limits.DATASET_BYTES - 20) // len(line))).encode()
    before = time.process_time()
    about = describe(data)
    assert about["rows"] == limits.DATASET_ROWS
    assert "only the first 20,000 rows" in about["problems"][-1]["message"]
    assert time.process_time() - before < 60  # it ends


@pytest.mark.parametrize(("line", "message"), [("x\n", "1 cells, expected 2"), ('"x"y,1\n', "something follows a closing quote")])
def test_a_file_of_nothing_but_wrong_rows_is_given_up(line: str, message: str) -> None:
    text = "a,b\n1,2\n" + line * (2 * limits.DATASET_ROWS)
    with pytest.raises(DatasetError, match=f"20,000 rows of the file cannot be taken.*the first is row 3: .*{message}"):
        read(text.encode())


def test_rows_beyond_those_that_are_taken_are_not_read() -> None:
    text = "a,b\n" + "1,2\n" * limits.DATASET_ROWS + "3\n" * (2 * limits.DATASET_ROWS) + "5,6\n" * (2 * limits.DATASET_ROWS)
    with pytest.raises(DatasetError, match="the first is row 20002"):
        read(text.encode())
    table = read(("a,b\n" + "1,2\n" * (limits.DATASET_ROWS + 1) + "3\n" * (2 * limits.DATASET_ROWS)).encode())
    assert len(table.rows) == limits.DATASET_ROWS
    assert [problem.row for problem in table.problems] == [limits.DATASET_ROWS + 2]


def wide_numbers() -> str:
    """Many columns of numbers of which hardly two are alike: what takes longest to be read."""
    numbers = np.random.default_rng(0).random((17_000, 100)) * 1000
    return ",".join(f"c{place}" for place in range(100)) + "\n" + "\n".join(",".join(map("{:.3f}".format, row)) for row in numbers.tolist())


def test_ten_megabytes_over_http_and_one_byte_more(start: Start) -> None:
    """With the settings that a server has by itself."""
    texts = "text,label\n" + "".join(f"row {i} with some words of its own,{i % 7}\n" for i in range(270_000))
    headers = {"Content-Type": "text/csv"}
    with start() as client:
        assert client.get(f"{API}/limits").json()["compute_seconds"] == limits.COMPUTE_SECONDS
        for text in (texts, wide_numbers()):
            data = text.encode()[: limits.DATASET_BYTES]
            assert len(data) == limits.DATASET_BYTES
            made = client.post(f"{API}/datasets", content=data, headers=headers)
            assert made.status_code == 201, made.text
            choice = {**made.json()["suggestion"], "id": made.json()["id"]}
            chosen = client.post(f"{API}/datasets/{choice['id']}/task", json={"dataset": choice})
            assert chosen.status_code == 200, chosen.text
        refused = client.post(f"{API}/datasets", content=b"x" * (limits.DATASET_BYTES + 1), headers=headers)
        assert refused.status_code == 413
        assert "10,485,760" in refused.text


def test_a_file_that_takes_too_long_is_told_to_be_shorter() -> None:
    words = "^this file takes more than 0.02 s of processor time to read; send a part of it, with fewer rows or columns$"
    with pytest.raises(LimitError, match=words):
        describe_dataset(wide_numbers().encode()[: limits.DATASET_BYTES], 0.02)


def test_a_body_of_another_type_is_refused(client: httpx.Client) -> None:
    refused = client.post(f"{API}/datasets", content=b"a,b\n1,2\n", headers={"Content-Type": "text/plain"})
    assert refused.status_code == 415
    assert client.post(f"{API}/datasets", content=b"\0\1\2", headers={"Content-Type": "text/csv; charset=gbk"}).status_code == 422


def test_thousands_of_classes_are_refused_and_said() -> None:
    text = "t,l\n" + "".join(f"word{i},{i}\n" for i in range(5000))
    with pytest.raises(DatasetError, match="5,000 different labels, expected 2 to 256"):
        own_task({"id": "d_4", "kind": "text", "text": "t", "label": "l"}, text.encode())


def test_a_label_column_with_holes_leaves_those_rows_out() -> None:
    text = "t,l\n" + "".join(f"w{i},{'' if i % 4 == 0 else 'n/a' if i % 4 == 1 else i % 2}\n" for i in range(80))
    task = own_task({"id": "d_5", "kind": "text", "text": "t", "label": "l"}, text.encode())
    assert sum(task.size(part) for part in ("train", "validation", "test")) == 40
    assert len(task.problems) == 40
    assert task.problems[0].row == 2


@pytest.mark.parametrize(("text", "words"), [
    ("v\n" + "5\n" * 300, "hardly changes"), ("v\n" + "1\n2\n" * 20, "choose a smaller window"),
    ("v\n" + "word\n" * 200, "choose a smaller window"), ("v,w\n" + "1,a\n\n2,b\n" * 100, "no column"),
])  # fmt: skip
def test_a_series_that_cannot_be_learnt_is_refused(text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        own_task({"id": "d_6", "kind": "series", "column": "v" if "w\n" not in text[:5] else "x", "window": 20}, text.encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    try:
        about = describe(data)
    except DatasetError:
        return
    assert about["rows"] > 0
    assert all(len(row) == len(about["columns"]) for row in about["preview"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=2, max_size=3)))
def test_whatever_text_comes_is_read_or_refused(rows: list[list[str]]) -> None:
    import csv
    import io

    file = io.StringIO()
    csv.writer(file).writerows([["first", "second"], *rows])
    try:
        table = read(file.getvalue().encode())
    except DatasetError:
        return
    assert all(len(cells) == len(table.header) for cells in table.rows)
