"""The command `retrograd`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def retrograd() -> None:
    """Shows every gradient as it travels back through time."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.", envvar="RETROGRAD_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at.", envvar="RETROGRAD_PORT")] = 8000,
    data: Annotated[Path | None, typer.Option(help="Folder for runs and traces.")] = None,
) -> None:
    """Serve the page and the API."""
    # Here, since worker processes read this module again and must set their threads before numpy is loaded.
    import uvicorn

    from server.app import create_app
    from server.settings import Settings

    settings = Settings() if data is None else Settings(data=data)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"the folder {settings.data} cannot be made ({error.strerror}); name another with --data") from None
    typer.echo(f"Retrograd: http://{host}:{port}  (data in {settings.data})")
    # Open connections must not keep a stopping server from ending.
    uvicorn.run(create_app(settings), host=host, port=port, timeout_graceful_shutdown=5, server_header=False, access_log=False)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
