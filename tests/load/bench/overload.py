"""Three times the load that the server can serve, for two minutes, on top of calls that are up.

The server has one core and SIPp the others: where both share them, a flood measures SIPp.
"""

import os
import time

from . import parties
from .rows import Rows
from .servers import Wrong

# Seconds of the flood, and calls that are up all the while.
LENGTH = 120
HELD = 200


class Overload:
    """One run; `scale` shortens or lengthens it."""

    def __init__(self, server, folder, scale):
        self.server = server
        self.folder = folder
        self.scale = scale
        self.rows = Rows(server, folder, scale)

    def all(self):
        rows = self.rows
        try:
            rows.parties.append(parties.callee(self.folder))
            best = rows.fastest()["calls_per_s"]
            if not best:
                raise Wrong(f"{self.server.name} serves no rate without failure")
            return {"best_per_s": best} | self.flood(best)
        finally:
            for party in rows.parties:
                party.stop()

    def flood(self, best):
        length = max(5, LENGTH * self.scale)
        held = parties.caller(self.folder, self.server, "uas", HELD, 100, length + 30, name="held", port=5071)
        self.rows.parties.append(held)
        held.wait_for_calls(HELD)
        calls, begin = int(3 * best * length), time.monotonic()
        flood = parties.flood(self.folder, self.server, calls, 3 * best)
        self.rows.parties.append(flood)
        failed, took = flood.finish(), time.monotonic() - begin
        counts = flood.counts()
        served, refused = int(counts["served(C)"]), int(counts["refused(C)"])
        if failed or served + refused != calls:
            raise Wrong(
                f"of {calls} calls {served} were served and {refused} refused, {failed} failed:\n{flood.errors()}"
            )
        if lost := held.finish():
            raise Wrong(f"{lost} of {HELD} calls that were up did not end well:\n{held.errors()}")
        return {
            "offered_per_s": calls / took,
            "served_per_s": served / took,
            "served_of_best": served / took / best,
            "refused": refused,
            "held": HELD,
        }


def cores():
    """The server's core, and SIPp's: this process and all that it starts from now on move to the latter."""
    first, *rest = sorted(os.sched_getaffinity(0))
    if not rest:
        raise Wrong("two cores are needed: one for the server, one for those who flood it")
    os.sched_setaffinity(0, rest)
    return first
