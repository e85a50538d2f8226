"""Data of one's own on the Train page: pasted or a file, looked at, chosen of, learnt, kept and deleted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import choose_theme
from tests.e2e.test_accessibility import violations
from tests.e2e.train import begin, rests, run_of, stored

WORDS = "word,sort\n" + "".join(f"{'ab' * (i % 5 + 1)}{i},{'even' if i % 2 == 0 else 'odd'}\n" for i in range(60))
RAGGED = WORDS + "one,two,three\nlonely,\n"
SERIES = "day;value\n" + "".join(f"{i};{100 + 10 * math.sin(i / 3):.3f}\n".replace(".", ",") for i in range(300))


def dialog(page: Page) -> Page:
    page.get_by_test_id("run-task").select_option("own-data")
    expect(page.get_by_test_id("own-data")).to_be_visible(timeout=30_000)
    return page


def pasted(page: Page, text: str) -> Page:
    dialog(page).get_by_test_id("own-paste").fill(text)
    page.get_by_test_id("own-read").click()
    expect(page.get_by_test_id("own-facts")).to_be_visible(timeout=30_000)
    return page


def carry(page: Page, name: str, data: bytes) -> None:
    page.get_by_test_id("own-file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def brought(page: Page, name: str, data: bytes) -> Page:
    carry(dialog(page), name, data)
    return page


def trained(page: Page, api: httpx.Client) -> dict[str, Any]:
    """Trains what the form says for 20 steps; the run as the server has it."""
    begin(page, 20, hidden_size=4, batch_size=8)
    rests(page, 20)
    return stored(api, run_of(page))


def test_words_that_are_pasted_are_learnt(open_page: OpenPage, api: httpx.Client) -> None:
    page = pasted(open_page("#/train"), WORDS)
    expect(page.get_by_test_id("own-facts")).to_contain_text("60 rows · 2 columns · UTF-8 · commas between cells")
    table = page.get_by_test_id("own-preview")
    expect(table.locator("tbody tr")).to_have_count(20)
    expect(table.locator("tbody tr").first).to_have_text("2ab0even")
    assert page.get_by_test_id("own-paste").count() == 0
    expect(page.get_by_test_id("own-will")).to_contain_text("learns to tell “sort” among 2 classes: even, odd. 48 examples")
    expect(page.get_by_test_id("own-baseline")).to_contain_text("the most frequent “sort” is right for")
    page.get_by_test_id("own-use").click()
    expect(page.get_by_test_id("own-data")).to_have_count(0)
    expect(page.get_by_test_id("own-chosen")).to_have_text("word → sort")
    run = trained(page, api)
    assert (run["program"]["task"], run["program"]["dataset"]["label"]) == ("own-data", "sort")
    expect(page.get_by_test_id("run-name")).to_have_text("word → sort")
    expect(page.get_by_test_id("watched").locator("li").first).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id(f"run-{run['id']}")).to_contain_text("word → sort")


def test_a_series_is_learnt_with_another_window(open_page: OpenPage, api: httpx.Client) -> None:
    page = pasted(open_page("#/train", expected=("422",)), SERIES)
    expect(page.get_by_test_id("own-kind-series")).to_be_checked()
    expect(page.get_by_test_id("own-column")).to_have_value("value")
    window = page.get_by_test_id("own-window")
    window.fill("30")
    window.press("Enter")
    expect(page.get_by_test_id("own-wrong-window")).to_contain_text("needs 31 numbers in a row, and the validation part has 30 rows")
    expect(page.get_by_test_id("own-use")).to_be_disabled()
    window.fill("12")
    window.press("Enter")
    expect(page.get_by_test_id("own-will")).to_contain_text("12 numbers of “value”")
    expect(page.get_by_test_id("own-baseline")).to_contain_text("in the unit of your data")
    page.get_by_test_id("own-use").click()
    run = trained(page, api)
    assert (run["program"]["dataset"]["column"], run["program"]["dataset"]["window"]) == ("value", 12)


def test_rows_of_a_file_that_are_wrong_are_named(open_page: OpenPage) -> None:
    page = brought(open_page("#/train"), "words.csv", RAGGED.encode())
    problems = page.get_by_test_id("own-problems")
    expect(problems).to_contain_text("2 problems", timeout=30_000)
    expect(problems.locator("li").nth(0)).to_contain_text("Row 62")
    expect(problems.locator("li").nth(0)).to_contain_text("3 cells instead of 2: left out")
    expect(problems.locator("li").nth(1)).to_contain_text("Row 63, sort")
    expect(page.get_by_test_id("own-use")).to_be_enabled()


def test_another_task_undoes_the_choice_and_closing_changes_nothing(open_page: OpenPage, api: httpx.Client) -> None:
    page = dialog(open_page("#/train"))
    page.get_by_test_id("own-paste").fill(WORDS)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("own-data")).to_have_count(0)
    expect(page.get_by_test_id("run-task")).to_have_value("surnames")
    expect(dialog(page).get_by_test_id("own-paste")).to_have_value(WORDS)  # what was pasted is not lost
    page.get_by_test_id("own-paste").press("Control+Enter")
    expect(page.get_by_test_id("own-use")).to_be_enabled(timeout=30_000)
    page.get_by_test_id("own-use").click()
    expect(page.get_by_test_id("run-task")).to_have_value("own-data")
    page.get_by_test_id("own-change").click()
    expect(page.get_by_test_id("own-label")).to_have_value("sort")
    page.get_by_test_id("own-close").click()
    page.get_by_test_id("run-task").select_option("digits")
    expect(page.get_by_test_id("own-chosen")).to_have_count(0)
    run = trained(page, api)
    assert (run["program"]["task"], run["program"].get("dataset")) == ("digits", None)


def test_a_few_rows_are_told_to_say_little(open_page: OpenPage, api: httpx.Client) -> None:
    page = pasted(open_page("#/train"), "word,sort\n" + "".join(f"{'ab'[i % 2] * 3}{i},{['even', 'odd'][i % 2]}\n" for i in range(25)))
    expect(page.get_by_test_id("own-few")).to_contain_text("with 2 examples for validation and 2 for the test the figures say little")
    expect(page.get_by_test_id("own-baseline")).to_contain_text("50.0 %")  # one of each class
    expect(page.get_by_test_id("own-absent-validation")).to_have_count(0)
    page.get_by_test_id("own-use").click()
    begin(page, 100, hidden_size=8, batch_size=8)
    rests(page, 100)
    expect(page.get_by_test_id("verdict-few")).to_have_text("There are only 2 validation examples, which say little.")
    expect(page.get_by_test_id("few")).to_contain_text("moves the accuracy by 50.0 %", timeout=30_000)
    assert api.get(f"/runs/{run_of(page)}/mistakes").json()["wrong"] == 0
    results = page.get_by_test_id("results")
    expect(results).to_contain_text("No mistakes")
    expect(results.get_by_test_id("mistakes")).to_have_text("All 2 examples of this part are right, so there is none to open.")


def test_data_are_kept_opened_again_and_deleted(open_page: OpenPage) -> None:
    page = pasted(open_page("#/train"), WORDS)
    expect(page.get_by_test_id("own-stays")).to_contain_text("minutes unless a run uses it")
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as kept:
        page.get_by_test_id("own-keep").check()
    made = kept.value.json()
    assert made["kept"] is True
    page.get_by_test_id("own-use").click(timeout=30_000)
    page.reload()
    earlier = dialog(page).get_by_test_id(f"own-earlier-{made['id']}")
    expect(earlier).to_contain_text("kept until you delete it")
    page.get_by_test_id(f"own-open-{made['id']}").click()
    expect(page.get_by_test_id("own-keep")).to_be_checked(timeout=30_000)
    page.get_by_test_id("own-use").click()
    page.get_by_test_id("own-change").click()
    page.get_by_test_id(f"own-delete-{made['id']}").click()
    page.get_by_text("Do not delete").click()
    page.get_by_test_id(f"own-delete-{made['id']}").click()
    page.get_by_test_id("own-delete-sure").click()
    expect(page.get_by_test_id("own-paste")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id(f"own-earlier-{made['id']}")).to_have_count(0)
    page.get_by_test_id("own-close").click()
    expect(page.get_by_test_id("run-task")).to_have_value("surnames")  # what is gone is not learnt


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("table.xlsx", b"PK\x03\x04", "table.xlsx is a spreadsheet"),
        ("picture.csv", b"\x89PNG\x00\x01\x02" * 50, "NUL bytes"),
        ("empty.csv", b"\n \n", "It is empty"),
        ("large.csv", b"a,b\n" * (10 * 2**18 + 1), "10,485,764 bytes, at most 10,485,760"),
    ],
)
def test_files_that_cannot_be_read_say_why(open_page: OpenPage, name: str, data: bytes, words: str) -> None:
    page = brought(open_page("#/train", expected=("422",)), name, data)
    expect(page.get_by_test_id("own-problem")).to_contain_text(words, timeout=30_000)
    expect(page.get_by_test_id("own-paste")).to_be_visible()


def test_a_file_is_dropped(open_page: OpenPage, tmp_path: Path) -> None:
    page = dialog(open_page("#/train"))
    page.evaluate(
        """text => { const carried = new DataTransfer(); carried.items.add(new File([text], "words.tsv"));
          const target = document.querySelector("[data-testid=own-data]");
          const drop = { dataTransfer: carried, bubbles: true, cancelable: true };
          for (const type of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(type, drop)); }""",
        WORDS.replace(",", "\t"),
    )
    expect(page.get_by_test_id("own-facts")).to_contain_text("tabs between cells", timeout=30_000)


def test_without_the_server_nothing_is_lost(open_page: OpenPage) -> None:
    page = dialog(open_page("#/train", expected=("ERR_INTERNET_DISCONNECTED",)))
    page.get_by_test_id("own-paste").fill(WORDS)
    page.context.set_offline(True)
    page.get_by_test_id("own-read").click()
    expect(page.get_by_test_id("own-waits")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("own-paste")).to_have_value(WORDS)
    page.context.set_offline(False)
    expect(page.get_by_test_id("own-facts")).to_be_visible(timeout=60_000)


def test_chinese_data_in_chinese(open_page: OpenPage, api: httpx.Client) -> None:
    rows = [f"{'你好再见谢谢'[i % 3 * 2 : i % 3 * 2 + 2]}{chr(0x4E00 + i)},{('问候', '告别', '致谢')[i % 3]}" for i in range(60)]
    text = "句子,类别\n" + "\n".join(rows) + "\n太,多,格\n"
    page = brought(open_page("#/train", locale="zh-CN"), "句子.csv", text.encode("gb18030"))
    expect(page.get_by_test_id("own-facts")).to_contain_text("60 行 · 2 列 · GB18030 · 以逗号分隔", timeout=30_000)
    expect(page.get_by_test_id("own-problems")).to_contain_text("第 62 行有 3 个单元格，应为 2 个：已略去")
    expect(page.get_by_test_id("own-will")).to_contain_text("学习判断“类别”，共 3 类")
    page.get_by_test_id("own-use").click()
    run = trained(page, api)
    assert run["program"]["dataset"]["text"] == "句子"
    expect(page.get_by_test_id("run-name")).to_have_text("句子 → 类别")


@pytest.mark.parametrize(("theme", "locale"), [("light", "en-US"), ("dark", "zh-CN"), ("contrast", "en-US")])
def test_axe_finds_nothing_serious_in_the_dialog(open_page: OpenPage, theme: str, locale: str) -> None:
    page = open_page("#/train", locale=locale)
    expect(page.get_by_test_id("run-start")).to_be_visible(timeout=30_000)
    choose_theme(page, theme)
    dialog(page)
    page.wait_for_timeout(600)  # colours are on their way for as long as the tokens' motions last
    assert violations(page) == []
    carry(page, "words.csv", RAGGED.encode())
    expect(page.get_by_test_id("own-will")).to_be_visible(timeout=30_000)
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(360, 740), (390, 844), (768, 1024), (1024, 768), (1280, 720), (2560, 1440)])
def test_the_dialog_fits(open_page: OpenPage, width: int, height: int) -> None:
    page = brought(open_page("#/train", width=width, height=height), "words.csv", RAGGED.encode())
    expect(page.get_by_test_id("own-will")).to_be_visible(timeout=30_000)
    inside = page.get_by_test_id("own-data").evaluate(
        "e => [e.scrollWidth - e.clientWidth, e.getBoundingClientRect().left, innerWidth - e.getBoundingClientRect().right]"
    )
    assert inside[0] <= 0
    assert min(inside[1:]) >= 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    box = page.get_by_test_id("own-use").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= height  # without scrolling
