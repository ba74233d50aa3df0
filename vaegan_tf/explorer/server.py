"""The page and its answers over HTTP, for browsers on this machine.

Nothing that is sent here is written anywhere or kept: every request brings the
pictures it is about. A page of another site can neither read this one (the
names that it may be called by are known, which stops DNS rebinding) nor have it
compute (every browser says where a POST comes from).
"""

import contextlib
import http.server
import ipaddress
import json
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from vaegan_tf.explorer import page, tools
from vaegan_tf.explorer.subject import Subject

MAX_REQUEST = 4 * 2**20  # bytes of a request that is no file
MAX_CONNECTIONS = 32
TIMEOUT = 60  # Seconds that a silent connection is kept.
PHOTOGRAPH = "photograph"
_JSON = "application/json"
_BYTES = "application/octet-stream"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RefusedError(ValueError):
    """A request that is refused, and with which status."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


def create_server(
    subjects: Sequence[Subject] = (), host: str = "127.0.0.1", port: int = 8000
) -> "Server":
    """A server that listens; `serve_forever` makes it answer.

    Args:
        subjects: The models to be tried, side by side. Where they take long to
            load, `show` gives them later, once the port is known to be free.
        host: Address to listen on.
        port: Its port; 0 for any that is free.

    Raises:
        OSError: If the port is in use or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    class Listening(Server):
        address_family = family

    try:
        server = Listening(host, port)
    except (OSError, UnicodeError) as error:
        raise OSError(
            f"Cannot listen on port {port} of {host}: "
            f"{getattr(error, 'strerror', None) or error}. Choose another "
            "--port, such as 0 for any that is free, or another --host."
        ) from error
    server.show(subjects)
    return server


class Server(http.server.ThreadingHTTPServer):
    """Answers a few requests at a time, and computes one by one."""

    daemon_threads = True
    subjects: tuple[Subject, ...]
    files: dict[str, tuple[str, bytes]]

    def __init__(self, host: str, port: int):
        self.host = host
        self.computing = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((host, port), Handler)

    def show(self, subjects: Sequence[Subject]) -> None:
        """Makes the page one of these models."""
        self.subjects = tuple(subjects)
        self.files = page.render(self.subjects)

    def server_bind(self) -> None:
        """Binds without asking a name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = self.host
        self.server_port = int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.server_port}/"

    @property
    def is_private(self) -> bool:
        """Whether only this machine reaches it."""
        address = str(self.server_address[0]).partition("%")[0]
        return ipaddress.ip_address(address).is_loopback

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serves a connection, or closes it when there are too many."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves a connection and gives its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a browser that has gone."""

    def is_own_name(self, host: str) -> bool:
        """Whether a request to this host (and port) is meant for this server.

        An address cannot be rebound, a name can: only names of this machine
        are taken.
        """
        name = _host_name(host)
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            own = {"localhost", self.host.lower()}
            if not self.is_private:
                own.add(socket.gethostname().lower())
            return name in own
        return address.is_loopback or not self.is_private

    def answer(self, path: str, content: bytes, query: str) -> dict[str, Any]:
        """What each model says to a POST: `{"runs": [...]}`.

        Raises:
            ValueError: If the request is not understood.
        """
        tool = path.removeprefix("/")
        with self.computing:
            if tool == PHOTOGRAPH:
                name = dict(urllib.parse.parse_qsl(query)).get("name", "")
                name = name[: tools.MAX_NAME] or "The file"
                cuts = tools.photograph(self.subjects, content, name)
                return {"runs": cuts}
            if tool not in tools.TOOLS:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {path}.")
            asked = _requests(content, len(self.subjects))
            pairs = zip(self.subjects, asked)
            return {"runs": [tools.answer(tool, *pair) for pair in pairs]}


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    server_version = "vaegan-explore"
    sys_version = ""
    timeout = TIMEOUT
    server: Server

    def do_GET(self) -> None:
        """Sends the page or one of its two files."""
        try:
            self._check_host()
            path = self.path.partition("?")[0]
            if path not in self.server.files:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {path}.")
            kind, content = self.server.files[path]
            self._send(HTTPStatus.OK, kind, content)
        except RefusedError as refusal:
            self._send_json(refusal.status, {"error": str(refusal)})

    def do_POST(self) -> None:
        """Answers a request, or says in a sentence why not."""
        try:
            self._check_host()
            self._check_origin()
            path, _, query = self.path.partition("?")
            content = self._content(path == f"/{PHOTOGRAPH}")
            answer = self.server.answer(path, content, query)
            self._send_json(HTTPStatus.OK, answer)
        except RefusedError as refusal:
            self.close_connection = True
            self._send_json(refusal.status, {"error": str(refusal)})
            self._drain()
        except ValueError as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except OSError:
            self.close_connection = True
        except Exception as error:  # The page stays, whatever fails.
            fault = f"{type(error).__name__}: {error}"
            message = f"This is a fault of vaegan_tf, please report it: {fault}"
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self._send_json(status, {"error": message})

    def log_message(self, *arguments: Any) -> None:
        """Says nothing of each request."""

    def _check_host(self) -> None:
        if not self.server.is_own_name(self.headers.get("Host", "")):
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "This page answers to addresses and names of its own machine "
                "only.",
            )

    def _check_origin(self) -> None:
        """Refuses what a page of another site sends."""
        own = self.headers.get("Host", "").lower()
        origin = self.headers.get("Origin", f"http://{own}").lower()
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        is_own = origin.partition("://")[2] == own
        if not is_own or site not in ("same-origin", "none"):
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "A page of another site has sent this."
            )

    def _content(self, is_file: bool) -> bytes:
        """The body, of the kind and size that are expected."""
        kind, most = (
            (_BYTES, tools.MAX_UPLOAD) if is_file else (_JSON, MAX_REQUEST)
        )
        if self.headers.get_content_type() != kind:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"This takes {kind}."
            )
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise RefusedError(
                HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing."
            )
        if int(length[:20]) > most:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The file is too large: it may have {most // 2**20} MiB.",
            )
        content = self.rfile.read(int(length))
        if len(content) < int(length):
            raise ConnectionError("The browser has gone.")
        return content

    def _drain(self) -> None:
        """Reads on for a while: a browser hears nothing while it sends."""
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(2)
            for _ in range(4 * tools.MAX_UPLOAD // 2**16):
                if not self.connection.recv(2**16):
                    break

    def _send_json(self, status: HTTPStatus, values: Any) -> None:
        self._send(status, _JSON, json.dumps(values).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _requests(content: bytes, count: int) -> list[dict[str, Any]]:
    """The requests to each of so many subjects that a body holds."""
    try:
        asked = json.loads(content)["runs"]
    except (ValueError, LookupError, TypeError, RecursionError):
        asked = None
    is_well = isinstance(asked, list) and len(asked) == count
    if is_well and all(isinstance(each, dict) for each in asked):
        return asked
    raise ValueError(f'A request is {{"runs": [...]}}, with {count} objects.')


def _host_name(host: str) -> str:
    """The name or address of `name:port` or `[address]:port`."""
    try:
        return (urllib.parse.urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
