"""What an app stores lies on a disk of its own: the kernel holds the limit, whatever the app does to hide its files."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.preview.containers import DockerRuntime
from adapters.preview.disks import attach, detach, why_no_disks
from adapters.preview.host import PAST, Previews
from adapters.preview.runtime import BubblewrapRuntime, Runtime
from adapters.preview.versions import Home
from core.errors import OutsideError
from core.files import FileTree
from tests.adapters.test_previews import MANIFEST, got
from tests.needs import bubblewrap, docker_client, missing

MEGABYTE = 1024 * 1024
MOST = 8 * MEGABYTE
STORING = """
import os, pathlib
from fastapi import FastAPI
app = FastAPI()
DATA = os.environ["DATA_DIR"]
kept = []
def filled(file):
    written = 0
    try:
        while written < 64 << 20:
            written += os.write(file.fileno(), bytes(1 << 16))
    except OSError as error:
        return {"written": written, "error": error.strerror}
    return {"written": written, "error": ""}
@app.get("/")
def page():
    return sorted(os.listdir(DATA))
@app.get("/note/{text}")
def note(text: str):
    pathlib.Path(DATA, text).touch()
@app.get("/plain")
def plain():
    with open(f"{DATA}/plain", "wb") as file:
        return filled(file)
@app.get("/hidden")
def hidden():
    file = open(f"{DATA}/hidden", "wb")
    os.unlink(f"{DATA}/hidden")
    kept.append(file)
    return filled(file)
@app.get("/deep")
def deep():
    os.chdir(DATA)
    for _ in range(40):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    with open("deep", "wb") as file:
        return filled(file)
@app.get("/clear")
def clear():
    os.truncate(f"{DATA}/plain", 0)
