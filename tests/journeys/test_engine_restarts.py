"""The Docker engine is restarted under a bot, and takes every container along: people see a sentence, then their app again."""

import os
import subprocess
import sys
from pathlib import Path

from tests.needs import docker_client
from tests.servers.engine import own_engine

ROOT = Path(__file__).parents[2]


def test_an_engine_that_is_restarted_brings_previews_back(tmp_path: Path) -> None:
    docker_client().close()
    with own_engine() as engine:
        bot = subprocess.Popen(
            engine.command(sys.executable, "-m", "tests.journeys.engine_restarts", str(tmp_path / "data")),
            cwd=ROOT, env=os.environ | {"DOCKER_HOST": engine.address}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert bot.stdin is not None
        assert bot.stdout is not None
        try:
            assert bot.stdout.readline() == "built done docker\n"
            assert bot.stdout.readline() == "page 200\n"
            engine.end()
            print("ended", file=bot.stdin, flush=True)
            assert bot.stdout.readline() == "without 503 True\n"
            engine.start()
            print("started", file=bot.stdin, flush=True)
            assert bot.stdout.readline() == "again 200 True\n"
            assert bot.stdout.readline() == "changed done docker\n"
            assert bot.wait(60) == 0
        finally:
            bot.kill()
            bot.wait()
