"""
Runs inside pytest, in the sandbox: at the end it says what came of each test, under the secret of this run.

An app's code runs in the same process and may print what it likes, or end the process; what it prints does not count.
"""

import json
import os

import pytest

SECRET = os.environ.pop("THREADWRIGHT_RUN", "")
# Taken before pytest catches what is printed.
OUT = os.dup(1)
MOST_NAMES, MOST_CHARS = 500, 300
collected = 0
outcomes: dict[str, str] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count the tests that will run."""
    global collected
    collected = len(session.items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what came of a test; one that fails in its set-up or after its end has failed."""
    if report.failed or report.nodeid not in outcomes or outcomes[report.nodeid] == "passed":
        outcomes[report.nodeid] = report.outcome


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Print it all as one line."""
    passed = [name[:MOST_CHARS] for name, outcome in outcomes.items() if outcome == "passed"]
    counts = {kind: sum(outcome == kind for outcome in outcomes.values()) for kind in ("passed", "failed", "skipped")}
    report = {"exit": int(exitstatus), "collected": collected, "counts": counts, "names": passed[:MOST_NAMES]}
    os.write(OUT, f"\n{SECRET} {json.dumps(report)}\n".encode())
