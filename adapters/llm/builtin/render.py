"""From a manifest to the files of its app: one Jinja template per kind of file."""

import json
import pprint
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import escape

from adapters.llm.builtin.known import CSV, FILTER, PAGES, SEARCH
from adapters.llm.builtin.plans import table_name
from adapters.llm.builtin.words import RESERVED, words_of
from core.manifests import AppManifest, DataField, DataModel, FieldType, Page

_SQL: dict[FieldType, str] = {
    "integer": "INTEGER", "decimal": "REAL", "money": "REAL", "boolean": "INTEGER", "relation": "INTEGER",
}  # fmt: skip
_SAMPLES: dict[FieldType, Any] = {
    "text": "Example", "long_text": "Some words.", "email": "ann@example.com", "phone": "+1 555 0100",
    "url": "https://example.com", "integer": 3, "decimal": 2.5, "money": 12.5, "date": "2030-05-17",
    "datetime": "2030-05-17T09:30:00", "boolean": False, "relation": None,
}  # fmt: skip
_WRONG: dict[FieldType, Any] = {
    "email": "nobody", "url": "ftp", "integer": "many", "decimal": "much", "money": -1, "date": "soon",
    "datetime": "later", "choice": "something else",
}  # fmt: skip
_RANGE: dict[FieldType, tuple[Any, Any]] = {
    "text": ("Alpha", "Beta"), "long_text": ("Alpha", "Beta"), "email": ("a@example.com", "b@example.com"),
    "phone": ("+1 555 0100", "+1 555 0200"), "url": ("https://a.example", "https://b.example"), "integer": (1, 2),
    "decimal": (1.5, 2.5), "money": (1.0, 2.0), "date": ("2030-01-01", "2030-02-01"),
    "datetime": ("2030-01-01T08:00:00", "2030-02-01T08:00:00"), "boolean": (False, True),
}  # fmt: skip
_TEXTS = ("text", "long_text", "email", "phone", "url")


@lru_cache
def _environment() -> Environment:
    # Autoescape is off because most of what is written is not HTML; the HTML templates escape with `| e`.
    environment = Environment(
        loader=PackageLoader("adapters.llm.builtin"), trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=StrictUndefined, autoescape=False,  # noqa: S701 - see above
    )  # fmt: skip
    environment.filters["py"] = _python
    environment.filters["pydict"] = lambda value: _python(value, wide=True)
    environment.filters["pylist"] = lambda names: "[" + ", ".join(_python(name) for name in names) + "]"
    environment.filters["js"] = lambda value: json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
    return environment


