"""Manifests are strict, bounded, and consistent in themselves."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.manifests import BESIDE_PATH, MANIFEST_PATH, AppManifest, Plan, manifest_of, manifest_path, read_manifest

MINIMAL: dict[str, Any] = {
    "name": "shop", "title": "Shop", "analysis": "A shop.", "kind": "static",
    "files": [{"path": "index.html", "role": "uix", "description": "The page"}],
}  # fmt: skip
FIELD = {"name": "a", "label": "A"}
MODEL = {"name": "item", "label": "Item", "plural": "Items", "fields": [FIELD]}


def with_files(*paths: str) -> dict[str, Any]:
    return MINIMAL | {"files": [{"path": path, "role": "uix", "description": "x"} for path in paths]}


def test_a_manifest_survives_its_file() -> None:
    manifest = AppManifest.model_validate(MINIMAL)
    assert read_manifest(manifest.to_bytes()) == manifest
    assert manifest.to_bytes().endswith(b"}\n")
    found = manifest.file("index.html")
    assert found is not None
    assert found.description == "The page"
    assert manifest.file("other") is None


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]", b'{"version": 2}', b"\xff"])
def test_a_file_that_does_not_fit_is_no_manifest(content: bytes | None) -> None:
    assert read_manifest(content) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"surprise": 1}, "Extra inputs"),
        ({"name": "Shop!"}, "pattern"),
        ({"title": "x" * 81}, "at most 80"),
        ({"files": []}, "at least 1"),
        (with_files("../../etc/passwd"), "part"),
        (with_files(".git/config"), "git's own files"),
        (with_files("/etc/passwd"), "relative"),
        (with_files("A.md", "a.md"), "upper and lower case"),
        (with_files("a", "a"), "two files have one path"),
        (with_files("app.json"), "not written by roles"),
        (with_files(*(f"f{number}" for number in range(10_000))), "at most 200"),
        ({"models": [MODEL, MODEL]}, "two models have one name"),
        ({"models": [MODEL | {"fields": [FIELD, FIELD]}]}, "two fields of one name"),
        ({"models": [MODEL | {"order_by": "-b"}]}, "no field of it"),
        ({"models": [MODEL | {"fields": [FIELD | {"type": "choice"}]}]}, "needs choices"),
        ({"models": [MODEL | {"fields": [FIELD | {"type": "relation"}]}]}, "needs a target"),
        ({"models": [MODEL | {"fields": [FIELD | {"type": "relation", "target": "ghost"}]}]}, "unknown model 'ghost'"),
        ({"pages": [{"path": "/", "title": "x", "model": "ghost"}]}, "unknown model 'ghost'"),
        ({"theme": {"accent": "red"}}, "pattern"),
        ({"start": ["x\n"]}, "pattern"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AppManifest.model_validate(MINIMAL | change)


def test_a_plan_writes_only_files_of_its_manifest() -> None:
    Plan.model_validate({"manifest": MINIMAL, "write": ["index.html"], "remove": ["old.html"]})
    with pytest.raises(ValidationError, match="not among the manifest's files"):
        Plan.model_validate({"manifest": MINIMAL, "write": ["other.html"]})
    with pytest.raises(ValidationError, match="still among"):
        Plan.model_validate({"manifest": MINIMAL, "remove": ["index.html"]})


@pytest.mark.parametrize(
    ("kind", "start", "serverless", "bundled", "command"),
    [
        ("static", [], True, False, ["python", "-m"]),
        ("fastapi", ["uvicorn", "main:app"], False, False, ["python", "-m", "uvicorn", "main:app"]),
        ("fastapi_react", ["uvicorn", "main:app"], False, True, ["python", "-m", "uvicorn", "main:app"]),
        ("react_supabase", [], True, True, ["python", "-m"]),
        ("node", ["server.js"], False, False, ["node", "server.js"]),
    ],
)
def test_each_kind_is_built_and_started_in_its_way(
    kind: str, start: list[str], serverless: bool, bundled: bool, command: list[str]
) -> None:
    files = [{"path": "a", "role": "uix", "description": ""}]
    manifest = AppManifest.model_validate(
        {"name": "a", "title": "A", "analysis": "", "kind": kind, "start": start, "files": files}
    )
    assert (manifest.serverless, manifest.bundled, manifest.command) == (serverless, bundled, command)
    assert manifest.sandboxed == (kind != "static")


@pytest.mark.parametrize(
    "foreign", [b'{"expo": {"name": "x"}}', b'{"name": "x", "buildpacks": []}', b"[1]", b"no json"]
)
def test_an_app_json_of_another_tool_is_not_ours(foreign: bytes) -> None:
    manifest = AppManifest.model_validate(MINIMAL)
    assert manifest_path({MANIFEST_PATH: foreign}) == BESIDE_PATH
    assert manifest_of({MANIFEST_PATH: foreign}) is None
    assert manifest_of({MANIFEST_PATH: foreign, BESIDE_PATH: manifest.to_bytes()}) == manifest
    # Ours stays where it is, also when somebody broke it by hand.
    for ours in (manifest.to_bytes(), manifest.to_bytes()[:-3]):
        assert manifest_path({MANIFEST_PATH: ours}) == MANIFEST_PATH
    assert manifest_path({}) == MANIFEST_PATH
