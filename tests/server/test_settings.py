"""Settings and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app
from server.settings import Settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETROGRAD_DATA", str(tmp_path / "here"))
    monkeypatch.setenv("RETROGRAD_WORKERS", "3")
    settings = Settings()
    assert (settings.data, settings.workers) == (tmp_path / "here", 3)
    assert settings.database_url == f"sqlite:///{tmp_path}/here/retrograd.sqlite3"


def test_the_data_folder_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RETROGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().data == tmp_path / "retrograd"


def test_the_command_explains_itself() -> None:
    result = CliRunner().invoke(app, ["serve", "--help"])
    assert result.exit_code == 0
    assert "--port" in result.output
