"""Say what a test needs that this machine lacks; with REQUIRE_ALL=1 that is a failure, not a skip."""

import os

import pytest


def missing(what: str, how: str) -> None:
    """Skip the test, or fail it where everything has to be there."""
    text = f"needs {what}: {how}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)
