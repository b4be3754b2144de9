"""What it costs that many listen to the event log by WebSocket: the same short calls without them and with them."""

import base64
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path

from .rows import Rows
from .servers import Wrong

HTTP = ("127.0.0.1", 8062)
# What each of them is told of: two events a call, as a wallboard would have them.
KINDS = "contact_started,contact_ended"
EVENT = b'"kind":"contact_'


class Listeners(Rows):
    """Short calls, first alone, then beside those who listen."""

    def __init__(self, server, folder, scale, listeners, sound=None):
        super().__init__(server, folder, scale, sound)
        self.listeners = listeners

    def all(self):
        from . import parties

        try:
            self.parties.append(parties.callee(self.folder))
            alone = self.short()
            token = (self.server.state / "http.token").read_text().strip()
            crowd = [sys.executable, "-m", "bench.listeners", str(self.listeners), token]
            with subprocess.Popen(crowd, cwd=Path(__file__).parent.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True) as process:
                try:
                    if process.stdout.readline() != "listening\n":
                        raise Wrong("they cannot all listen")
                    calls = self.calls
                    beside = self.short()
                    time.sleep(1)
                    told, _ = process.communicate("\n", timeout=60)
                finally:
                    process.kill()
            calls = self.calls - calls
        finally:
            for party in self.parties:
                party.stop()
        self.server.check(self.calls, self.failed)
        told = int(told)
        if told < 2 * calls * self.listeners:
            raise Wrong(f"{self.listeners} listeners were told {told} events of {calls} calls")
        figures = {f"{name}_alone": value for name, value in alone.items()}
        figures |= {f"{name}_beside": value for name, value in beside.items()}
        return figures | {"events_told": told}


def listen(token):
    """One WebSocket (RFC 6455) that has been let in."""
    connection = socket.create_connection(HTTP)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /events/stream?kinds={KINDS} HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {token}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    connection.sendall(request.encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096) or sys.exit("the node hangs up")
    if not head.startswith(b"HTTP/1.1 101"):
        sys.exit(head.decode())
    connection.setblocking(False)
    return connection


def main(listeners, token):
    """Counts what they are told until a line comes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with selectors.DefaultSelector() as selector:
        for number in range(listeners):
            selector.register(listen(token), selectors.EVENT_READ)
            # An account may send 100 requests a second.
            if number >= 300:
                time.sleep(0.0105)
        selector.register(sys.stdin, selectors.EVENT_READ)
        print("listening", flush=True)
        told, tails = 0, {}
        while True:
            for ready, _ in selector.select():
                if ready.fileobj is sys.stdin:
                    print(told)
                    return
                data = tails.get(ready.fd, b"") + ready.fileobj.recv(1 << 16)
                told += data.count(EVENT)
                # One that is cut by the end of what has come is counted with what follows.
                tails[ready.fd] = data[1 - len(EVENT):]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
