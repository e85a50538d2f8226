"""A proxy that cuts connections on purpose."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CuttingProxy:
    """Hands bytes on between clients and a server; connection k is cut after `budgets[k]` bytes of the server's, later ones never.

    requests: what clients sent, connection by connection. port: of the server, which may come back on another.
    """

    def __init__(self, port: int, budgets: list[int]) -> None:
        self.requests: list[bytes] = []
        self.port = port
        self._budgets = list(budgets)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            _end(one)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                number = len(self.requests)
                self.requests.append(b"")
                try:
                    server = socket.create_connection(("127.0.0.1", self.port))
                except ConnectionRefusedError:
                    _end(client)
                    continue
                self._sockets += [client, server]
                budget = self._budgets[number] if number < len(self._budgets) else None
                for target, arguments in ((self._up, (client, server, number)), (self._down, (server, client, budget))):
                    self._threads.append(threading.Thread(target=target, args=arguments))
                    self._threads[-1].start()

    def _up(self, client: socket.socket, server: socket.socket, number: int) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self.requests[number] += data
                server.sendall(data)
        _end(client)
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket, budget: int | None) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if budget is not None:
                    data, budget = data[:budget], budget - len(data)
                client.sendall(data)
                if budget is not None and budget <= 0:
                    break
        _end(client)
        _end(server)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def cutting(port: int, budgets: list[int]) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(port, budgets)
    try:
        yield proxy
    finally:
        proxy.close()
