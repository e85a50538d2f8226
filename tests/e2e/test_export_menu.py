"""A run is taken along as files, from a menu that says what is in each."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.several import trained
from tests.e2e.stage import READY


@pytest.mark.parametrize(("locale", "script"), [("en-US", "compares the first 100 losses"), ("zh-CN", "核对前 100 步的损失")])
def test_a_run_is_exported_in_four_forms(open_page: OpenPage, tmp_path: Path, locale: str, script: str) -> None:
    page = open_page("#/train", locale=locale)
    run = trained(page, steps=40)
    page.goto(f"{page.url.partition('#')[0]}#/train?run={run}")

    def fetched(form: str) -> Path:
        page.get_by_test_id("run-export").click(timeout=READY)
        with page.expect_download() as download:
            page.get_by_test_id(f"export-{form}").click()
        expect(page.get_by_test_id(f"export-{form}")).to_be_hidden()  # what was chosen closes the menu
        expect(page.get_by_test_id("run-export")).to_be_focused()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    rows = list(csv.DictReader(fetched("csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 40
    assert json.loads(fetched("json").read_text(encoding="utf-8"))["id"] == run
    assert fetched("safetensors").suffix == ".safetensors"
    with zipfile.ZipFile(fetched("zip")) as whole:
        assert {"train.py", "data.npz", "model.safetensors"} <= set(whole.namelist())
    page.get_by_test_id("run-export").click()
    expect(page.get_by_test_id("export-zip")).to_contain_text(script)
    expect(page.get_by_test_id("export-safetensors")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("export-zip")).to_be_hidden()
    expect(page.get_by_test_id("run-export")).to_be_focused()
    page.get_by_test_id("run-export").click()
    expect(page.get_by_test_id("export-zip")).to_be_visible()
    page.get_by_test_id("run-step").click()
    expect(page.get_by_test_id("export-zip")).to_be_hidden()


def test_a_run_without_a_step_has_no_script(open_page: OpenPage) -> None:
    page = open_page("#/train")
    run = trained(page, steps=0)
    page.goto(f"{page.url.partition('#')[0]}#/train?run={run}")
    page.get_by_test_id("run-export").click(timeout=READY)
    expect(page.get_by_text("no step yet that a script could repeat")).to_be_visible()
    expect(page.get_by_test_id("export-zip")).to_have_count(0)
    expect(page.get_by_test_id("export-json")).to_be_visible()
