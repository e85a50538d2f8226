"""The command `retrograd`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from server.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def retrograd() -> None:
    """Shows every gradient as it travels back through time."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen at.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen at.", show_default="8000")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for runs and traces.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Let whoever reaches the server use it, without a token.")] = False,
) -> None:
    """Serve the page and the API. Every other setting is an environment variable: docs/settings.md."""
    # Here, since worker processes read this module again and must set their threads before numpy is loaded.
    import uvicorn

    from server.app import create_app

    settings = _settings(host=host, port=port, data=data, public=public or None)
    if not settings.loopback and not settings.public and settings.token is None:
        todo = "set RETROGRAD_TOKEN to a secret that requests have to show, or say --public to let everybody in"
        raise typer.BadParameter(f"others can reach {settings.host}; {todo}", param_hint="--host")
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"the folder {settings.data} cannot be made ({error.strerror}); name another with --data") from None
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"Retrograd: http://{shown}:{settings.port}  (data in {settings.data})")
    # Open connections must not keep a stopping server from ending.
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, timeout_graceful_shutdown=5, server_header=False, access_log=False,
        forwarded_allow_ips=settings.proxies,
    )  # fmt: skip


def _settings(**options: object) -> Settings:
    """The settings from the environment, with what was said on the command line. Exits where one of them cannot be."""
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(f"RETROGRAD_{str(part['loc'][0]).upper()}: {part['msg']}" for part in error.errors(include_input=False))
        raise typer.BadParameter(f"{wrong} (docs/settings.md)", param_hint="settings") from None


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
