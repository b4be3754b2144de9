"""SIPp as caller, callee and phones."""

import csv
import subprocess
import time
from pathlib import Path

from .servers import Wrong, bound

SCENARIOS = Path(__file__).resolve().parent.parent.parent / "sipp"
LOAD = Path(__file__).resolve().parent.parent
CALLEE = ("127.0.0.1", 5080)
CALLER = ("127.0.0.1", 5070)


class Sipp:
    """One SIPp that runs; `options` are SIPp's own."""

    def __init__(self, folder, name, scenario, local, options, limit):
        self.name = name
        self.folder = folder
        self.limit = limit
        self.statistics = folder / f"{name}.csv"
        for old in folder.glob(f"{name}[.-]*"):
            old.unlink()
        command = ["sipp", "-sf", str(scenario), "-i", local[0], "-mi", local[0], "-bind_local", "-p", str(local[1])]
        command += ["-key", "codec", "PCMU", "-key", "payload", "0", "-nostdin", "-buff_size", "4194304"]
        command += ["-trace_stat", "-fd", "1", "-stf", str(self.statistics), "-trace_err"]
        command += ["-error_file", str(folder / f"{name}.errors")]
        command += ["-timeout", str(limit), "-timeout_error", *map(str, options)]
        with open(folder / f"{name}.screen", "wb") as out:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def counts(self):
        """Its statistics so far, by column name."""
        try:
            rows = list(csv.DictReader(self.statistics.open(), delimiter=";"))
        except FileNotFoundError:
            return {}
        return rows[-1] if rows else {}

    def finish(self):
        """Waits for its end; the number of calls that failed (SIPp's own status says 1 for some)."""
        status = self.process.wait(self.limit + 15)
        failed = int(self.counts().get("FailedCall(C)") or 0)
        if status not in (0, 1) or (status == 1 and not failed):
            raise Wrong(f"SIPp {self.name} ended with {status}:\n{self.errors()}")
        return failed

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def errors(self):
        path = self.folder / f"{self.name}.errors"
        return path.read_text(errors="replace")[:3000] if path.exists() else ""

    def wait_for_calls(self, calls):
        """Waits until that many calls are up."""
        deadline = time.monotonic() + self.limit
        while int(self.counts().get("CurrentCall") or 0) < calls:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Wrong(f"SIPp {self.name} never had {calls} calls up:\n{self.errors()}")
            time.sleep(0.1)


def callee(folder):
    """A callee that takes every call and echoes its sound until it is stopped."""
    options = ["-rtp_echo", "-mp", "6400", "-rtp_buffsize", "4194304"]
    party = Sipp(folder, "callee", SCENARIOS / "answer.xml", CALLEE, options, 3600)
    deadline = time.monotonic() + 5
    while not bound(*CALLEE):
        if party.process.poll() is not None or time.monotonic() > deadline:
            raise Wrong(f"the callee does not listen on {CALLEE}:\n{party.errors()}")
        time.sleep(0.05)
    return party


def caller(folder, server, number, calls, rate, hold, speaking=None, name="caller", port=CALLER[1]):
    """A caller of `calls` calls at `rate` a second that last `hold` seconds; `speaking` is a µ-law file."""
    scenario = SCENARIOS / "call.xml"
    if speaking:
        scenario = speaking_scenario(folder, speaking)
    options = ["-s", number, "-m", calls, "-r", rate, "-l", calls + 1, "-d", int(hold * 1000)]
    # Kamailio's workers may send a 180 after the 200, which is no failure; a call that gets stuck is one.
    options += ["-default_behaviors", "all,-abortunexp", "-recv_timeout", "10000"]
    limit = calls / rate + hold + 40
    return Sipp(folder, name, scenario, (CALLER[0], port), [*options, remote(server)], int(limit))


def flood(folder, server, calls, rate):
    """A caller whose calls are served or refused with 503; its counts say how many were."""
    options = ["-s", server.numbers["plain"], "-m", calls, "-r", rate, "-rp", "1000", "-l", 100_000, "-d", "0"]
    options += ["-default_behaviors", "all,-abortunexp", "-recv_timeout", "10000"]
    return Sipp(folder, "flood", refused_scenario(folder), CALLER, [*options, remote(server)], int(calls / rate * 2 + 60))


def phones(folder, server, registrations, rate):
    """Users 1000 to 1999 register, each with its own digest, again and again."""
    users = folder / "users.csv"
    digests = (f"{user};[authentication username={user} password=pw{user}]\n" for user in range(1000, 2000))
    users.write_text("SEQUENTIAL\n" + "".join(digests))
    options = ["-inf", users, "-m", registrations, "-r", rate, remote(server)]
    return Sipp(folder, "phones", LOAD / "register.xml", CALLER, options, int(registrations / rate + 40))


def remote(server):
    return f"{server.sip[0]}:{server.sip[1]}"


def refused_scenario(folder):
    """The plain caller, who takes 503 for an answer."""
    text = (SCENARIOS / "call.xml").read_text()
    answer = '<recv response="200" rrs="true"/>'
    text = text.replace(answer, f'<recv response="503" optional="true" next="1" counter="refused"/>\n  {answer}')
    text = text.replace(answer, answer.replace("/>", ' counter="served"/>'))
    ack = text[text.index("  <send>") :]
    ack = ack[: ack.index("</send>") + len("</send>")]
    lines = ack.replace("ACK [next_url]", "ACK sip:[service]@[remote_ip]:[remote_port]").splitlines()
    # The ACK of a refusal belongs to the INVITE's transaction.
    lines = ["      [last_Via:]" if "Via:" in line else line for line in lines]
    end = '<recv response="200" next="2"/>\n\n  <label id="1"/>\n\n' + "\n".join(lines) + '\n\n  <label id="2"/>\n'
    head, _, tail = text.rpartition('<recv response="200"/>')
    path = folder / "call-refused.xml"
    path.write_text(head + end + tail)
    return path


def speaking_scenario(folder, sound):
    """The plain caller, with a stream of its own for each call and sound on it while the call is held."""
    text = (SCENARIOS / "call.xml").read_text()
    stream = f'<nop>\n    <action>\n      <exec rtp_stream="{sound},-1,0"/>\n    </action>\n  </nop>\n\n  <pause/>'
    text = text.replace("[media_port]", "[rtpstream_audio_port]").replace("<pause/>", stream)
    path = folder / "call-speaking.xml"
    path.write_text(text)
    return path