def _python(value: Any, wide: bool = False) -> str:
    """Return a Python literal in the formatter's style: double quotes."""
    if isinstance(value, dict) and wide:
        return "{\n" + "".join(f"    {_python(key)}: {_python(one)},\n" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else pprint.pformat(value)


LOCK = (Path(__file__).parent / "templates" / "react" / "package-lock.json").read_text(encoding="utf-8")
"""The exact versions of the packages that a front end in React is built with; `make lock` writes it."""


def render(manifest: AppManifest, path: str) -> str | None:
    """Return the content of one file of the app, None for a path that is not the builder's."""
    if manifest.kind == "static":
        return _render_static(manifest, path)
    template, model = _template(manifest, path)
    if template is None:
        return None
    context = _context(manifest)
    if model is not None:
        context["model"] = next(one for one in context["models"] if one["name"] == model.name)
        context["arguments"] = context["search"] or context["paged"] or bool(context["model"]["filtered"])
    return _environment().get_template(template).render(context)


_PLAIN_TEMPLATES = {
    "static/index.html": "data/index.html.j2", "static/models.js": "data/models.js.j2", "static/app.js": "data/app.js",
    "static/styles.css": "data/styles.css.j2",
}  # fmt: skip
_REACT_TEMPLATES = {
    "frontend/package.json": "react/package.json.j2", "frontend/vite.config.js": "react/vite.config.js",
    "frontend/index.html": "react/index.html.j2", "frontend/src/main.jsx": "react/main.jsx",
    "frontend/src/App.jsx": "react/App.jsx.j2", "frontend/src/Records.jsx": "react/Records.jsx",
    "frontend/src/Form.jsx": "react/Form.jsx", "frontend/src/Value.jsx": "react/Value.jsx",
    "frontend/src/api.js": "react/api.js", "frontend/src/models.js": "data/models.js.j2",
    "frontend/src/styles.css": "react/styles.css.j2",
}  # fmt: skip


def _template(manifest: AppManifest, path: str) -> tuple[str | None, DataModel | None]:
    react = manifest.kind == "fastapi_react"
    fixed = {
        "main.py": "data/main.py.j2", "backend/__init__.py": "data/init.py.j2", "backend/database.py": "data/database.py.j2",
        "tests/conftest.py": "data/conftest.py.j2", "requirements.txt": "data/requirements.txt.j2",
        "requirements.lock": "data/requirements.lock", ".gitignore": "data/gitignore.j2",
        "README.md": "data/readme.md.j2",
        **(_REACT_TEMPLATES if react else _PLAIN_TEMPLATES),
    }  # fmt: skip
    if path in fixed:
        return fixed[path], None
    for model in manifest.models:
        if path == f"backend/{table_name(model)}.py":
            return "data/routes.py.j2", model
        if path == f"tests/test_{table_name(model)}.py":
            return "data/test_routes.py.j2", model
    return None, None


def _context(manifest: AppManifest) -> dict[str, Any]:
    features = manifest.features
    by_name = {model.name: model for model in manifest.models}
    models = [_model(model, by_name, FILTER in features) for model in manifest.models]
    for at, model in enumerate(models):
        model["is_first"] = at == 0
    tables = {model.name: table_name(model) for model in manifest.models}
    return {
        "title": manifest.title,
        "react": manifest.kind == "fastapi_react",
        "package": manifest.name.replace("_", "-"),
        "heading": str(escape(manifest.title)),
        "theme": manifest.theme,
        **_accents(manifest.theme.accent),
        "models": models,
        "modules": sorted(["database", *tables.values()]),
        "pages": [_page(page, tables) for page in manifest.pages],
        "paged": PAGES in features,
        "search": SEARCH in features,
        "filters": any(model["filtered"] for model in models),
        "csv": CSV in features,
        "flags": {"search": SEARCH in features, "filters": FILTER in features, "csv": CSV in features, "pages": PAGES in features},
        "renamed_tables": [(tables[one.name], list(one.renamed_from)) for one in manifest.models if one.renamed_from],
        "renamed_columns": [
            (tables[model.name], _column(field), _renamed_columns(field))
            for model in manifest.models for field in model.fields if field.renamed_from
        ],
    }  # fmt: skip


def _page(page: Page, tables: dict[str, str]) -> dict[str, Any]:
    return {
        "path": page.path, "title": page.title, "view": page.view, "text": page.text,
        "table": tables[page.model] if page.model else "",
    }  # fmt: skip


def _column(field: DataField) -> str:
    name = f"{field.name}_id" if field.type == "relation" else field.name
    return f"{name}_" if name in RESERVED else name


def _renamed_columns(field: DataField) -> list[str]:
    return [_column(field.model_copy(update={"name": name})) for name in field.renamed_from]


def _model(model: DataModel, by_name: dict[str, DataModel], filters: bool) -> dict[str, Any]:
    table = table_name(model)
    fields = [_field(field, by_name) for field in model.fields]
    relations = [field for field in fields if field["type"] == "relation"]
    texts = [field for field in fields if field["type"] in _TEXTS]
    first = texts[0] if texts else fields[0]
    low, high = _range(first)
    searched = [field["column"] for field in texts]
    needed = {field["column"] for field in fields if field["type"] in ("email", "url", "phone")}
    plain = [column for column in searched if column not in needed] or searched
    targets = {field["target"]: by_name[field["target"]] for field in relations}
    return {
        "name": model.name, "label": model.label, "plural": model.plural, "table": table,
        "klass": "".join(part.capitalize() for part in model.name.split("_")) + "Entry",
        "article": "An" if model.label[:1].lower() in "aeiou" else "A",
        "fields": fields, "relations": relations, "field_labels": [field["label"] for field in fields],
        "columns": [field["column"] for field in fields],
        "lane": _lane(fields),
        "uses_dates": any(field["type"] in ("date", "datetime") for field in fields),
        "literals": any(field["type"] == "choice" for field in fields),
        "filtered": [field for field in fields if filters and field["type"] in ("choice", "boolean") and field["range"]],
        "required": [field for field in fields if field["required"]],
        "checked": [field for field in fields if field["wrong"] is not None],
        "searched": [*plain, *(column for column in searched if column not in plain)],
        "found": "Findable" if plain and plain[0] not in needed else "findable@example.com",
        "unfound": "Other" if plain and plain[0] not in needed else "other@example.com",
        "term": "findab",
        "first": first, "changed": high if first["sample"] != high else low, "title_column": first["column"],
        "sample": {field["column"]: field["sample"] for field in fields},
        "targets": [
            {"constant": f"A_{target.name.upper()}", "sample": {_column(one): _sample(one) for one in target.fields}}
            for target in targets.values()
        ],
        "relation_error": f"This {relations[0]['label'].lower()} does not exist." if relations else "",
        **_order(model, fields),
    }  # fmt: skip


_LANES = ("status", "state", "stage", "progress", "phase")


def _lane(fields: list[dict[str, Any]]) -> str:
    """Return the column that a board's lanes are of: how far something is, before how urgent or of what kind it is."""
    columns = {field["name"]: field["column"] for field in fields if field["type"] == "choice"}
    return next((columns[name] for name in _LANES if name in columns), next(iter(columns.values()), ""))


_MEANT = {
    2: words_of("done won paid confirmed yes closed completed complete approved delivered ready published available accepted solved good finished"),
    1: words_of("waiting pending maybe requested review held medium doing baking partly soon"),
    3: words_of("lost cancelled canceled rejected no urgent high overdue failed blocked critical denied broken bad missing"),
    5: words_of("low none new open planned draft backlog archived todo unknown"),
}  # fmt: skip
"""The colours of choices with a meaning: green, amber, red, grey."""


def _tags(choices: list[str]) -> list[int]:
    """Return the colour of each choice, as its number in the style sheet: by what it means, else one of its own."""
    free = [0, 4, 1, 2, 3]
    found = list[int]()
    for choice in choices:
        meant = next((tag for tag, words in _MEANT.items() if choice.casefold() in words), None)
        # Colours that mean nothing come first blue, then violet, and so on around.
        found.append(meant if meant is not None else free[len(found) % len(free)])
    return found


def _order(model: DataModel, fields: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = (model.order_by or "").lstrip("-")
    field = next((one for one in fields if one["name"] == wanted), None)
    table = table_name(model)
    if field is None:
        return {"order": f"{table}.id", "order_words": "in the order of their entry", "ordered": None}
    down = (model.order_by or "").startswith("-")
    column = f"{field['name']}_label" if field["type"] == "relation" else f"{table}.{field['column']}"
    nocase = " COLLATE NOCASE" if field["type"] in ("text", "relation", "choice") else ""
    order = f"{column} IS NULL, {column}{nocase}{' DESC' if down else ''}, {table}.id"
    words = f"sorted by {field['label'].lower()}{', highest first' if down else ''}"
    ordered = None
    if field["range"]:
        low, high = sorted(field["range"]) if isinstance(field["range"][0], str) else field["range"]
        # The first to be created is the last to be listed: without the order the test fails.
        created = (low, high) if down else (high, low)
        ordered = {"column": field["column"], "low": created[0], "high": created[1], "listed": [created[1], created[0]]}
    return {"order": order, "order_words": words, "ordered": ordered}


def _field(field: DataField, by_name: dict[str, DataModel]) -> dict[str, Any]:
    target = by_name.get(field.target or "")
    label = next((one for one in target.fields if one.type in _TEXTS), target.fields[0]) if target else None
    sql = _SQL.get(field.type, "TEXT")
    if field.type == "boolean":
        sql += " DEFAULT 0"
    if field.type == "choice":
        first = field.choices[0].replace("'", "''").replace("\\", "")
        sql += f" DEFAULT '{first}'"
    return {
        "name": field.name, "column": _column(field), "label": field.label, "type": field.type, "choices": field.choices, "tags": _tags(field.choices),
        "required": field.required, "annotation": _annotation(field), "sample": _sample(field),
        "sql": f"{sql} REFERENCES {table_name(target)}(id)" if target else sql,
        "wrong": _WRONG.get(field.type), "range": _range_of(field),
        "query": "bool" if field.type == "boolean" else "str",
        "low": (_range_of(field) or (None, None))[0],
        "high": (_range_of(field) or (None, None))[1],
        "target": field.target, "target_table": table_name(target) if target else "",
        "target_label": _column(label) if label else "", "constant": f"A_{target.name.upper()}" if target else "",
    }  # fmt: skip


def _range(field: dict[str, Any]) -> tuple[Any, Any]:
    return field["range"] or (field["sample"], field["sample"])


def _range_of(field: DataField) -> tuple[Any, Any] | None:
    if field.type == "choice":
        return (field.choices[0], field.choices[1]) if len(field.choices) > 1 else None
    return _RANGE.get(field.type)


def _sample(field: DataField) -> Any:
    return field.choices[0] if field.type == "choice" else _SAMPLES[field.type]


def _annotation(field: DataField) -> str:
    kinds: dict[FieldType, tuple[str, str]] = {
        "text": ("str", "max_length=200"),
        "long_text": ("str", "max_length=20_000"),
        "email": ("str", r'max_length=200, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"'),
        "phone": ("str", "max_length=40"),
        "url": ("str", r'max_length=500, pattern=r"^https?://\S+$"'),
        "integer": ("int", ""), "decimal": ("float", ""), "money": ("float", "ge=0"),
        "date": ("dt.date", ""), "datetime": ("dt.datetime", ""), "relation": ("int", ""),
    }  # fmt: skip
    if field.type == "boolean":
        return "bool = False"
    if field.type == "choice":
        literal = f"Literal[{', '.join(_python(one) for one in field.choices)}]"
        return f"{literal} = {_python(field.choices[0])}"
    kind, rules = kinds[field.type]
    if field.required:
        rules = f"min_length=1, {rules}" if kind == "str" and "pattern" not in rules else rules
        return f"{kind} = Field({rules})" if rules else kind
    return f"{kind} | None = Field(None, {rules})" if rules else f"{kind} | None = None"


def _accents(accent: str) -> dict[str, str]:
    """Return the text colour on the accent, and the accent lightened for dark pages."""
    red, green, blue = (int(accent[at : at + 2], 16) for at in (1, 3, 5))
    bright = (0.299 * red + 0.587 * green + 0.114 * blue) > 150
    light = "".join(f"{round(part + (255 - part) * 0.5):02x}" for part in (red, green, blue))
    return {"accent_text": "#14171a" if bright else "#ffffff", "accent_light": f"#{light}"}


def _render_static(manifest: AppManifest, path: str) -> str | None:
    shared = {"title": manifest.title, "theme": manifest.theme, **_accents(manifest.theme.accent)}
    if path == "styles.css":
        return _environment().get_template("site/styles.css.j2").render(shared)
    if path == "README.md":
        return _environment().get_template("site/readme.md.j2").render(shared)
    page = next((one for one in manifest.pages if _file(one) == path), None)
    if page is None:
        return None
    home = page.path == "/"
    sections = _sections(manifest)
    links = [
        {"href": _file(one), "title": one.title, "current": one.path == page.path}
        for one in manifest.pages
        if one.path != "/"
    ]
    links = [{"href": f"index.html#{one['id']}", "title": one["title"], "current": False} for one in sections] + links
    return (
        _environment()
        .get_template("site/page.html.j2")
        .render(
            shared,
            home=home,
            heading=manifest.title if home else page.title,
            tagline=_tagline(manifest),
            links=links,
            sections=sections,
            action=sections[-1]["title"] if sections else "More",
            text=page.text.split("\n"),
        )  # fmt: skip
    )


def _file(page: Page) -> str:
    return "index.html" if page.path == "/" else f"{page.path.strip('/')}.html"


def _tagline(manifest: AppManifest) -> str:
    match = re.search(
        r"\b(?:saying|tagline|slogan|headline|motto)\b:?\s*[\"'“]?([^\"'”.\n]{3,120})", manifest.analysis, re.I
    )
    if match:
        return match[1].strip()
    match = re.search(
        r"\bfor\s+(?:an?\s+|my\s+|our\s+|the\s+)?([^.:;,\n]{3,80}?)(?:\s+(?:called|named)\b|[.:;,\n]|$)",
        manifest.analysis,
        re.I,
    )
    subject = match[1].strip() if match else ""
    if subject and subject.casefold() != manifest.title.casefold():
        return f"A {subject} you will want to come back to."
    return "Good to have you here."


def _sections(manifest: AppManifest) -> list[dict[str, Any]]:
    title = manifest.title
    written: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
        "About": ([f"{title} is made with care. Tell people here who you are and what they can expect."], []),
        "Features": ([], [("Quality", "What you do well, in one sentence."), ("Service", "How you treat people."), ("Place", "Where and when they find you.")]),
        "Pricing": ([], [("Basic", "What it costs and what is in it."), ("Plus", "For those who need more."), ("Complete", "Everything, in one price.")]),
        "FAQ": ([], [("Where do I find you?", "Write your address here."), ("How do I get in touch?", "See the contact section.")]),
        "Testimonials": ([], [("“A joy.”", "A happy guest"), ("“We will be back.”", "Another one")]),
        "Team": ([], [("First name", "What she or he does here."), ("Second name", "What she or he does here.")]),
        "Gallery": (["Put your pictures here."], []),
        "Opening hours": ([], [("Monday to Friday", "9 to 18"), ("Saturday", "10 to 16"), ("Sunday", "Closed")]),
        "Contact": (["Write to us: hello@example.com"], []),
    }  # fmt: skip
    names = [name for name in manifest.features if name != "Contact"] + ["Contact"] * ("Contact" in manifest.features)
    return [
        {
            "id": re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-"), "title": name,
            "lines": written.get(name, ([f"Write something about {name.lower()} here."], []))[0],
            "tiles": written.get(name, ([], []))[1],
        }
        for name in names
    ]  # fmt: skip
