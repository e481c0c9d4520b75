"""A turn in which everything stands still, again after the start: the bot ends itself, and after the second time the turn."""

import subprocess
import sys
from pathlib import Path

from tests.servers.model import model_server
from tests.servers.process import seeded

ROOT = Path(__file__).parents[2]


def test_a_turn_in_which_everything_stood_still_twice_is_ended(tmp_path: Path) -> None:
    data = seeded(tmp_path / "data")
    with model_server(delay=0.3) as model:

        def run(how: str) -> subprocess.CompletedProcess[str]:
            argv = [sys.executable, "-m", "tests.journeys.freezing_bot", str(data), model.url, how]
            return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=240)

        for _ in range(2):
            frozen = run("freeze")
            assert frozen.returncode == 1, frozen.stderr
            assert "freezing_bot.py" in (data / "frozen.log").read_text()
        ended = run("go on")
    assert ended.stdout.startswith("failed While I worked on this, everything in me stood still twice"), ended.stderr
    assert (data / "frozen.log").read_text() == ""
    assert "freezing_bot.py" in (data / "frozen-before.log").read_text()


def test_a_turn_in_which_everything_stood_still_once_goes_on(tmp_path: Path) -> None:
    data = seeded(tmp_path / "data")
    with model_server(delay=0.3) as model:
        argv = [sys.executable, "-m", "tests.journeys.freezing_bot", str(data), model.url]
        assert subprocess.run([*argv, "freeze"], cwd=ROOT, capture_output=True, timeout=240).returncode == 1
        ended = subprocess.run([*argv, "go on"], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert ended.stdout.startswith("unverified "), ended.stderr
