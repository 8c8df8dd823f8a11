"""A real web server on loopback that can do what real ones do: tags, ranges, redirects, hanging."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Files:
    """What the server has, by path; and what it was asked: ``METHOD PATH RANGE``.

    redirects: where a path leads. refuses: status by ``METHOD PATH``. cut: bytes after which an
    answer breaks off, by path. hangs: paths that are never answered. headers: more
    of them, by path.
    """

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.refuses: dict[str, int] = {}
        self.cut: dict[str, int] = {}
        self.hangs: set[str] = set()
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.authorized: list[str] = []
        self.url = ""
        self.over = threading.Event()


def _tag(content: bytes) -> str:
    return '"%s"' % hashlib.sha256(content).hexdigest()[:16]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: Files

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        files, path = self.files, self.path.partition("?")[0]
        files.asked.append(
            " ".join((self.command, self.path, self.headers.get("Range", ""))).strip()
        )
        files.authorized.append(self.headers.get("Authorization", ""))
        while path in files.hangs and not files.over.is_set():
            time.sleep(0.05)
        more = files.headers.get(path, {})
        status = files.refuses.get("%s %s" % (self.command, path))
        if path in files.redirects:
            self._send(302, {"Location": files.redirects[path], "Content-Length": "0", **more})
        elif status or path not in files.content:
            self._send(status or 404, {"Content-Length": "0"})
        else:
            self._send_file(path, files.content[path], more)

    def _send_file(self, path: str, content: bytes, more: dict[str, str]) -> None:
        tag, span = _tag(content), self.headers.get("Range", "")
        headers = {"ETag": tag, "Last-Modified": "Sat, 01 Mar 2025 10:00:00 GMT", **more}
        if span and self.headers.get("If-Range", tag) == tag:
            first, _, last = span.removeprefix("bytes=").partition("-")
            end = int(last) + 1 if last else len(content)
            part = content[int(first) : end]
            headers["Content-Range"] = "bytes %s-%d/%d" % (first, end - 1, len(content))
            self._send(206, {**headers, "Content-Length": str(len(part))}, part)
            return
        size = self.files.cut.pop(path, len(content)) if self.command == "GET" else len(content)
        self._send(200, {**headers, "Content-Length": str(len(content))}, content[:size])
        if size < len(content):
            self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Files]:
    """Serve on a free port of loopback."""
    files = Files()
    handler = type("Handler", (_Handler,), {"files": files})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        files.url = "http://127.0.0.1:%d" % server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield files
        finally:
            files.over.set()
            server.shutdown()
            thread.join()
