"""What tests that open pages share: a server, and Chromium."""

import contextlib
import functools
import http.server
import os
import pathlib
import shutil
import threading

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
)


@contextlib.contextmanager
def served(folder):
    """Serves a folder; gives its address, paths asked for, and what is posted.

    The last is a function that waits for the next thing a page posts.
    """
    asked, posted, arrived = [], [], threading.Semaphore(0)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            posted.append(self.rfile.read(size))
            self.send_response(204)
            self.end_headers()
            arrived.release()

    def wait(seconds=120):
        assert arrived.acquire(timeout=seconds), "The page posts nothing."
        return posted.pop(0)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked, wait
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def command(home: pathlib.Path, *arguments):
    """Options of a process that opens a page, its profile in `home`."""
    options = {"env": {**os.environ, "HOME": str(home)}, "text": True}
    words = [
        CHROMIUM,
        *OPTIONS,
        f"--user-data-dir={home / 'profile'}",
        "--enable-logging=stderr",
        *arguments,
    ]
    return {"args": words, **options}


def console(stderr):
    """Lines that pages wrote to the console, errors of theirs included."""
    return [line for line in stderr.splitlines() if "CONSOLE" in line]
