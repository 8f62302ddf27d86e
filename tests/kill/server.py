"""A slow web server with one file, of which it sends what is asked for; prints its port."""

from __future__ import annotations

import random
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = random.Random(0).randbytes(3_000_000)


class Handler(BaseHTTPRequestHandler):
    """One file, in pieces."""

    def do_GET(self) -> None:
        """Answer with the file from the byte on that a range asks for."""
        wanted = self.headers.get("Range")
        start = int(wanted[6:-1]) if wanted else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        for place in range(start, len(CONTENT), 60_000):
            self.wfile.write(CONTENT[place : place + 60_000])
            time.sleep(0.02)
        return None

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
