"""
How much room files take that were removed and are still open: no walk through folders finds them.

Runs in an app's container as a script with the folder's name, over all processes there; elsewhere over an app's own.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path


def removed_bytes(folder: str, processes: Iterable[str]) -> int:
    """Return the bytes that the file system of `folder` holds for files without a name which `processes` have open."""
    device, sizes = os.stat(folder).st_dev, dict[int, int]()
    for number in processes:
        # A process may end meanwhile, and one that has made itself unreadable is not looked into.
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{number}/fd"):
                with contextlib.suppress(OSError):
                    found = os.stat(f"/proc/{number}/fd/{name}")
                    if found.st_nlink == 0 and found.st_dev == device and stat.S_ISREG(found.st_mode):
                        sizes[found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())


def all_of(process: int) -> list[str]:
    """Return a process and all that came from it."""
    found, left = list[str](), [str(process)]
    while left:
        found.append(number := left.pop())
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{number}/task"):
                left += Path(f"/proc/{number}/task/{task}/children").read_text().split()
    return found


if __name__ == "__main__":
    print(removed_bytes(sys.argv[1], filter(str.isdigit, os.listdir("/proc"))))
