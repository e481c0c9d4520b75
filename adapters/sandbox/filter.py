"""
What bubblewrap hands to the kernel as its filter of system calls: a deny-list, as numbers of this machine.

It bars what `seccomp.py` leaves out of Docker's list: tracing, keys, io_uring, performance counters, bpf, handles of files,
modules, new namespaces, and sockets of any family but UNIX, IPv4, IPv6 and netlink.
"""

import atexit
import os
import platform
import struct
import tempfile
from functools import lru_cache
from pathlib import Path

from adapters.sandbox.seccomp import NEW_NAMESPACES, NOT_THERE, SOCKET_FAMILIES

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_BARRED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "io_setup": (206, 0), "io_submit": (209, 2), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "syslog": (103, 116), "personality": (135, 92), "modify_ldt": (154, -1), "iopl": (172, -1), "ioperm": (173, -1),
    "vhangup": (153, 58), "lookup_dcookie": (212, 18), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "sethostname": (170, 161), "pidfd_getfd": (438, 438), "memfd_secret": (447, 447),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_X32 = 0x40000000
# Codes of the kernel's little filter language: load a word of the call, compare and jump, answer.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE, _KILL, _NOT_PERMITTED = 0x7FFF0000, 0x00050000, 0x80000000, 1


def program(machine: str) -> bytes:
    """
    Return the filter for a kind of machine, b"" for one that is not known.

    Each step is (code, jump when true, jump when false, value), as linux/filter.h has it.
    """
    if machine not in _ARCHITECTURES:
        return b""
    architecture, at = _ARCHITECTURES[machine]
    refuse = (_ANSWER, 0, 0, _REFUSE | _NOT_PERMITTED)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_ANSWER, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), refuse]
    for numbers in _BARRED.values():
        if numbers[at] >= 0:
            steps += [(_EQUAL, 0, 1, numbers[at]), refuse]
    steps += [(_EQUAL, 0, 1, _CLONE3[at]), (_ANSWER, 0, 0, _REFUSE | NOT_THERE)]
    steps += [(_EQUAL, 0, 4, _CLONE[at]), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_ANY_BIT, 0, 1, NEW_NAMESPACES), refuse]
    steps += [
        (_ANSWER, 0, 0, _ALLOW),
        (_EQUAL, 1, 0, _SOCKET[at]),
        (_ANSWER, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
    ]
    for family in SOCKET_FAMILIES.values():
        steps += [(_EQUAL, 0, 1, family), (_ANSWER, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in [*steps, refuse])


@lru_cache
def filter_file() -> Path | None:
    """Return a file with this machine's filter, there as long as this process; None where none is known."""
    content = program(platform.machine())
    if not content:
        return None
    handle, name = tempfile.mkstemp(prefix="tw-filter-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    atexit.register(lambda: Path(name).unlink(missing_ok=True))
    return Path(name)
