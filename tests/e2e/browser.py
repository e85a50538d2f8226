"""A server of our own and a system browser, for the browser's tests and for scripts/screenshots.py."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "server" / "static" / "index.html"
START_SECONDS = 120


def chromium_path() -> str:
    """The browser: RETROGRAD_CHROMIUM, or one on the PATH, best one without windows, whose pages cost a third less.

    FileNotFoundError says how to get one.
    """
    path = os.environ.get("RETROGRAD_CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not path:
        raise FileNotFoundError("no chromium found: install chromium-headless-shell, or set RETROGRAD_CHROMIUM to a browser's path")
    return path


def launch_arguments() -> list[str]:
    """Chromium refuses its sandbox to root, which is who runs in a container."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """The service on one port with its data in one folder: started, killed, and started again."""

    def __init__(
        self,
        data: Path,
        command: Sequence[str] = (sys.executable, "-m", "server"),
        folder: Path = ROOT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """command: what stands before `serve`, run in `folder` with `environment` (this process's unless given)."""
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._data, self._folder, self._environment = data, folder, environment
        self._words = [*command, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once the opening film is ready."""
        log = self._data / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._words, cwd=self._folder, env=self._environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        _wait_until_ready(self.url, self._process, log)

    @property
    def pid(self) -> int:
        """The server's process, which is running."""
        assert self._process is not None
        return self._process.pid

    def stop(self, *, kill: bool = False) -> None:
        """Asks it to end, or ends it in the middle of whatever it does."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextmanager
def serving(
    data: Path, command: Sequence[str] = (sys.executable, "-m", "server"), folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A service on a free port, as `Service` takes it; yields its address once the opening film is ready."""
    if folder == ROOT and not BUILT.exists():
        raise FileNotFoundError(f"{BUILT.relative_to(ROOT)} is missing: build the web app with `python hatch_build.py build`")
    service = Service(data, command, folder, environment)
    try:
        service.start()
        yield service.url
    finally:
        service.stop()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')}")
        try:
            if httpx.get(f"{url}/api/v1/opening", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server was not ready after {START_SECONDS} s:\n{log.read_text(errors='replace')}")
