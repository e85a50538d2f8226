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


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description
        row = next((line for line in text.splitlines() if line.startswith(f"| `RETROGRAD_{name.upper()}` |")), "")
        assert row.endswith(f"| {field.description} |"), (
            f"docs/settings.md has no row of RETROGRAD_{name.upper()} that ends with its description"
        )
    named = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `RETROGRAD_")}
    assert named == {f"RETROGRAD_{name.upper()}" for name in Settings.model_fields}


def test_a_database_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROGRAD_DATABASE_URL", "postgresql://somebody@somewhere/here")
    assert Settings().database_url == "postgresql://somebody@somewhere/here"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone(host: str) -> None:
    assert Settings(host=host).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "localhost.example", "127.0.0.1.example"])
def test_other_machines_too(host: str) -> None:
    assert not Settings(host=host).loopback
