"""The command `retrograd`."""

from __future__ import annotations

import errno
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
    from server import logs, serving
    from server.app import create_app

    settings = _settings(host=host, port=port, data=data, public=public or None)
    if not settings.loopback and not settings.public and settings.token is None:
        todo = "set RETROGRAD_TOKEN to a secret that requests have to show, or say --public to let everybody in"
        raise typer.BadParameter(f"others can reach {settings.host}; {todo}", param_hint="--host")
    _check_address(settings.host, settings.port)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"the folder {settings.data} cannot be made ({error.strerror}); name another with --data") from None
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"Retrograd: http://{shown}:{settings.port}  (data in {settings.data})")
    logs.configure(settings.log)
    # Open connections must not keep a stopping server from ending: it ends within ten seconds, its workers included.
    serving.serve(
        create_app(settings), host=settings.host, port=settings.port, timeout_graceful_shutdown=5, server_header=False, access_log=False,
        proxy_headers=False, log_config=None, ws="none",
    )  # fmt: skip


@app.command()
def export(
    trace: Annotated[str | None, typer.Argument(help="Id of a stored trace, sha256:…", show_default=False)] = None,
    program: Annotated[
        Path | None, typer.Option(help="A JSON file with a body of POST /api/v1/traces, or the program in it: its trace is computed now.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="json, or what GET /api/v1/traces/{id}/export/{format} has.")] = "json",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output unless given.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for runs and traces.")] = None,
) -> None:
    """Write a trace to a file, without a server."""
    if (trace is None) == (program is None):
        raise typer.BadParameter("name either a stored trace by its id, or a program's file with --program")
    from server import offline

    settings = _settings(data=data)
    try:
        made = offline.computed(settings, program) if program is not None else offline.stored(settings, str(trace))
        content = offline.written(made, form)
        if out is None:
            typer.echo(content, nl=False)
            return
        out.write_bytes(content)
    except offline.OfflineError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"Error: {out} cannot be written ({error.strerror})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{made.id}: {len(content):,} bytes in {out}", err=True)


@app.command()
def doctor(data: Annotated[Path | None, typer.Option(help="Folder for runs and traces.")] = None) -> None:
    """Try out everything the server needs, and say what is not right."""
    from server.doctor import examine

    right = True
    for name, fine, found in examine(_settings(data=data)):
        typer.echo(f"{'ok ' if fine else 'NOT'}  {name}: {found}")
        right = right and fine
    raise typer.Exit(0 if right else 1)


def _check_address(host: str, port: int) -> None:
    """Exits where nobody can listen there, before anything takes its time."""
    import socket

    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        todo = "end what does, or give another --port" if error.errno == errno.EADDRINUSE else "give another --host or --port"
        raise typer.BadParameter(f"cannot listen at {host}, port {port} ({error.strerror}); {todo}", param_hint="the address") from None


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
