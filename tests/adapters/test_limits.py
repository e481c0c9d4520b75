"""Where the bot itself is limited, its sandboxes are limited no less, and they work."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.sandbox.bubblewrap import private
from tests.needs import bubblewrap
from tests.servers.process import ROOT

TRY = """
import asyncio, sys
from pathlib import Path
from adapters.documents import Documents
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from core.files import FileTree
async def main():
    box = BubblewrapSandbox(Path(sys.argv[1]) / "scratch")
    print(await box.problem() or "sandbox works")
    ran = await box.run(FileTree({}), ["python", "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_FSIZE))"], {}, 60)
    print(ran.output.strip())
    try:
        await Documents(Path(sys.argv[1]) / "documents").text("a.docx", b"no document")
    except Exception as error:
        print("limit" in str(error))
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("-n 256", "(256, 256), (268435456, 268435456)"), ("-f 100000", "(1024, 1024), (102400000, 102400000)")],
)
async def test_a_lower_limit_of_our_own_holds_in_the_sandbox_too(tmp_path: Path, limit: str, expected: str) -> None:
    await bubblewrap(tmp_path / "probe")
    command = f'ulimit {limit} && exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["/bin/bash", "-c", command, sys.executable, TRY, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    lines = done.stdout.splitlines()
    assert lines[:1] == ["sandbox works"], done.stdout + done.stderr
    assert lines[1].replace(") (", "), (") == expected
    assert lines[2] == "False"


def test_an_installation_that_only_root_may_read_is_said_with_what_to_do(tmp_path: Path) -> None:
    for name, mode in (("open", 0o755), ("bwrap", 0o700)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    places = [tmp_path / "open", tmp_path / "nowhere", tmp_path / "bwrap"]
    assert private(places[:2]) == ""
    assert private(places) == (
        f"the sandbox's user may not read {tmp_path / 'bwrap'}; `chmod -R a+rX {sys.prefix}` lets it"
    )
