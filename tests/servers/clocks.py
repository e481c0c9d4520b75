"""Clocks that a test sets: they begin anywhere, and the time of day jumps."""

import time

from core.clock import Clock


class Hands:
    """Two clocks that stand still until they are moved."""

    def __init__(self, steady: float, now: float) -> None:
        self.steady, self.now = steady, now

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        """Let time go by."""
        self.steady += seconds
        self.now += seconds

    def jumps(self, seconds: float) -> None:
        """Set the time of day; nothing goes by."""
        self.now += seconds


class Running(Hands):
    """Clocks that run as fast as real ones, from where they begin."""

    def __init__(self, steady: float, now: float) -> None:
        super().__init__(steady - time.monotonic(), now - time.time())

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now + time.time(), lambda: self.steady + time.monotonic())
