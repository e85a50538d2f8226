"""The name that was probably meant."""

from __future__ import annotations

import pytest

from engine.nearest import MOST_CHARACTERS, nearest
from engine.ops.formula import UnknownOperationError, parse

PATHS = ["x", "rnn.weight_hh_l0", "rnn.weight_ih_l0", "gru/t=1/tanh#0", "gru/t=2/tanh#0"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("rnn.weight_hh", "rnn.weight_hh_l0"), ("RNN.WEIGHT_IH_L0", "rnn.weight_ih_l0"), ("gru/t=2/tanh", "gru/t=2/tanh#0"), ("zzz", None)],
)
def test_what_is_near_is_named(given: str, meant: str | None) -> None:
    assert nearest(given, PATHS) == ("" if meant is None else f"did you mean {meant}? ")


def test_what_nobody_types_is_not_compared() -> None:
    assert nearest("x" * (MOST_CHARACTERS + 1), ["x" * MOST_CHARACTERS]) == ""


def test_a_formula_names_the_operation_that_was_meant() -> None:
    with pytest.raises(UnknownOperationError) as raised:
        parse("2 * tahn(x)", ["x"], ["tanh", "exp"])
    assert raised.value.detail == "the operation 'tahn' is not known; did you mean tanh? docs/ops.md lists all"
    assert raised.value.column == 5
