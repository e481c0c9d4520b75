"""The program git, for what its library does not do, or does slowly."""

import os
import shutil
import subprocess
from pathlib import Path

from core.errors import OutsideError

GIT_SECONDS = 300


def git(
    *argv: str,
    check: bool = True,
    cwd: Path | None = None,
    index: Path | None = None,
    said: bytes | None = None,
    seconds: float = GIT_SECONDS,
) -> "subprocess.CompletedProcess[bytes]":
    """
    Run git without the configuration, hooks or prompts of this machine.

    Raises:
        OutsideError: git is not installed, takes longer than `seconds`, or says that it failed and `check` is set.
    """
    program = shutil.which("git")
    if program is None:
        raise OutsideError("git is not installed; install the package git.")
    environment = {
        "PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0", "HOME": "/nonexistent", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "file",
        **({"GIT_INDEX_FILE": str(index)} if index else {}),
    }  # fmt: skip
    safe = [
        part
        for setting in (
            "core.hooksPath=/dev/null", "safe.directory=*", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false",
        )
        for part in ("-c", setting)
    ]  # fmt: skip
    try:
        done = subprocess.run(
            [program, *safe, *argv], capture_output=True, env=environment, timeout=seconds, cwd=cwd, input=said
        )
    except subprocess.TimeoutExpired as error:
        raise OutsideError(f"git {argv[0]} took longer than {seconds:g} s and was ended.") from error
    if check and done.returncode:
        raise OutsideError(f"git failed: {done.stderr.decode('utf-8', 'replace').strip()[:300]}")
    return done
