"""From what was understood to a manifest: pages, endpoints and files follow from the models."""

from adapters.llm.builtin.known import CSV
from adapters.llm.builtin.understand import Understood
from adapters.llm.builtin.words import RESERVED, identifier
from core.manifests import AppManifest, DataModel, Endpoint, Page, PlannedFile, Stack, Theme

DEFAULT_SECTIONS = ["About", "Features", "Contact"]


def table_name(model: DataModel) -> str:
    """Return the name of a model's table, module and route: its plural."""
    name = identifier(model.plural)
    return f"{name}_" if name in RESERVED else name


def new_manifest(request: str, found: Understood, *, react: bool = False) -> AppManifest:
    """Return the manifest of a new app; with `react` where the sandbox can build one."""
    theme = Theme(accent=found.accent or Theme().accent, mode=found.mode)
    name = identifier(found.title) or "app"
    if found.landing:
        bare = AppManifest(
            name=name, title=found.title, analysis=request[:2_000], kind="static", theme=theme,
            features=found.sections or [*DEFAULT_SECTIONS],
            pages=[Page(path="/", title=found.title, view="content", text=request[:1_000])],
            files=[PlannedFile(path="index.html", role="uix", description="The page")],
            agents=["core", "arch", "uix"],
        )  # fmt: skip
        return completed(bare)
    pages = [_page(model, found.view) for model in found.models]
    bare = AppManifest(
        name=name, title=found.title, analysis=request[:2_000], features=found.features, kind="fastapi_react" if react else "fastapi",
        stack=Stack(backend="fastapi", frontend="react" if react else "html", storage="sqlite"), theme=theme, pages=pages,
        models=found.models, files=[PlannedFile(path="main.py", role="backend", description="The application")],
        agents=["core", "arch", "backend", "uix", "test"], start=["uvicorn", "main:app"],
        test=["python", "-m", "pytest", "-q"],
    )  # fmt: skip
    return completed(bare)


def _page(model: DataModel, view: str) -> Page:
    board = view == "board" and any(one.type == "choice" for one in model.fields)
    shown = "board" if board else "cards" if view == "cards" else "table"
    return Page.model_validate(
        {"path": f"/{table_name(model)}", "title": model.plural, "view": shown, "model": model.name}
    )


def completed(manifest: AppManifest) -> AppManifest:
    """Return the manifest with pages, endpoints and files that follow from its models and pages."""
    shown = {page.model for page in manifest.pages}
    pages = [
        page for page in manifest.pages if page.model is None or page.model in {one.name for one in manifest.models}
    ]
    pages += [_page(model, "table") for model in manifest.models if model.name not in shown]
    static = manifest.kind == "static"
    update = {
        "pages": pages,
        "endpoints": [] if static else _endpoints(manifest),
        "files": _static_files(pages) if static else _files(manifest),
    }
    return AppManifest.model_validate(manifest.model_copy(update=update).model_dump())


def _endpoints(manifest: AppManifest) -> list[Endpoint]:
    found = []
    for model in manifest.models:
        base, one, many = f"/api/{table_name(model)}", model.label.lower(), model.plural.lower()
        found += [
            Endpoint(method="GET", path=base, purpose=f"List {many}"),
            Endpoint(method="POST", path=base, purpose=f"Create a {one}"),
            Endpoint(method="GET", path=f"{base}/{{id}}", purpose=f"Read a {one}"),
            Endpoint(method="PUT", path=f"{base}/{{id}}", purpose=f"Change a {one}"),
            Endpoint(method="DELETE", path=f"{base}/{{id}}", purpose=f"Delete a {one}"),
        ]
        if CSV in manifest.features:
            found.append(Endpoint(method="GET", path=f"{base}.csv", purpose=f"Download {many} as CSV"))
    return found


_PLAIN: list[tuple[str, str, str]] = [
    ("static/index.html", "uix", "The page around everything"),
    ("static/models.js", "uix", "What the app keeps, as the pages need to know it"),
    ("static/app.js", "uix", "Lists, forms and navigation"),
    ("static/styles.css", "uix", "How it looks"),
]
_REACT: list[tuple[str, str, str]] = [
    ("frontend/package.json", "uix", "Packages and commands of the front end"),
    ("frontend/vite.config.js", "uix", "How the front end is built"),
    ("frontend/index.html", "uix", "The page that loads everything"),
    ("frontend/src/main.jsx", "uix", "Starts the app in the page"),
    ("frontend/src/App.jsx", "uix", "Navigation and the current page"),
    ("frontend/src/Records.jsx", "uix", "Lists as table, cards or board"),
    ("frontend/src/Form.jsx", "uix", "The dialog for one record"),
    ("frontend/src/Value.jsx", "uix", "One value as people read it"),
    ("frontend/src/api.js", "uix", "Requests to the server"),
    ("frontend/src/models.js", "uix", "What the app keeps, as the pages need to know it"),
    ("frontend/src/styles.css", "uix", "Colours and shared styles"),
]


def _files(manifest: AppManifest) -> list[PlannedFile]:
    rows: list[tuple[str, str, str]] = [
        ("main.py", "backend", "The application: routes and pages"),
        ("backend/__init__.py", "backend", "The package of the server's code"),
        ("backend/database.py", "backend", "Tables, connections, and bringing older data up to date"),
        *(
            (f"backend/{table_name(model)}.py", "backend", f"{model.plural}: what the API takes, and its routes")
            for model in manifest.models
        ),
        *(_REACT if manifest.kind == "fastapi_react" else _PLAIN),
        ("tests/conftest.py", "test", "A fresh database and client for every test"),
        *(
            (f"tests/test_{table_name(model)}.py", "test", f"What holds for {model.plural.lower()}")
            for model in manifest.models
        ),
        ("requirements.txt", "backend", "Packages the app needs"),
        ("requirements.lock", "backend", "Their exact versions"),
        (".gitignore", "backend", "What is no part of the code"),
        ("README.md", "uix", "How to start it"),
    ]
    return [PlannedFile.model_validate({"path": path, "role": role, "description": text}) for path, role, text in rows]


def _static_files(pages: list[Page]) -> list[PlannedFile]:
    rows = [("index.html", "The page"), ("styles.css", "How it looks")]
    rows += [(f"{page.path.strip('/')}.html", f"The page {page.title}") for page in pages if page.path != "/"]
    rows += [("README.md", "How to look at it and where it can live")]
    return [PlannedFile(path=path, role="uix", description=text) for path, text in rows]
