"""What somebody else's files are: which kind of project, and whether it runs here. Pure; only names and small files are read."""

import json
from collections.abc import Mapping

from core.files import FileTree
from core.manifests import manifest_of

KINDS: tuple[tuple[str, str], ...] = (
    ("manage.py", "a Django project"), ("go.mod", "a Go project"), ("Cargo.toml", "a Rust project"),
    ("pom.xml", "a Java project"), ("build.gradle", "a Java project"), ("build.gradle.kts", "a Kotlin project"),
    ("composer.json", "a PHP project"), ("Gemfile", "a Ruby project"), ("mix.exs", "an Elixir project"),
    ("Package.swift", "a Swift project"), ("pubspec.yaml", "a Dart project"),
    ("pyproject.toml", "a Python project"), ("requirements.txt", "a Python project"), ("setup.py", "a Python project"),
)  # fmt: skip
"""The file that tells, and what it tells; the first that is there counts."""
NODE: tuple[tuple[str, str], ...] = (
    ("next", "a Next.js project"), ("@angular/core", "an Angular project"), ("svelte", "a Svelte project"),
    ("vue", "a Vue project"), ("react", "a React project"), ("express", "an Express project"),
)  # fmt: skip
PAGE = "index.html"


def recognised(tree: FileTree) -> str:
    """Return a sentence on what the files are and whether they run here, '' for an app of ours."""
    if manifest_of(tree) is not None or not tree:
        return ""
    found = _node(tree) or next(((name, kind) for name, kind in KINDS if name in tree), None)
    if found is None and PAGE in tree:
        return "Recognised as a static page; it runs here as it is."
    if found is None:
        return "Not recognised as a project of a known kind, so there is nothing to run; its files are in the thread."
    name, kind = found
    return (
        f"Recognised as {kind} ({name}). It does not run here as it is, so there is no preview of it; "
        "its code is in the thread, and can be changed and taken out again."
    )


def _node(tree: FileTree) -> tuple[str, str] | None:
    """Return what a package.json tells; one without anything to start or build is a page's tools."""
    text = tree.text("package.json")
    try:
        package = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(package, Mapping):
        return None
    scripts, wanted = package.get("scripts"), set[str]()
    for part in ("dependencies", "devDependencies"):
        wanted |= set(package[part]) if isinstance(package.get(part), Mapping) else set()
    if not isinstance(scripts, Mapping) or not {"start", "dev", "build", "serve"} & set(scripts):
        return None
    return "package.json", next((kind for name, kind in NODE if name in wanted), "a Node project")
