"""
What time it is. There are two clocks, and each lies in its own way.

`now` is the time of day in Unix seconds: it is set, and may jump either way by any amount. `steady` only grows, but begins
anywhere: near 0 on a machine that has just started. What waits for a while asks `steady` and compares with a reading of it, never
with a number; what is stored, shown or signed asks `now`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Both clocks, each in seconds."""

    now: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


APART_SECONDS = 900
"""How far the time of day here may be from that of a chat platform."""
SYSTEM = Clock()
