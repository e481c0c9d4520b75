"""The packages that an app asks for: whether they exist, since when, whether they are misspelled, used, and installable."""

import asyncio
import difflib
import time
from collections.abc import AsyncIterator

from adapters.checks.imports import imported
from adapters.checks.material import Check, Material, Report
from adapters.dependencies.install import Packages, Uninstallable, require_fitting
from adapters.dependencies.registry import Published
from adapters.dependencies.wanted import Package, node_there, python_there, wanted
from core.findings import Finding, Level

# Names that squatters imitate: https://arxiv.org/abs/2005.09535 and the registries' own lists of the most loaded.
_POPULAR = {
    "python": (
        "aiohttp", "beautifulsoup4", "boto3", "celery", "cryptography", "django", "flask", "httpx", "matplotlib", "numpy",
        "openpyxl", "pandas", "pillow", "psycopg", "pydantic", "pyjwt", "pytest", "python-dateutil", "pyyaml", "redis",
        "reportlab", "requests", "rich", "scipy", "sqlalchemy", "stripe", "urllib3", "uvicorn",
    ),
    "node": (
        "axios", "chart.js", "clsx", "cross-env", "d3", "date-fns", "dotenv", "express", "framer-motion", "lodash",
        "lucide-react", "react", "react-dom", "react-hook-form", "recharts", "typescript", "uuid", "vite", "zod", "zustand",
    ),
}  # fmt: skip
_NEAR = 0.84
SQUAT_SECONDS = 365 * 86_400
"""A name that resembles a popular one is suspicious this long; squatters are found out in time."""


def packages_check(packages: Packages | None) -> Check:
    """Return the check; without a place to install, packages beyond the sandbox's cannot be had."""

    async def run(material: Material) -> Report:
        asked = wanted(material.tree)
        if asked.refused:
            return Report(asked.refused)
        if packages is None:
            said = "{} cannot be installed here: there is no registry or no sandbox to install packages with."
            return Report(tuple(_about(one, "package", said.format(one.name)) for one in (*asked.python, *asked.node)))
        found = [one async for one in _judged(packages, asked.python, asked.node)]
        if any(one.level == "error" for one in found):
            return Report(tuple(found))
        try:
            await packages.layer(material.tree)
        except Uninstallable as error:
            first = (*asked.python, *asked.node)[0]
            return Report((*found, Finding("package", "error", first.path, 0, str(error), "packages")))
        found += [
            _about(one, "unused-package", f"{one.name} is asked for, and no file imports it.", "note")
            for one in await asyncio.to_thread(_unused, packages, material)
        ]
        return Report(tuple(found), note=f"{len(asked.python) + len(asked.node)} installed")

    def applies(material: Material) -> bool:
        asked = wanted(material.tree)
        return bool(asked.python or asked.node or asked.refused)

    return Check("packages", 0, applies, run)


async def _judged(packages: Packages, python: tuple[Package, ...], node: tuple[Package, ...]) -> AsyncIterator[Finding]:
    for kind, asked in (("python", python), ("node", node)):
        known = {*_POPULAR[kind], *(python_there() if kind == "python" else node_there())}
        for one in asked:
            ask = packages.registries.python if kind == "python" else packages.registries.node
            published = await ask(one.name)
            name = one.name.partition("[")[0]
            near = [other for other in difflib.get_close_matches(name, sorted(known), 1, _NEAR) if other != name]
            if published is None:
                hint = f" Did you mean {near[0]}?" if near else ""
                yield _about(one, "package", f"There is no package {one.name} in the registry.{hint}")
            elif name in known:
                continue
            elif packages.too_young(published.since):
                yield _about(one, "young-package", f"{one.name} exists only for days; take a package that is known.")
            elif near and (published.since is None or time.time() - published.since < SQUAT_SECONDS):
                said = f"{one.name} reads like {near[0]}; if it is meant, say so, else correct it."
                yield _about(one, "typosquat", said)
            elif kind == "python" and (problem := _unfit(one, published, packages)):
                yield _about(one, "package", problem)


def _unfit(package: Package, published: Published, packages: Packages) -> str:
    try:
        require_fitting(package, published, packages.too_young)
    except Uninstallable as error:
        return str(error)
    return ""


def _unused(packages: Packages, material: Material) -> list[Package]:
    """Return what is installed for the app and imported by none of its files."""
    asked, used = wanted(material.tree), imported(material)
    provided = packages.provided(material.tree)
    python = [one for one in asked.python if not provided.get(one.name.partition("[")[0], set()) & used]
    return [*python, *(one for one in asked.node if one.name not in used and not one.name.startswith("@types/"))]


def _about(package: Package, rule: str, said: str, level: Level = "error") -> Finding:
    return Finding(rule, level, package.path, package.line, said, "packages")