"""
FILES, ONE, TWO = FileTree({"main.py": STORING.encode()}), "1" * 12, "2" * 12


@pytest.fixture(params=["docker", "bubblewrap"])
async def previews(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Previews]:
    if why := why_no_disks(tmp_path):
        missing("root, mkfs.ext4 and loop devices", why)
    homes = tmp_path / "previews"
    homes.mkdir()
    runtime: Runtime
    if request.param == "docker":
        client = docker_client()
        runtime = DockerRuntime(client, f"test-disks-{os.getpid()}", homes, 1, "", MOST)
        await asyncio.to_thread(runtime.prepare)
        runtime.fill()
        sockets = None
    else:
        box = await bubblewrap(tmp_path / "scratch")
        sockets = tempfile.TemporaryDirectory(prefix="tw-")
        runtime = BubblewrapRuntime(box, Path(sockets.name), MOST)
    host = Previews(homes, tmp_path / "shots", runtime, "", lambda slug: slug, None, data_bytes=MOST)
    yield host
    await host.close()
    if sockets:
        sockets.cleanup()
    assert mounted(tmp_path) == []


def mounted(below: Path) -> list[list[str]]:
    """Return the mounts below a folder."""
    return [line.split() for line in Path("/proc/mounts").read_text().splitlines() if f" {below}/" in line]


async def get(previews: Previews, path: str, slug: str = "app") -> object:
    return json.loads((await got(previews, slug, path))[0])


async def told(previews: Previews) -> list[str]:
    previews._weighed = 0.0
    await previews.weigh()
    return [one.kind for _, _, found in await previews.troubles() for one in found if one.fingerprint == "full"]


async def shown(previews: Previews, commit: str, slug: str = "app") -> str:
    state = await previews.show("s", slug, commit, FILES, MANIFEST)
    return state.state if state.state == "ready" else f"{state.state}: {state.note}"


@pytest.mark.parametrize("way", ["plain", "hidden", "deep"])
async def test_the_kernel_holds_the_limit_however_it_is_tried_to_pass(
    previews: Previews, tmp_path: Path, way: str
) -> None:
    assert await shown(previews, ONE) == "ready"
    assert await get(previews, "/") == []
    [(_, place, kind, options, *_)] = mounted(tmp_path / "previews" / "app")
    assert (place, kind) == (str(tmp_path / "previews" / "app" / "data"), "ext4")
    assert {"nosuid", "nodev"} <= set(options.split(","))
    assert await told(previews) == []
    answer = await get(previews, f"/{way}")
    assert isinstance(answer, dict)
    assert answer["error"] == "No space left on device"
    assert MOST * 0.7 < answer["written"] < MOST * 1.5
    # It goes on, and its thread is told.
    assert await told(previews) == ["Storage full"]
    assert previews.version("app") == ONE
    if way == "plain":
        await get(previews, "/clear")
        assert await told(previews) == []


async def test_what_was_stored_outlives_versions_ends_and_restarts_until_it_is_reset(
    previews: Previews, tmp_path: Path
) -> None:
    assert await shown(previews, ONE) == "ready"
    await get(previews, "/note/first")
    assert await shown(previews, TWO) == "ready"
    assert await get(previews, "/") == ["first"]
    await previews.end("app")
    # A version of before may linger for two seconds; its container sees the disk until it has ended.
    assert await previews.wake("app", TWO, FILES, MANIFEST) == ""
    assert await get(previews, "/") == ["first"]
    past = f"app{PAST}{ONE}"
    assert await previews.wake(past, ONE, FILES, MANIFEST) == ""
    await get(previews, "/note/then", past)
    await previews.end(past)
    assert not (tmp_path / "previews" / past).exists()
    assert await get(previews, "/") == ["first"]
    await previews.reset("app")
    assert await previews.wake("app", TWO, FILES, MANIFEST) == ""
    assert await get(previews, "/") == []


def test_a_new_disk_takes_over_what_lay_in_the_folder_and_an_unreadable_one_starts_nothing_empty(
    tmp_path: Path,
) -> None:
    if why := why_no_disks(tmp_path):
        missing("root, mkfs.ext4 and loop devices", why)
    home = Home(tmp_path / "app")
    home.make()
    (home.data / "deep").mkdir()
    (home.data / "deep" / "kept.db").write_bytes(b"rows")
    os.chown(home.data / "deep" / "kept.db", 61_001, 61_001)
    home.make(MOST)
    try:
        assert home.on_disk
        assert (home.data / "deep" / "kept.db").read_bytes() == b"rows"
        assert (home.data / "deep" / "kept.db").stat().st_uid == 61_001
        assert [one.name for one in home.data.iterdir()] == ["deep"]
    finally:
        home.detach()
    assert list(home.data.iterdir()) == []
    # A bot that makes no new disks mounts those that are there.
    home.make()
    assert home.on_disk
    home.detach()
    # Where it cannot: better no preview than one that has lost all.
    home.disk.write_bytes(b"no file system")
    with pytest.raises(OutsideError, match=r"data\.img, and mount failed"):
        home.make(MOST)
    home.remove()
    assert not home.folder.exists()


def test_what_does_not_fit_on_a_disk_stays_in_its_folder_and_is_counted(tmp_path: Path) -> None:
    if why := why_no_disks(tmp_path):
        missing("root, mkfs.ext4 and loop devices", why)
    home = Home(tmp_path / "app")
    home.make()
    (home.data / "large").write_bytes(os.urandom(4 * MOST))
    home.make(MOST)
    assert not home.on_disk
    assert not home.disk.exists()
    assert (home.data / "large").stat().st_size == 4 * MOST
    with pytest.raises(OutsideError, match=r"mkfs\.ext4 failed"):
        attach(home.data, home.disk, MOST)
    detach(home.data)
    assert [one.name for one in home.folder.iterdir() if one.is_file()] == []


def test_why_there_are_no_disks_is_a_sentence(tmp_path: Path) -> None:
    assert "cannot be written" in why_no_disks(tmp_path / "nowhere") or os.geteuid() != 0
    if (child := os.fork()) == 0:
        if os.geteuid() == 0:
            os.setuid(65_534)
        os._exit(why_no_disks(tmp_path) != "the bot is not root")
    assert os.waitpid(child, 0)[1] == 0
