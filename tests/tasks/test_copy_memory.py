"""Copy memory: letters, blanks, question marks, and the letters again."""

from __future__ import annotations

import pytest

from server.tasks import PARTS, load
from server.tasks.copy_memory import ALPHABET, BLANK, COPIED, USUAL

TASK = load("copy-memory")
NOTHING = len(ALPHABET)


@pytest.mark.parametrize("length", [10, USUAL, 200])
def test_the_letters_are_asked_for_at_the_end(length: int) -> None:
    task = load("copy-memory", length)
    for example in task.describe(task.batch("train", range(50)), "train")["examples"]:
        letters = example["tokens"][:COPIED]
        assert set(letters) <= set(ALPHABET)
        assert example["tokens"][COPIED:] == [BLANK] * (length - 2 * COPIED) + ["?"] * COPIED
        assert example["target"] == [NOTHING] * (length - COPIED) + [ALPHABET.index(letter) for letter in letters]
        assert example["text"] == "".join(letters)


def test_every_word_stands_in_one_part() -> None:
    words = [example["text"] for part in PARTS for example in TASK.describe(TASK.batch(part, range(TASK.size(part))), part)["examples"]]
    assert len(words) == len(set(words)) == len(ALPHABET) ** COPIED


def test_the_baseline_guesses_where_it_is_asked() -> None:
    assert TASK.baseline.value == pytest.approx((USUAL - COPIED) / USUAL + COPIED / USUAL / len(ALPHABET))
    assert TASK.classes is not None
    assert TASK.classes[NOTHING].en == "nothing"
