"""What a request holds that its schema does not take, in plain words: what was given, what is expected, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.nearest import nearest
from engine.told import Told

Part = Mapping[str, Any]  # an error of pydantic's: type, loc, msg, input, ctx


def message(part: Part) -> str:
    """Says what is wrong with one value of a request, without repeating it."""
    say = WORDS.get(part["type"])
    return "this is not of the kind that is expected; /docs says what is" if say is None else say(part)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "something else"


def _expected(what: str, code: str | None = None) -> Callable[[Part], str]:
    def say(part: Part) -> str:
        words = f"{_kind(part['input'])} was given; expected {what}"
        return Told(words, code) if code else words

    return say


def _range(words: str, key: str, code: str) -> Callable[[Part], str]:
    def say(part: Part) -> str:
        bound = part["ctx"][key]
        return Told(f"the number is out of range; give one {words} {bound:,}", code, bound=bound)

    return say


def _count(words: str, key: str) -> Callable[[Part], str]:
    def say(part: Part) -> str:
        given, bound = len(part["input"]), part["ctx"][key]
        of, unit = ("text", "characters") if isinstance(part["input"], str) else ("items", "items")
        short = "short" if key == "min_length" else "long"
        return Told(f"{given:,} {unit} were given; expected {words} {bound:,}", f"{of}-{short}", given=given, bound=bound)

    return say


def _missing(part: Part) -> str:
    name = part["loc"][-1]
    if name == "body":
        return "the body is missing; send one as JSON"
    return Told(f"{name} is missing; add it", "member-missing", name=name)


def _one_of(part: Part) -> str:
    expected = str(part["ctx"]["expected"])
    options = re.findall(r"'([^']*)'", expected) or [expected.lower()]  # a truth value or a number stands there without quotes
    words = f"{_kind(part['input'])} was given; {_meant(part['input'], options)}expected {_either(options)}"
    return Told(words, "value-choice", options=", ".join(options))


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"is one of {', '.join(options)}"


def _tag(part: Part) -> str:
    options, name = re.findall(r"'([^']*)'", part["ctx"]["expected_tags"]), part["ctx"]["discriminator"].strip("'")
    return f"{name} is none of {', '.join(options)}; {_meant(part['ctx']['tag'], options)}give one of them"


def _meant(given: Any, options: list[str]) -> str:
    return nearest(given, options) if isinstance(given, str) else ""


WORDS: Mapping[str, Callable[[Part], str]] = {
    "missing": _missing,
    "extra_forbidden": lambda part: Told("there is no member of this name here; leave it out, or mind its spelling", "member-unknown"),
    "literal_error": _one_of,
    "union_tag_invalid": _tag,
    "union_tag_not_found": lambda part: f"{part['ctx']['discriminator'].strip(chr(39))} is missing, which says what this is; add it",
    "model_type": _expected("an object"),
    "model_attributes_type": _expected("an object"),
    "dict_type": _expected("an object"),
    "list_type": _expected("a list"),
    "string_type": _expected("a text"),
    "bool_type": _expected("true or false"),
    "bool_parsing": _expected("true or false"),
    "int_type": _expected("a whole number", "number-whole"),
    "int_parsing": _expected("a whole number", "number-whole"),
    "int_from_float": _expected("a whole number, without a fraction", "number-whole"),
    "int_parsing_size": lambda part: Told("the number has too many digits; give a smaller one", "number-digits"),
    "float_type": _expected("a number", "number"),
    "float_parsing": _expected("a number", "number"),
    "finite_number": lambda part: Told("the number is not finite; give one that is", "number-finite"),
    "greater_than": _range("above", "gt", "number-above"),
    "greater_than_equal": _range("that is at least", "ge", "number-least"),
    "less_than": _range("below", "lt", "number-below"),
    "less_than_equal": _range("that is at most", "le", "number-most"),
    "string_too_short": _count("at least", "min_length"),
    "string_too_long": _count("at most", "max_length"),
    "too_short": _count("at least", "min_length"),
    "too_long": _count("at most", "max_length"),
    "string_pattern_mismatch": lambda part: f"the text is not of the form {part['ctx']['pattern']}; give one that is",
    "value_error": lambda part: str(part["ctx"]["error"]),
}
