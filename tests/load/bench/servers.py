"""The servers that are measured, and what they take of the machine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

LOAD = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class Wrong(Exception):
    """Something did not behave as it must: the run fails."""


class Processes:
    """Programs started together, each the leader of a session of its own, so that its children are known."""

    def __init__(self, folder):
        self.folder = folder
        self.leaders = []

    def start(self, name, command):
        out = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        out.close()
        self.leaders.append(process)
        return process

    def members(self):
        """The process ids of all sessions."""
        sessions = {leader.pid for leader in self.leaders}
        return [pid for pid, fields in stats() if int(fields[3]) in sessions]

    def stop(self):
        for leader in self.leaders:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader.pid, signal.SIGTERM)
        for leader in self.leaders:
            try:
                leader.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(leader.pid, signal.SIGKILL)
                leader.wait()


def stats():
    """(pid, fields after the name) of /proc/PID/stat for every process."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{entry}/stat").read_text()
                yield int(entry), text.rpartition(")")[2].split()


class Server:
    """What the rows need of a server: where it is, what it is called there, and what it takes."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = Processes(folder)

    def cpu(self):
        """CPU seconds since its start, of all its processes and threads."""
        members = set(self.processes.members())
        return sum(int(fields[11]) + int(fields[12]) for pid, fields in stats() if pid in members) / TICKS

    def memory(self):
        """Bytes of memory, what processes share being counted once."""
        total = 0
        for pid in self.processes.members():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        self.processes.stop()

    def wait_for(self, ready):
        """Waits until `ready()` holds."""
        deadline = time.monotonic() + 20
        while not ready():
            for leader in self.processes.leaders:
                if leader.poll() is not None:
                    raise Wrong(f"{self.name} ended at once:\n{self.said()}")
            if time.monotonic() > deadline:
                raise Wrong(f"{self.name} is not ready after 20 s:\n{self.said()}")
            time.sleep(0.05)

    def said(self):
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.log"))


class Ringdown(Server):
    """`ringdown serve` on the load profile: a back-to-back agent with the media through its engine."""

    name = "Ringdown"
    sip = ("127.0.0.1", 5062)
    # Row → the number that is called.
    numbers = {"plain": "uas", "bridged": "uas", "playing": "ivr"}

    def __init__(self, folder, program, core=None):
        super().__init__(folder)
        self.program = program
        self.state = folder / "state"
        config = LOAD / "ringdown.yaml"
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        self.processes.start("ringdown", [*pinned, program, "serve", "--config", config, "--state", self.state])
        log = folder / "ringdown.log"
        self.wait_for(lambda: "ready" in log.read_text(errors="replace").splitlines())

    def check(self, calls, failed):
        """Exactly one CDR a call; `failed` calls were beyond what the machine can do and may have none."""
        deadline = time.monotonic() + 10
        while sum((counts := self.dispositions()).values()) < calls and time.monotonic() < deadline:
            time.sleep(0.2)
        total = sum(counts.values())
        # A caller who hangs up on the looped prompt has left the flow.
        bad = total - counts.get("answered", 0) - counts.get("abandoned_in_flow", 0)
        if not calls - failed <= total <= calls or bad > failed:
            raise Wrong(f"{calls} calls were made, of which {failed} failed, and the CDRs say {counts}")

    def dispositions(self):
        command = [self.program, "calls", "--json", "--limit", "1000000", "--state", self.state]
        cdrs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        counts = {}
        for cdr in cdrs:
            counts[cdr["disposition"]] = counts.get(cdr["disposition"], 0) + 1
        return counts


class Kamailio(Server):
    """Kamailio as a stateful proxy and registrar, with rtpengine (in user space) where media is relayed."""

    name = "Kamailio + rtpengine"
    sip = ("127.0.0.1", 5064)
    numbers = {"plain": "uas", "bridged": "media", "playing": "ivr"}

    def __init__(self, folder):
        super().__init__(folder)
        rtpengine = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=2"]
        rtpengine += ["--interface=127.0.0.1", "--listen-ng=127.0.0.1:2223", "--port-min=50000", "--port-max=59999"]
        self.processes.start("rtpengine", rtpengine)
        prompt = LOAD / "client/prompts/ten-seconds.wav"
        config = folder / "kamailio.cfg"
        config.write_text((LOAD / "kamailio.cfg").read_text().replace("PROMPT", str(prompt)))
        # -DD stays in the foreground and still forks its workers.
        kamailio = ["kamailio", "-DD", "-E", "-f", config, "-Y", folder, "-m", "512", "-M", "16"]
        self.processes.start("kamailio", kamailio)
        self.wait_for(lambda: bound(*self.sip) and bound("127.0.0.1", 2223))

    def check(self, calls, failed):
        """Kamailio writes no CDRs."""


def bound(host, port):
    """Whether a UDP socket has that address."""
    address = socket.inet_aton(host)[::-1].hex().upper()
    wanted = f"{address}:{port:04X}"
    return any(line.split()[1] == wanted for line in Path("/proc/net/udp").read_text().splitlines())
