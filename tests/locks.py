"""Write the lock file of the builder's front ends anew: `make lock`."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers.process import ROOT

FRONTEND = ROOT / "adapters/llm/builtin/templates/react"
OPTIONS = ["--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund", "--silent"]


def complete(lock: dict[str, Any]) -> dict[str, Any]:
    """
    Return a lock without the optional packages that the registry does not have.

    npm leaves them out and still names them, and then refuses such a lock in `npm ci`.
    """
    there = {path.rpartition("node_modules/")[2] for path in lock["packages"]}
    for package in lock["packages"].values():
        wanted = package.pop("optionalDependencies", {})
        if kept := {name: version for name, version in wanted.items() if name in there}:
            package["optionalDependencies"] = kept
    return lock


def main() -> None:
    """Let npm resolve the packages, and keep what it found."""
    with tempfile.TemporaryDirectory() as folder:
        text = (FRONTEND / "package.json.j2").read_text().replace("{{ package | js }}", '"app"')
        Path(folder, "package.json").write_text(text)
        subprocess.run(["npm", "install", *OPTIONS], cwd=folder, check=True)
        lock = complete(json.loads(Path(folder, "package-lock.json").read_text()))
    (FRONTEND / "package-lock.json").write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
