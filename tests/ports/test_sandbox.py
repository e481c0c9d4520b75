"""What every Sandbox must do and must keep from happening."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.checks.build import tsc_check
from adapters.checks.material import Material, Report
from adapters.sandbox.docker import DockerSandbox, offered_runtimes, runtime_of
from core.files import FileTree
from core.ports import Sandbox
from tests.needs import bubblewrap, docker_client, own_address

TREE = FileTree({"main.py": b"print('hello')\n", "package/data.txt": b"data\n"})


@pytest.fixture(params=["bubblewrap", "docker"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandbox]:
    if request.param == "bubblewrap":
        yield await bubblewrap(tmp_path / "scratch")
        return
    client = docker_client()
    yield DockerSandbox(client, tmp_path / "scratch", "tests")
    client.close()


async def python(sandbox: Sandbox, code: str, seconds: float = 30, **env: str) -> str:
    return (await sandbox.run(TREE, ["python", "-c", code], env, seconds)).output.strip()


async def test_it_works(sandbox: Sandbox) -> None:
    assert await sandbox.problem() == ""  # type: ignore[attr-defined]


async def test_a_program_runs_over_the_tree(sandbox: Sandbox) -> None:
    ran = await sandbox.run(TREE, ["python", "main.py"], {}, 30)
    assert (ran.exit_code, ran.output.strip(), ran.ended_for) == (0, "hello", "")
    assert (await sandbox.run(TREE, ["python", "-c", "raise SystemExit(7)"], {}, 30)).exit_code == 7
    assert (
        await python(sandbox, "import os; print(os.environ['WHAT'], open('package/data.txt').read())", WHAT="given")
        == "given data"
    )


async def test_a_program_that_does_not_end_is_ended(sandbox: Sandbox) -> None:
    ran = await sandbox.run(TREE, ["python", "-c", "while True: pass"], {}, 2)
    assert (ran.exit_code, ran.ended_for) == (-1, "time")


async def test_output_without_end_is_cut(sandbox: Sandbox) -> None:
    ran = await sandbox.run(
        TREE, ["python", "-c", "import sys\nfor _ in range(3000): sys.stdout.write('x' * 1000)"], {}, 60
    )
    assert len(ran.output) < 300_000


async def test_the_files_and_the_system_are_read_only(sandbox: Sandbox) -> None:
    code = "for path in ('/app/new', '/app/main.py', '/new', '/usr/new', '/etc/new'):\n    try: open(path, 'w'); print('WROTE', path)\n    except OSError: pass\nopen('/tmp/x', 'w').write('x'); print('done')"
    assert await python(sandbox, code) == "done"


async def test_it_is_nobody_and_has_no_rights(sandbox: Sandbox) -> None:
    status = await python(sandbox, "import os; print(os.getuid()); print(open('/proc/self/status').read())")
    assert status.splitlines()[0] == "65532"
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


async def test_nothing_of_the_host_is_in_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    seen = await python(
        sandbox,
        "import glob\nfor path in glob.glob('/proc/[0-9]*/environ'):\n    try: print(open(path, 'rb').read())\n    except OSError: pass",
    )
    assert "very-secret" not in seen


async def test_the_host_and_the_network_are_out_of_reach(sandbox: Sandbox) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        code = (
            "import socket\n"
            f"for address in ('127.0.0.1', '172.17.0.1', '172.30.0.1', '{own_address()}', '169.254.169.254'):\n"
            f"    try: socket.create_connection((address, {port}), 0.5); print('REACHED', address)\n"
            "    except OSError: pass\n"
            "try: socket.gethostbyname('example.com'); print('RESOLVED')\n"
            "except OSError: pass\n"
            "print('done')"
        )
        assert await python(sandbox, code) == "done"


async def test_a_fork_bomb_and_a_memory_bomb_end_inside(sandbox: Sandbox) -> None:
    bomb = "import os, time\nfor n in range(2000):\n    try:\n        if os.fork() == 0: time.sleep(20); os._exit(0)\n    except OSError: print('stopped', flush=True); break\nelse: print('UNLIMITED')\nos._exit(0)"
    assert "stopped" in await python(sandbox, bomb)
    eaten = await sandbox.run(TREE, ["python", "-c", "x = bytearray(8_000_000_000); print('ATE', len(x))"], {}, 60)
    assert "ATE" not in eaten.output
    assert await python(sandbox, "print('still fine')") == "still fine"


async def test_a_full_disk_stays_inside(sandbox: Sandbox) -> None:
    code = "try:\n    with open('/tmp/fill', 'wb') as file:\n        for _ in range(2000): file.write(b'x' * 1_000_000)\n    print('UNLIMITED')\nexcept OSError: print('full')"
    assert await python(sandbox, code, 60) == "full"


async def test_no_sockets_of_daemons_and_no_mounts(sandbox: Sandbox) -> None:
    code = (
        "import os, ctypes\n"
        "print([path for path in ('/var/run/docker.sock', '/run/docker.sock', '/root/.ssh', '/home') if os.path.exists(path)])\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), libc.unshare(0x10000000))\n"
    )
    found = (await python(sandbox, code)).splitlines()
    assert found[0] in ("[]", "['/home']")
    assert found[1] == "-1 -1"


@pytest.mark.parametrize("sandbox", ["docker"], indirect=True)
async def test_system_calls_that_only_attackers_need_are_refused(sandbox: Sandbox) -> None:
    code = (
        "import ctypes, platform, socket\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "x86 = platform.machine() == 'x86_64'\n"
        "calls = dict(io_uring_setup=425, ptrace=101 if x86 else 117, keyctl=250 if x86 else 219, bpf=321 if x86 else 280,\n"
        "    perf_event_open=298 if x86 else 241, userfaultfd=323 if x86 else 282, unshare=272 if x86 else 97,\n"
        "    process_vm_readv=310 if x86 else 270, open_by_handle_at=304 if x86 else 265, io_setup=206 if x86 else 0)\n"
        "for name, number in calls.items():\n"
        "    if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1: print('ALLOWED', name, ctypes.get_errno())\n"
        "for family in (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_CAN, 38):\n"
        "    try: socket.socket(family, socket.SOCK_DGRAM); print('ALLOWED family', family)\n"
        "    except OSError as error: print('ALLOWED family', family) if error.errno != 1 else None\n"
        "for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6): socket.socket(family).close()\n"
        "import threading; thread = threading.Thread(target=print, args=('done',)); thread.start(); thread.join()"
    )
    assert await python(sandbox, code) == "done"


async def test_several_run_at_once(sandbox: Sandbox) -> None:
    found = await asyncio.gather(*(python(sandbox, f"print({number})") for number in range(4)))
    assert found == ["0", "1", "2", "3"]


async def test_nothing_is_left_behind(sandbox: Sandbox, tmp_path: Path) -> None:
    await python(sandbox, "print(1)")
    assert os.listdir(tmp_path / "scratch") == []


async def test_types_of_typescript_are_checked_with_our_configuration(sandbox: Sandbox, tmp_path: Path) -> None:
    check = tsc_check(sandbox, "")
    page = "import { useState } from 'react';\nimport { n } from './n';\nexport const A = () => {\n  const [x, set] = useState(1);\n"
    page += "  return <b onClick={() => set('2')}>{x + n}</b>;\n};\n"
    files = {
        "frontend/src/a.tsx": page.encode(),
        "frontend/src/n.ts": b"export const n: number = 1;\n",
        "frontend/tsconfig.json": b'{"compilerOptions": {"strict": false, "checkJs": true}, "include": ["nothing"]}',
    }
    bad = Material(FileTree(files), tmp_path, None)
    good = Material(FileTree(files | {"frontend/src/a.tsx": page.replace("'2'", "2").encode()}), tmp_path, None)
    assert check.applies(bad)
    assert not check.applies(Material(FileTree({"frontend/a.js": b""}), tmp_path, None))
    report = await check.run(bad)
    if sandbox.name != "docker":
        assert (report.status, report.note) == ("not_run", "there is no Node in this sandbox")
        return
    assert [(one.rule, one.path, one.line, one.level) for one in report.findings] == [
        ("TS2345", "frontend/src/a.tsx", 5, "error")
    ]
    assert await check.run(good) == Report()


@pytest.mark.parametrize("sandbox", ["docker"], indirect=True)
async def test_gvisor_is_taken_only_where_the_engine_has_it_and_it_works(sandbox: Sandbox) -> None:
    client = docker_client()
    there = offered_runtimes(client)
    assert "runc" in there
    assert runtime_of(client, ["runc"]) == ""
    # Named by the engine's configuration, and perhaps not installed.
    assert runtime_of(client, ["runc", "runsc"]) == ("runsc" if "runsc" in there else "")
    client.close()
