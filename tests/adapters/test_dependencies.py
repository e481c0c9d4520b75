"""Packages that apps ask for: judged by what the registry knows, installed in a sandbox that reaches nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.checks.imports import imports_check
from adapters.checks.material import Material, Report
from adapters.checks.packages import packages_check
from adapters.dependencies.egress import egress
from adapters.dependencies.install import Packages
from adapters.dependencies.registry import Registries
from adapters.dependencies.wanted import MAX_PACKAGES, Wanted, wanted
from adapters.preview.host import Previews
from adapters.preview.runtime import BubblewrapRuntime
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.docker import DockerSandbox
from core.errors import OutsideError
from core.files import FileTree
from tests.adapters.test_previews import MANIFEST
from tests.needs import bubblewrap, docker_client
from tests.servers.registry import Registry, serving

Box = BubblewrapSandbox | DockerSandbox


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as registry:
        registry.add("humanise", "1.0", "def say(n): return f'{n} things'\n")
        registry.add("humanise", "2.0", "def say(n): return f'{n} new things'\n", days=1)
        yield registry


@pytest.fixture(params=["bubblewrap", "docker"])
async def box(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Box]:
    if request.param == "bubblewrap":
        yield await bubblewrap(tmp_path / "scratch")
        return
    client = docker_client()
    yield DockerSandbox(client, tmp_path / "scratch", f"test-packages-{os.getpid()}")
    client.close()


def packages_of(box: Box, registry: Registry, tmp_path: Path, most_bytes: int = 1_000_000_000) -> Packages:
    registries = Registries(f"{registry.url}/simple", f"{registry.url}/npm")
    box.packages = Packages(
        tmp_path / "packages", registries, box.install, box.name, 7, node=box.name == "docker", most_bytes=most_bytes
    )
    return box.packages


def asking(requirements: str = "", code: str = "", **files: str) -> FileTree:
    named = {name.replace("__", "/").replace("_json", ".json"): text.encode() for name, text in files.items()}
    return FileTree({"requirements.txt": requirements.encode(), "a.py": code.encode()} | named)


async def judged(packages: Packages | None, tree: FileTree) -> Report:
    return await packages_check(packages).run(Material(tree, Path(), None))


async def test_what_an_app_asks_for_is_installed_once_and_there_when_it_runs(
    box: Box, registry: Registry, tmp_path: Path
) -> None:
    packages = packages_of(box, registry, tmp_path)
    tree = asking("fastapi\nhumanise>=1 # words\n", "import humanise\nprint(humanise.say(3))\n")
    assert (await judged(packages, tree)).note == "1 installed"
    before = list(registry.asked)
    ran = await box.run(tree, ["python", "a.py"], {}, 30)
    assert (ran.exit_code, ran.output) == (0, "3 things\n"), "the version of yesterday is too young"
    again = await box.run(
        tree.changed({"b.py": b""}), ["python", "-c", "import humanise, os; os.remove(humanise.__file__)"], {}, 30
    )
    assert "Read-only file system" in again.output
    assert registry.asked == before
    report = await imports_check(packages).run(Material(tree, Path(), None))
    assert report.findings == ()


async def test_packages_come_with_nothing_that_runs_and_reach_nothing_else(
    box: Box, registry: Registry, tmp_path: Path
) -> None:
    with serving() as elsewhere:
        elsewhere.add("evil", "1.0", "x = 1\n")
        registry.add("lure", "1.0", requires=f"evil @ {elsewhere.url}/files/evil-1.0-py3-none-any.whl")
        packages = packages_of(box, registry, tmp_path)
        report = await judged(packages, asking("lure"))
        assert f"it wanted to reach {elsewhere.url.removeprefix('http://')}" in report.findings[0].message
        assert elsewhere.asked == []
    assert [path.name for path in (tmp_path / "packages").iterdir()] == []


@pytest.mark.parametrize("box", ["docker"], indirect=True)
async def test_packages_of_node_are_installed_without_their_scripts(
    box: Box, registry: Registry, tmp_path: Path
) -> None:
    registry.add_node(
        "tidy", "1.0.0", "export const tidy = 'tidy';\n", scripts={"postinstall": "touch /data/ran /app/ran"}
    )
    registry.add_node("tidy", "1.1.0", "export const tidy = 'young';\n", days=2)
    packages = packages_of(box, registry, tmp_path)
    wish = '{"dependencies": {"tidy": "^1.0.0", "react": "*"}}'
    tree = asking(frontend__package_json=wish).changed(
        {"frontend/a.mjs": b"import { tidy } from 'tidy';\nconsole.log(tidy);\n"}
    )
    assert (await judged(packages, tree)).findings == ()
    (unused,) = (await judged(packages, tree.changed({"frontend/a.mjs": b"console.log(1);\n"}))).findings
    assert (unused.rule, unused.path) == ("unused-package", "frontend/package.json")
    ran = await box.run(tree, ["node", "frontend/a.mjs"], {}, 30)
    assert ran.output == "tidy\n"
    layer = await packages.layer(tree)
    assert layer is not None
    assert sorted(path.name for path in layer.iterdir()) == ["node_modules"]
    assert (await imports_check(packages).run(Material(tree, Path(), None))).findings == ()


@pytest.mark.parametrize(
    ("wish", "rule", "said"),
    [
        ("requestz", "package", "There is no package requestz in the registry. Did you mean requests?"),
        ("nobody-has-made-this", "package", "There is no package nobody-has-made-this in the registry."),
        ("fresh", "young-package", "exists only for days"),
        ("reqeusts", "typosquat", "reads like requests"),
        ("humanise>=2", "package", "was published only days ago"),
        ("humanise>=3", "package", "No version of humanise fits >=3; the registry has 1.0, 2.0."),
        ("brings", "package", "fresh 1.0, which comes along, is younger than 7 days"),
        ("lies", "package", "fresh 1.0, which comes along, is younger than 7 days"),
        ("wants", "package", "could not be installed"),
        ("fresh; os_name ~= 'posix'", "requirement", "is no requirement"),
        ("git+https://example.com/x.git", "requirement", "is no requirement"),
        ("x @ https://example.com/x.whl", "requirement", "comes from an address"),
        ("--extra-index-url https://example.com", "requirement", "is no requirement"),
        ("-r /etc/passwd", "requirement", "is no requirement"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    wish: str, rule: str, said: str, registry: Registry, tmp_path: Path
) -> None:
    registry.add("fresh", "1.0", days=2)
    registry.add("reqeusts", "1.0", days=90)
    registry.add("brings", "1.0", requires="fresh")
    registry.add("lies", "1.0", requires="fresh")
    registry.add("wants", "1.0", requires="nothing-like-it")
    if wish == "lies":
        registry.add("fresh", "1.0", days=2, called="0")
    packages = packages_of(await bubblewrap(tmp_path / "scratch"), registry, tmp_path)
    (finding,) = (await judged(packages, asking(f"fastapi\n{wish}\n"))).findings
    assert (finding.rule, finding.level) == (rule, "error")
    assert said in finding.message
    assert finding.line in (0, 2)


async def test_versions_are_found_that_go_together_and_are_old_enough(registry: Registry, tmp_path: Path) -> None:
    registry.add("alpha", "1.0", "version = 1\n")
    registry.add("alpha", "2.0", "version = 2\n")
    registry.add("beta", "1.0", requires="alpha<2")
    registry.add("delta", "1.0", requires="young>=1")
    registry.add("young", "1.0", "version = 1\n")
    registry.add("young", "1.1", "version = 11\n", days=1)
    box = await bubblewrap(tmp_path / "scratch")
    packages = packages_of(box, registry, tmp_path)
    tree = asking(
        "\ufeffalpha>=1\t# any\r\nalpha<9\r\n\r\nbeta\r\ndelta\r\n",
        "import alpha, young\nprint(alpha.version, young.version)\n",
    )
    assert {one.rule for one in (await judged(packages, tree)).findings} == {"unused-package"}
    assert (await box.run(tree, ["python", "a.py"], {}, 30)).output == "1 1\n"
    # What is published meanwhile is seen to be too young.
    registry.add("gamma", "1.0", requires="young")
    registry.add("young", "6.6.6", days=0.1)
    packages.registries._known.clear()
    later = asking("gamma", "import young\nprint(young.version)\n")
    assert {one.rule for one in (await judged(packages, later)).findings} == {"unused-package"}
    assert (await box.run(later, ["python", "a.py"], {}, 30)).output == "1\n"
    assert sorted(path.name[0] for path in (tmp_path / "packages").iterdir() if path.name.startswith(".")) == []


async def test_an_index_of_mere_pages_and_odd_versions_will_do(registry: Registry, tmp_path: Path) -> None:
    registry.add("dated", "2024.01.02", "x = 1\n", called="2024.1.2")
    registry.add("needs", "1.0", requires="dated")
    packages = packages_of(await bubblewrap(tmp_path / "scratch"), registry, tmp_path)
    code = "import needs, humanise"
    assert (await judged(packages, asking("needs", code))).findings == ()
    registry.pages_only = True
    packages.registries._known.clear()
    assert (await judged(packages, asking("humanise<2", code))).findings == ()


async def test_what_is_asked_for_and_not_used_is_noted(registry: Registry, tmp_path: Path) -> None:
    registry.add("spare", "1.0", "x = 1\n")
    packages = packages_of(await bubblewrap(tmp_path / "scratch"), registry, tmp_path)
    report = await judged(
        packages, asking("humanise\nspare\n", "try:\n    import humanise\nexcept ImportError:\n    pass\n")
    )
    assert [(one.rule, one.level, one.line) for one in report.findings] == [("unused-package", "note", 2)]
    assert report.note == "2 installed"


async def test_what_unpacks_to_more_than_there_is_room_for_is_ended(registry: Registry, tmp_path: Path) -> None:
    registry.add("bomb", "1.0", "#" * 200_000_000)
    packages = packages_of(await bubblewrap(tmp_path / "scratch"), registry, tmp_path, most_bytes=20_000_000)
    (finding,) = (await judged(packages, asking("bomb"))).findings
    assert "More than 20 MB" in finding.message


def test_only_names_and_ranges_of_a_registry_are_asked_for() -> None:
    wish = '{"dependencies": {"a": "git+ssh://x/y", "../b": "1", "c": "file:../c", "d": "npm:e@1", "h": "..", "i": "a.tgz", "j": "-x", "@f/g": "^1.2 || 3.x"}}'
    found = wanted(asking(package_json=wish))
    assert [one.name for one in found.node] == ["@f/g"]
    assert len(found.refused) == 7
    assert wanted(asking(package_json='\ufeff{"dependencies": {"a": "1.0.0+build"}}')).node[0].versions == "1.0.0+build"
    assert wanted(asking(package_json="[" * 200_000)) == Wanted()
    assert wanted(asking("\n".join(f"p{n}" for n in range(MAX_PACKAGES + 1)))).refused
    assert wanted(asking("pytest\nFastAPI>=0.1\nPydantic ; python_version > '3'", package_json="[1]")).python == ()


async def test_without_a_registry_nothing_is_to_be_had(registry: Registry, tmp_path: Path) -> None:
    assert "cannot be installed here" in (await judged(None, asking("humanise"))).findings[0].message
    packages = packages_of(await bubblewrap(tmp_path / "scratch"), registry, tmp_path)
    registry.add_node("left", "1.0.0")
    with pytest.raises(OutsideError, match="sandbox of Docker"):
        await judged(packages, asking(package_json='{"dependencies": {"left": "1"}}').changed({}))
    packages.registries.pypi = "http://127.0.0.1:9/"
    with pytest.raises(OutsideError, match="does not answer"):
        await judged(packages, asking("humanise"))


async def test_a_preview_has_the_packages_too(registry: Registry, tmp_path: Path) -> None:
    sandbox = await bubblewrap(tmp_path / "scratch")
    packages = packages_of(sandbox, registry, tmp_path)
    (tmp_path / "previews").mkdir()
    runtime = BubblewrapRuntime(sandbox, tmp_path)
    host = Previews(tmp_path / "previews", tmp_path / "shots", runtime, "", lambda slug: slug, None, packages=packages)
    code = "import humanise\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef page() -> str: return humanise.say(2)\n"
    tree = FileTree({"main.py": code.encode(), "requirements.txt": b"humanise==1.0\n"})
    state = await host.show("s", "words", "1" * 12, tree, MANIFEST)
    assert (state.state, state.note) == ("ready", "")
    broken = await host.show("s", "words", "2" * 12, tree.changed({"requirements.txt": b"humanise==7\n"}), MANIFEST)
    assert (broken.state, "No version of humanise fits ==7" in broken.note) == ("failed", True)
    await host.close()


async def test_the_way_out_leads_to_the_registry_alone(registry: Registry, tmp_path: Path) -> None:
    port = int(registry.url.rpartition(":")[2])
    path = tmp_path / "out.sock"

    async def said(words: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(words)
        answer = await reader.read(4_096)
        writer.close()
        return answer.partition(b"\r\n")[0]

    async with egress(path, frozenset({("127.0.0.1", port)}), 20_000) as refused:
        assert b"200" in await said(f"GET {registry.url}/simple/humanise/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        for words in (
            "GET http://127.0.0.1:1/ HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1", "CONNECT [::1]:22 HTTP/1.1",
            f"POST {registry.url}/ HTTP/1.1", "GET http://169.254.169.254/latest HTTP/1.1", "CONNECT localhost:{port} HTTP/1.1",
        ):  # fmt: skip
            answer = await said(f"{words.format(port=port)}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert answer in (b"HTTP/1.1 403 Forbidden", b""), words
        for odd in (b"\xff\xff\r\n\r\n", b"GET\r\n\r\n", b"CONNECT x:y HTTP/1.1\r\n\r\n", b"x" * 70_000):
            assert await said(odd) in (b"", b"HTTP/1.1 403 Forbidden")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{registry.url}/simple/humanise/")).status_code == 200
        assert "127.0.0.1:1" in refused
        many = [
            await said(f"GET {registry.url}/simple/humanise/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for _ in range(60)
        ]
        assert (many[-1], "more than 20,000 bytes" in refused) == (b"", True)
