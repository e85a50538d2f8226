"""What the pictures of `make screenshots` show, and how a page is brought there."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.e2e.several import searched, trained
from tests.e2e.stage import wait_for_film, wait_for_new_film
from tests.e2e.train import begin, rests

SETTLE = 900  # ms: longer than any motion of the tokens


def step_to(page: Page, stride: str, forward: int) -> None:
    """To the stop `forward` strides after the start."""
    if page.get_by_test_id("to-start").is_enabled():
        page.get_by_test_id("to-start").click()
    page.get_by_test_id(f"stride-{stride}").click()
    for _ in range(forward):
        page.get_by_test_id("step-forward").click()


def forward(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "cell", 3)


def backward(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "phase", 3)
    page.get_by_test_id("stride-cell").click()


def update(page: Page) -> None:
    backward(page)
    for _ in range(3):
        page.get_by_test_id("step-forward").click()
    page.get_by_test_id("tab-parameters").click()


def opened(page: Page) -> None:
    backward(page)
    page.get_by_test_id("open-3").click()
    expect(page.get_by_test_id("open-cell")).to_be_visible()


def lstm(page: Page) -> None:
    wait_for_film(page)
    before = page.url
    page.get_by_test_id("program-cell").select_option("lstm")
    wait_for_new_film(page, before)
    step_to(page, "phase", 3)


def expression(page: Page) -> None:
    wait_for_film(page)
    expect(page.locator("[data-testid^=graph-node-]").first).to_be_visible(timeout=30_000)
    page.get_by_test_id("gradient-w").click()


def train(page: Page) -> None:
    """A run that has ended."""
    begin(page, 100)
    rests(page, 100)
    page.get_by_test_id("open-step").scroll_into_view_if_needed()
    page.keyboard.press("Control+Home")


def compare(page: Page) -> None:
    wait_for_film(page)  # all of them are there, at the end of the backward pass
    expect(page.get_by_test_id("compare-log")).to_be_visible()


def lecture(page: Page) -> None:
    wait_for_film(page)
    page.keyboard.press("l")
    expect(page.get_by_test_id("lecture-canvas")).to_be_visible()
    for _ in range(5):  # cues: to the hop that loses most
        page.keyboard.press("n")
    expect(page.get_by_test_id("lecture-spot")).to_be_visible()


def pairs(page: Page) -> None:
    """Two layers in both directions, and their pairs of steps."""
    wait_for_film(page)
    step_to(page, "phase", 3)
    page.get_by_test_id("tab-pairs").click()
    expect(page.get_by_test_id("pairs-words")).to_be_visible(timeout=60_000)


def what_if(page: Page) -> None:
    """A film with a number typed over, its differences marked."""
    backward(page)
    page.get_by_test_id("nudge-up").click()
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=60_000)


def predict(page: Page) -> None:
    wait_for_film(page)
    step_to(page, "cell", 2)
    page.keyboard.press("q")
    expect(page.get_by_test_id("predict-card")).to_be_visible()


def worksheet(page: Page) -> None:
    expect(page.get_by_test_id("paper")).to_be_visible(timeout=60_000)


def example(name: str) -> Callable[[Page], None]:
    """One of the expressions to start from, at the end of its film."""

    def reach(page: Page) -> None:
        wait_for_film(page)
        page.get_by_test_id(f"expression-example-{name}").click()
        expect(page.get_by_test_id(f"expression-example-{name}")).to_have_attribute("aria-current", "true")
        expect(page.get_by_test_id("to-end")).to_be_disabled(timeout=30_000)  # without motion a film opens at its end

    return reach


def from_menu(entry: str, shown: str) -> Callable[[Page], None]:
    """A dialog of the help menu."""

    def reach(page: Page) -> None:
        wait_for_film(page)
        page.get_by_test_id("help").click()
        page.get_by_test_id(f"help-{entry}").click()
        expect(page.get_by_test_id(shown)).to_be_visible()

    return reach


def claim(page: Page) -> None:
    """A statement whose gesture is done and whose answer is read."""
    from_menu("claims", "claims")(page)
    page.get_by_test_id("claim-vanishing_zero").click()
    page.get_by_test_id("claim-gesture").click(timeout=60_000)
    expect(page.get_by_test_id("changes")).to_be_visible(timeout=60_000)
    page.get_by_test_id("claim-answer").click()


def tour(page: Page) -> None:
    from_menu("tour", "tour")(page)
    page.get_by_test_id("tour-next").click()


def share(page: Page) -> None:
    backward(page)
    page.get_by_test_id("share").click()
    expect(page.get_by_test_id("share-link")).not_to_have_value("")


def refused(page: Page) -> None:
    """An address that leads to a film that is gone."""
    expect(page.get_by_test_id("error")).to_be_visible(timeout=60_000)


def offline(page: Page) -> None:
    backward(page)
    page.context.set_offline(True)
    expect(page.get_by_test_id("connection")).to_be_visible()


def go(page: Page, place: str) -> None:
    """To another address of the same page."""
    page.goto(f"{page.url.partition('#')[0]}{place}")


def runs(page: Page) -> None:
    """Three runs side by side."""
    three = [trained(page), trained(page, cell="rnn"), trained(page, optimizer={"name": "sgd", "lr": 0.1})]
    go(page, f"#/train?runs={','.join(three)}")
    expect(page.get_by_test_id("compare-train")).to_have_attribute("data-lines", "3", timeout=60_000)


def search(page: Page) -> None:
    """A search that has ended."""
    go(page, f"#/train?sweep={searched(page)}")
    expect(page.get_by_test_id("sweep-importance").locator("svg").first).to_be_visible(timeout=60_000)


def search_asked(page: Page) -> None:
    expect(page.get_by_test_id("vary-lr")).to_be_checked(timeout=60_000)


def landscape(page: Page) -> None:
    """The loss as a map with the ways of two runs."""
    two = trained(page, steps=40), trained(page, steps=40, optimizer={"name": "sgd", "lr": 0.1})
    go(page, f"#/train?landscape={two[0]}")
    page.get_by_test_id("landscape-add").select_option(two[1], timeout=60_000)
    page.get_by_test_id("landscape-draw").click()
    expect(page.get_by_test_id("landscape-map").locator("svg").first).to_be_visible(timeout=120_000)


def own_data(page: Page) -> None:
    """Words and their sorts, pasted and read."""
    page.get_by_test_id("run-task").select_option("own-data", timeout=60_000)
    page.get_by_test_id("own-paste").fill(
        "word,sort\n" + "".join(f"{'ab' * (i % 5 + 1)}{i},{'even' if i % 2 == 0 else 'odd'}\n" for i in range(60))
    )
    page.get_by_test_id("own-read").click()
    expect(page.get_by_test_id("own-facts")).to_be_visible(timeout=60_000)


LAYERS = {"kind": "network", "task": "surnames", "cell": "gru", "hidden_size": 3, "layers": 2, "bidirectional": True, "example": 3}
LONG = {"kind": "network", "task": "adding", "length": 100, "cell": "lstm", "hidden_size": 16, "batch_size": 1}
DIGITS = {"kind": "network", "task": "digits", "cell": "gru", "hidden_size": 8, "batch_size": 2}
SERIES = {"kind": "network", "task": "sunspots", "cell": "lstm", "hidden_size": 4, "batch_size": 1}


def packed(program: dict[str, object]) -> str:
    """A program as addresses hold it."""
    return base64.urlsafe_b64encode(json.dumps(program).encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Picture:
    name: str
    address: str
    reach: Callable[[Page], None]
    settle: int = SETTLE


PICTURES = [
    Picture("network-forward", "#/network", forward),
    Picture("network-backward", "#/network", backward),
    Picture("network-update", "#/network", update),
    Picture("network-open", "#/network", opened),
    Picture("network-lstm", "#/network", lstm),
    Picture("network-layers", f"#/network?p={packed(LAYERS)}", pairs),
    Picture("network-what-if", "#/network", what_if),
    Picture("network-predict", "#/network", predict),
    Picture("network-claim", "#/network", claim),
    Picture("network-tour", "#/network", tour),
    Picture("network-share", "#/network", share),
    Picture("network-offline", "#/network", offline),
    Picture("network-gone", "#/network?v=2&trace=t_gone", refused),
    Picture("network-lstm-long", f"#/network?p={packed(LONG)}", backward),
    Picture("network-digits", f"#/network?p={packed(DIGITS)}", opened),
    Picture("network-series", f"#/network?p={packed(SERIES)}", backward),
    Picture("glossary", "#/network", from_menu("glossary", "glossary")),
    Picture("claims", "#/network", from_menu("claims", "claims")),
    Picture("expression", "#/expression", expression),
    Picture("expression-softmax", "#/expression", example("softmax")),
    Picture("train", "#/train", train),
    Picture("train-runs", "#/train", runs),
    Picture("train-search", "#/train", search),
    Picture("train-search-asked", "#/train?sweep=new", search_asked),
    Picture("train-landscape", "#/train", landscape),
    Picture("train-own-data", "#/train", own_data),
    Picture("compare", "#/compare", compare),
    Picture("lecture", "#/network", lecture, settle=3500),  # its bar goes when the pointer rests
    Picture("worksheet", "#/worksheet", worksheet),
]
