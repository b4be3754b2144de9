"""The rows of the table: each loads a server in one way and gives figures. Every figure is the server's alone."""

import time

from . import parties
from .canary import Canary
from .servers import Wrong


class Rows:
    """Runs the rows against one server; `scale` shortens or lengthens them."""

    def __init__(self, server, folder, scale, sound=None):
        self.server = server
        self.folder = folder
        self.sound = sound
        self.scale = scale
        # Calls that must have left a CDR, and how many of them were too many for the machine.
        self.calls = 0
        self.failed = 0
        self.parties = []

    def all(self):
        figures = {}
        try:
            self.parties.append(parties.callee(self.folder))
            # Memory first: what earlier calls gave back would be used again. Then what must not have the timers of thousands
            # of ended calls beside it (RFC 3261: J, and L of RFC 6026, 32 s).
            for row in (self.held, self.registered, self.short, self.fastest, self.bridged, self.playing):
                figures |= row()
        finally:
            for party in self.parties:
                party.stop()
        self.server.check(self.calls, self.failed)
        return figures

    def short(self):
        """Short calls without media: CPU per 1,000; and how long a set-up takes meanwhile, by calls made by hand
        (SIPp knows whole milliseconds)."""
        calls = self.count(3000)
        before = self.server.cpu()
        party = self.caller("plain", calls, 200, 0)
        times = []
        while party.process.poll() is None and len(times) < 1000:
            with Canary(self.server, self.server.numbers["plain"]) as canary:
                times.append(canary.setup * 1000)
        self.calls += len(times)
        self.finish(party, calls)
        used = self.server.cpu() - before
        times.sort()
        return {
            "cpu_s_per_1000_calls": used / (calls + len(times)) * 1000,
            "setup_p50_ms": times[len(times) // 2],
            "setup_p99_ms": times[len(times) * 99 // 100],
        }

    def fastest(self):
        """Calls a second without failure: steps of four seconds up to the first that fails."""
        best = 0
        for rate in (200, 400, 600, 800, 1000, 1250, 1500, 1750, 2000, 2500, 3000):
            calls = self.count(rate * 4)
            begin = time.monotonic()
            party = self.caller("plain", calls, rate, 0)
            failed = party.finish()
            took = time.monotonic() - begin
            made = int(party.counts()["TotalCallCreated"])
            self.calls += made
            self.failed += failed
            # SIPp takes a moment to start and to end.
            if failed or took > calls / rate * 1.1 + 1.0:
                break
            best = rate
        self.settle()
        return {"calls_per_s": best}

    def bridged(self):
        """Two-way sound through the server: percent of a core a call."""
        with Canary(self.server, self.server.numbers["bridged"]) as canary:
            canary.echo()
        self.calls += 1
        share = self.share("bridged", 100, lambda canary: canary.echo())
        return {"core_percent_per_bridged_call": share}

    def playing(self):
        """A prompt played in a loop: percent of a core a call."""
        share = self.share("playing", 100, lambda canary: canary.prompt())
        return {"core_percent_per_playing_call": share}

    def held(self):
        """Memory of a call that is up."""
        calls = self.count(1000)
        before = self.server.memory()
        party = self.caller("bridged", calls, 200, calls / 200 + 4)
        party.wait_for_calls(calls)
        used = self.server.memory() - before
        self.finish(party, calls)
        return {"kib_per_held_call": used / calls / 1024}

    def registered(self):
        """Registrations, each with its challenge, for a CPU second."""
        registrations = self.count(5000)
        before = self.server.cpu()
        party = parties.phones(self.folder, self.server, registrations, 500)
        self.parties.append(party)
        if failed := party.finish():
            raise Wrong(f"{failed} of {registrations} registrations failed:\n{party.errors()}")
        used = self.server.cpu() - before
        return {"registrations_per_cpu_s": registrations / max(used, 0.01)}

    def share(self, row, calls, listen):
        """Percent of a core that a call with sound takes while it is up; one more call is listened to."""
        number = self.server.numbers[row]
        seconds = max(4, 8 * self.scale)
        sound = self.sound if row == "bridged" else None
        party = self.caller(row, calls, 50, seconds + 6, speaking=sound)
        party.wait_for_calls(calls)
        before, begin = self.server.cpu(), time.monotonic()
        with Canary(self.server, number) as canary:
            listen(canary)
            time.sleep(max(0, seconds - (time.monotonic() - begin)))
            used, took = self.server.cpu() - before, time.monotonic() - begin
        self.calls += 1
        self.finish(party, calls)
        return used / took / calls * 100

    def caller(self, row, calls, rate, hold, **options):
        party = parties.caller(self.folder, self.server, self.server.numbers[row], calls, rate, hold, **options)
        self.parties.append(party)
        return party

    def finish(self, party, calls):
        if failed := party.finish():
            raise Wrong(f"{self.server.name}: {failed} of {calls} calls failed:\n{party.errors()}")
        self.calls += calls

    def settle(self):
        """Lets what a step above the limit left behind come to its end."""
        time.sleep(2)

    def count(self, calls):
        return max(50, int(calls * self.scale))
