"""A look at the site as a browser sees it on the web: on this machine, and for nobody else."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from leaderboard.documents import EntryError

HOST = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, never kept by the browser, and no line printed for each."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def server(site: Path, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not yet running. Raises EntryError where there is no site, OSError for its port."""
    if not (site / "index.html").is_file():
        raise EntryError(f"there is no site in {site}: make it with `python -m leaderboard build`")
    return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(site)))


def serve(site: Path, port: int) -> None:
    """Serve until Ctrl-C."""
    with server(site, port) as running:
        print(f"http://{HOST}:{running.server_address[1]}/ shows {site}; stop with Ctrl-C", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()
