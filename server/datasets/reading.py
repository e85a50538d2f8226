"""A file of text with rows and columns, read without trust: its encoding, its delimiter, its rows, and what is wrong with which of them.

A cell is text and nothing else: one that begins with =, +, - or @ is never a formula. Nothing is guessed where a guess can be wrong in
silence: what was found is said with the answer, and the page shows the first rows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from server import limits

_MARKS = (  # of the order of bytes; the longer first, since one begins with the other
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_DELIMITERS = ",;\t|"
_LOOKED_AT = 50  # rows by which the delimiter is told
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")  # two bytes of a Chinese character in GB18030
_HIGH = 0xA1  # the second byte of a common character is at least this; of Latin letters with an accent it is mostly a plain letter
_SURE = 0.9  # the share of such pairs from which a text is taken for Chinese
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")


class DatasetError(ValueError):
    """A file that cannot be read as rows and columns, in words."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong in row `row` of the file (from 1, the header being a row; None: in the whole), and in which column."""

    row: int | None
    column: str | None
    message: str


@dataclass(frozen=True)
class Table:
    """header: names of the columns. rows: cells by column; numbers: which row of the file each of them is."""

    encoding: str
    delimiter: str
    named: bool  # whether the first row gives the names
    header: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]
    problems: list[Problem]


def read(data: bytes) -> Table:
    """The table in a file. Raises DatasetError for one that holds none; single rows that are wrong are left out, and said in `problems`."""
    if len(data) > limits.DATASET_BYTES:
        raise DatasetError(f"the file has {len(data):,} bytes, at most {limits.DATASET_BYTES:,} are taken; send a part of it")
    encoding, text = _decoded(data)
    if "\0" in text:
        raise DatasetError("the file holds NUL bytes, so it is no text; save it as CSV in UTF-8")
    if not text.strip():
        raise DatasetError("the file is empty; it needs a row with the names of the columns, and rows of data")
    delimiter = _delimiter(text)
    problems: list[Problem] = []
    given = _rows(text, delimiter, problems)
    first = next(given, None)
    if first is None:
        raise DatasetError(f"no row of the file can be read: {problems[0].message}" if problems else "the file holds no rows")
    header, named = _header(first[1])
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, cells in given if named else chain((first,), given):
        if len(cells) != len(header):
            problems.append(Problem(number, None, f"this row has {len(cells)} cells, expected {len(header)}; it is left out"))
        elif len(rows) == limits.DATASET_ROWS:
            problems.append(Problem(number, None, f"only the first {limits.DATASET_ROWS:,} rows are taken; the rest is left out"))
            break
        else:
            rows.append([*map(str.strip, cells)])
            numbers.append(number)
        if len(problems) >= limits.DATASET_ROWS:
            break
    if len(problems) >= limits.DATASET_ROWS:
        wrong = f"{len(problems):,} rows of the file cannot be taken, which is too many"
        raise DatasetError(f"{wrong}; the first is row {problems[0].row}: {problems[0].message}")
    if not rows:
        raise DatasetError("the file has no rows of data; beneath the names of the columns it needs one row for each example")
    return Table(encoding, delimiter, named, header, rows, numbers, problems)


def number_of(cell: str, comma: bool = False) -> float | None:
    """The number in a cell; None where it holds something else. comma: decimals are written after a comma."""
    text = cell.strip().replace("\u2212", "-")
    if comma:
        if text.count(",") > 1 or ("," in text and "." in text):
            return None
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < 1e150 else None  # its square has to be a number too


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding == "utf-32":
                raise DatasetError("the file is in UTF-32, which is not read; save it in UTF-8")
            return encoding, _strictly(data[len(mark) :], encoding)
    if b"\0" in data[:1000]:
        for encoding, odd in (("utf-16-le", 1), ("utf-16-be", 0)):
            if data[odd:1000:2].count(0) > 0.9 * len(data[odd:1000:2]) and not data[1 - odd : 1000 : 2].count(0):
                return encoding, _strictly(data, encoding)
        raise DatasetError("the file holds NUL bytes, so it is no text; save it as CSV in UTF-8")
    try:
        return "utf-8", data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    pairs = _PAIR.findall(data)
    if pairs and sum(pair[1] >= _HIGH for pair in pairs) >= _SURE * len(pairs):
        try:
            return "gb18030", data.decode("gb18030")
        except UnicodeDecodeError:
            pass
    for encoding in ("latin-1",) if not re.search(rb"[\x80-\x9f]", data) else ("windows-1252",):
        try:
            return encoding, data.decode(encoding)
        except UnicodeDecodeError:
            pass
    row = data[:at].count(b"\n") + 1
    raise DatasetError(f"byte {at:,} of the file, in row {row}, is neither UTF-8, GB18030 nor Latin-1; save the file in UTF-8")


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        raise DatasetError(f"the file begins as {name} does, but byte {error.start:,} of it is not; save it in UTF-8") from None


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into as many cells each; of several the one that makes most."""
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        rows = _rows(text, delimiter, [], _LOOKED_AT)
        widths = [len(cells) for (_, cells), _ in zip(rows, range(_LOOKED_AT), strict=False)]
        if widths:
            width, count = Counter(widths).most_common(1)[0]
            if width > most and width == widths[0] and count > len(widths) / 2:
                best, most = delimiter, width
    return best


def _rows(text: str, delimiter: str, problems: list[Problem], most: int = limits.DATASET_ROWS) -> Iterator[tuple[int, list[str]]]:
    """The rows that can be read, with the line of the file in which each begins, until there are `most` problems.

    Raises DatasetError for too many columns.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while len(problems) < most:
        begun = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(Problem(begun, None, f"{_in_words(str(error))}; it is left out"))
            continue
        if len(cells) > limits.DATASET_COLUMNS:
            raise DatasetError(f"row {begun} has {len(cells):,} columns, at most {limits.DATASET_COLUMNS} are taken; leave some out")
        if any(cell.strip() for cell in cells):
            if max(map(len, cells)) > limits.DATASET_CELL:
                problems.append(Problem(begun, None, f"a cell has more than {limits.DATASET_CELL:,} characters; the row is left out"))
            else:
                yield begun, cells


def _in_words(error: str) -> str:
    if "field limit" in error:
        return "a cell of this row is too long (a quote that is opened and never closed makes one)"
    if "unexpected end" in error:
        return "the quote that is opened in this row is never closed, so the rest of the file is one cell"
    if "expected after" in error:
        return "something follows a closing quote in this row; a quote within a cell is written twice"
    return f"this row cannot be read ({error})"


def _header(first: list[str]) -> tuple[tuple[str, ...], bool]:
    """The names of the columns, and whether the first row gave them: one that holds a number gives none."""
    cells = [cell.strip() for cell in first]
    if any(number_of(cell) is not None for cell in cells):
        return tuple(f"column {place}" for place in range(1, len(cells) + 1)), False
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = "".join(letter for letter in cell if letter.isprintable())[: limits.DATASET_NAME] or f"column {place}"
        names.append(name if name not in names else f"{name} ({place})")
    return tuple(names), True
