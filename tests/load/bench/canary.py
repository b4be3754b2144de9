"""One call by hand whose sound is looked at: SIPp counts packets and does not know what is in them."""

import random
import re
import socket
import struct
import time

from .servers import Wrong

PACKETS = 100
PACE = 0.02


class Canary:
    """A caller of one call, from its own UDP ports."""

    def __init__(self, server, number):
        self.server = server
        self.uri = f"sip:{number}@{server.sip[0]}:{server.sip[1]}"
        self.sip = udp()
        self.rtp = udp()
        self.id = f"{random.getrandbits(48):x}"
        self.cseq = 1
        self.setup = None
        self.remote_tag = ""
        self.target = self.uri
        self.routes = []

    def __enter__(self):
        begin = time.monotonic()
        answer = self.invite()
        # Seconds from the INVITE to its 200.
        self.setup = time.monotonic() - begin
        self.remote_tag = re.search(r"^To:.*?;tag=([^;\s]+)", answer, re.M | re.I).group(1)
        self.target = re.search(r"^Contact:.*?<([^>]+)>", answer, re.M | re.I).group(1)
        self.routes = re.findall(r"^Record-Route:\s*(.+?)\s*$", answer, re.M | re.I)[::-1]
        self.send("ACK", self.cseq)
        host = re.search(r"^c=IN IP4 (\S+)", answer, re.M).group(1)
        port = int(re.search(r"^m=audio (\d+)", answer, re.M).group(1))
        self.rtp.connect((host, port))
        return self

    def __exit__(self, kind, value, trace):
        self.cseq += 1
        self.send("BYE", self.cseq)
        self.final()
        self.sip.close()
        self.rtp.close()

    def echo(self):
        """Sends random packets and wants them back: each once, in order, as they were."""
        sent = [random.randbytes(160) for _ in range(PACKETS)]
        back = self.exchange(sent)
        known = {payload: index for index, payload in enumerate(sent)}
        order = [known.get(payload) for payload in back]
        if None in order:
            raise Wrong(f"{self.server.name}: {order.count(None)} packets came back changed")
        if order != sorted(set(order)):
            raise Wrong(f"{self.server.name}: packets came back twice or out of order: {order}")
        # A starved machine loses some; it must not lose many.
        if len(order) < PACKETS * 0.8:
            raise Wrong(f"{self.server.name}: {len(order)} of {PACKETS} packets came back")

    def prompt(self):
        """Sends silence for two seconds and wants two seconds of sound."""
        back = self.exchange([b"\xff" * 160] * PACKETS)
        loud = sum(len(set(payload)) > 8 for payload in back)
        # The prompt has pauses, too.
        if loud < PACKETS * 0.5:
            raise Wrong(f"{self.server.name}: {len(back)} packets came while a prompt played, {loud} with sound")

    def exchange(self, payloads):
        """Sends one payload every 20 ms; the payloads that came, 0.3 s of patience included."""
        came = []
        begin = time.monotonic()
        stamp = random.getrandbits(31)
        for index, payload in enumerate(payloads):
            header = struct.pack("!BBHII", 0x80, 0x80 if index == 0 else 0, index, stamp + 160 * index, 0x1234)
            self.rtp.send(header + payload)
            came += self.arrived(begin + PACE * (index + 1))
        return came + self.arrived(time.monotonic() + 0.3)

    def arrived(self, until):
        """Audio payloads that come before `until`."""
        came = []
        while (left := until - time.monotonic()) > 0:
            self.rtp.settimeout(left)
            try:
                packet = self.rtp.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                continue
            if len(packet) > 12 and packet[1] & 0x7F == 0:
                came.append(packet[12:])
        return came

    def invite(self):
        host, port = self.rtp.getsockname()
        lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 0"]
        sdp = "\r\n".join([*lines, "a=rtpmap:0 PCMU/8000", ""])
        self.send("INVITE", self.cseq, sdp)
        answer = self.final()
        if not answer.startswith("SIP/2.0 200"):
            raise Wrong(f"{self.server.name} answered the canary with {answer.splitlines()[0]}")
        return answer

    def send(self, method, cseq, sdp=""):
        host, port = self.sip.getsockname()
        to = f"<{self.uri}>" + (f";tag={self.remote_tag}" if self.remote_tag else "")
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{random.getrandbits(48):x}",
            *(f"Route: {route}" for route in self.routes),
            f"From: <sip:canary@{host}:{port}>;tag={self.id}",
            f"To: {to}",
            f"Call-ID: {self.id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:canary@{host}:{port}>",
            "Max-Forwards: 70",
        ]
        if sdp:
            lines.append("Content-Type: application/sdp")
        message = "\r\n".join([*lines, f"Content-Length: {len(sdp)}", "", sdp])
        self.sip.sendto(message.encode(), self.server.sip)

    def final(self):
        """The next final response."""
        self.sip.settimeout(5)
        while True:
            try:
                text = self.sip.recv(65536).decode(errors="replace")
            except TimeoutError:
                raise Wrong(f"{self.server.name} gave the canary no final response in 5 s") from None
            if re.match(r"SIP/2\.0 [2-6]", text):
                return text


def udp():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made
