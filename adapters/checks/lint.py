"""ruff for Python, oxlint for JavaScript and TypeScript (it is also their syntax check)."""

from adapters.checks.material import Check, Material, Report
from adapters.checks.tools import as_json, output_of, program, relative
from core.findings import Finding

SECONDS = 20
# What cannot work is an error: undefined names, syntax. The rest is taste or hygiene.
_BREAKS = ("F821", "F822", "F823", "F811", "E999", "invalid-syntax", "F632", "F701", "F702", "F704", "F706", "F707")
_SELECT = "E4,E7,E9,F,B,ASYNC"
_TASTE = ("prefer-tag-over-role", "no-noninteractive-element-interactions", "set-state-in-effect")
SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")


def ruff_check() -> Check:
    """Return the check of Python files."""
    return Check("ruff", 1, lambda material: bool(material.paths(".py")), _ruff)


def oxlint_check() -> Check:
    """Return the check of JavaScript and TypeScript files."""
    return Check("oxlint", 1, lambda material: bool(material.paths(*SCRIPTS)), _oxlint)


async def _ruff(material: Material) -> Report:
    argv = [
        program("ruff"), "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--output-format=json", "--ignore-noqa",
        f"--select={_SELECT}", "--ignore=B008,E731,E741", "--target-version=py311", ".",
    ]  # fmt: skip
    found = as_json(await output_of(argv, material.folder, SECONDS), "ruff") or []
    return Report(
        tuple(
            Finding(
                str(one["code"] or "invalid-syntax"),
                "error" if (one["code"] or "invalid-syntax") in _BREAKS else "warning",
                relative(one["filename"], material.folder),
                int(one["location"]["row"]),
                str(one["message"]),
                "ruff",
            )  # fmt: skip
            for one in found
        )
    )


async def _oxlint(material: Material) -> Report:
    ours = material.folder.parent / "oxlint.json"
    ours.write_text("{}", encoding="ascii")
    argv = [
        program("oxlint"), "--format=json", "--config", str(ours), "--disable-nested-config", "--no-ignore", "-D", "correctness",
        "--react-plugin", "--jsx-a11y-plugin", *(part for rule in _TASTE for part in ("-A", rule)),
        # Each by name: looking for them it would obey every .gitignore on the way, the app's and that of our own folder.
        *(f"./{path}" for path in material.paths(*SCRIPTS)),
    ]  # fmt: skip
    found = as_json(await output_of(argv, material.folder, SECONDS), "oxlint") or {}
    findings = []
    for one in found.get("diagnostics", []):
        label = (one.get("labels") or [{}])[0].get("span", {})
        # A diagnostic without a rule is the parser's: the file does not parse.
        code = str(one.get("code") or "")
        path = relative(str(one["filename"]), material.folder)
        text = str(one["message"])
        findings.append(
            Finding(code or "syntax", "warning" if code else "error", path, int(label.get("line", 0)), text, "oxlint")
        )
    return Report(tuple(findings))
