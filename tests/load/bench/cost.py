"""What a short call costs: by how many come a second, and by how many are up."""

import time

from . import parties
from .rows import Rows

# The busiest that SIPp drives on two cores, and an ordinary day.
RATES = (100, 400, 1000, 2000)
# The load profile has ports for 5,000 calls with media.
CROWDS = (100, 4500)
SECONDS = 5


class Cost(Rows):
    """Milliseconds of the server's CPU time for each short call without sound."""

    def all(self):
        try:
            self.parties.append(parties.callee(self.folder))
            self.caller("plain", 500, 500, 0).finish()
            figures = {f"at_{rate}_a_second": self.cost(rate, self.count(rate * SECONDS)) for rate in RATES}
            for up in CROWDS:
                figures |= self.beside(up)
            return figures
        finally:
            for party in self.parties:
                party.stop()

    def beside(self, up):
        """The same at 400 a second while calls with media agreed are up, in which nobody speaks."""
        calls = self.count(400 * SECONDS)
        held = self.caller("bridged", up, 300, up / 300 + calls / 400 + 12 + SECONDS, name="held", port=5090)
        held.wait_for_calls(up)
        # Timers I and K of their set-ups (RFC 3261: T4) are no part of the short calls.
        time.sleep(6)
        # What the held calls cost by themselves, reports of RTCP above all, is no part of them either.
        began, before = time.monotonic(), self.server.cpu()
        time.sleep(SECONDS)
        own = (self.server.cpu() - before) / (time.monotonic() - began)
        began = time.monotonic()
        cost = self.cost(400, calls)
        took = time.monotonic() - began
        held.stop()
        self.settle()
        return {
            f"beside_{up}_held": cost - own * took / calls * 1000,
            f"beside_{up}_held_with_theirs": cost,
            f"percent_of_a_core_of_{up}_held": own * 100,
        }

    def cost(self, rate, calls):
        before = self.server.cpu()
        self.finish(self.caller("plain", calls, rate, 0), calls)
        # What follows a call, its record above all, is a part of it.
        time.sleep(0.5)
        return (self.server.cpu() - before) / calls * 1000
