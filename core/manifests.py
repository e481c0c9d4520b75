"""
The AppManifest: the strict description of an app, kept in its tree as `app.json`, or beside another tool's file of that name.

Everything a model may say about an app is bounded here, so that an answer either fits or is refused with a sentence.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from core.errors import UserError
from core.files import check_paths

MANIFEST_PATH, BESIDE_PATH = "app.json", "threadwright.json"
"""Where an app's manifest is, and where it is when an `app.json` of another tool (Expo, Heroku) is there already."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Sentence = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]
Paragraph = Annotated[str, StringConstraints(max_length=4_000, strip_whitespace=True)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/_.{}:-]{0,119}$")]
Argument = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00\n]+$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]

FieldType = Literal[
    "text", "long_text", "email", "phone", "url", "integer", "decimal", "money", "date", "datetime", "boolean",
    "choice", "relation",
]  # fmt: skip
Role = Literal["core", "arch", "backend", "uix", "test", "quality", "debug", "edit"]
Kind = Literal["static", "fastapi", "fastapi_react", "react_supabase", "node"]


class Strict(BaseModel):
    """Extra keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataField(Strict):
    """
    One typed field of a data model; `target` names the related model, `choices` the allowed values.

    `renamed_from` are the names that older data may still have, newest first.
    """

    name: Name
    label: Label
    type: FieldType = "text"
    required: bool = False
    choices: list[Label] = Field(default_factory=list, max_length=30)
    target: Name | None = None
    renamed_from: list[Name] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "choice" and not self.choices:
            raise ValueError(f"field {self.name!r} of type choice needs choices")
        if self.type == "relation" and self.target is None:
            raise ValueError(f"field {self.name!r} of type relation needs a target")
        return self


class DataModel(Strict):
    """One kind of record. `order_by` is a field's name, with a leading '-' for descending; `renamed_from` as in a field."""

    name: Name
    label: Label
    plural: Label
    fields: list[DataField] = Field(min_length=1, max_length=40)
    order_by: Annotated[str, StringConstraints(pattern=r"^-?[a-z][a-z0-9_]{0,39}$")] | None = None
    renamed_from: list[Name] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [one.name for one in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"model {self.name!r} has two fields of one name")
        if self.order_by and self.order_by.lstrip("-") not in {*names, "id"}:
            raise ValueError(f"model {self.name!r} is ordered by {self.order_by!r}, which is no field of it")
        return self


class Page(Strict):
    """One page of the app; `model` names the records it shows, if any."""

    path: UrlPath
    title: Label
    view: Literal["table", "board", "cards", "content", "dashboard"] = "content"
    model: Name | None = None
    text: Paragraph = ""


class Endpoint(Strict):
    """One HTTP route of the backend."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: UrlPath
    purpose: Sentence


class Integration(Strict):
    """An outside service that the app uses."""

    name: Name
    purpose: Sentence


class EnvVariable(Strict):
    """An environment variable that the app reads; never its value."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,59}$")]
    purpose: Sentence
    required: bool = False


class PlannedFile(Strict):
    """One file of the app, who writes it, and what it is for."""

    path: Path
    role: Literal["backend", "uix", "test"]
    description: Sentence


class Stack(Strict):
    """What the app is built with."""

    backend: Literal["none", "fastapi", "node"] = "none"
    frontend: Literal["html", "react"] = "html"
    storage: Literal["none", "sqlite", "supabase"] = "none"


class Theme(Strict):
    """How the app looks; `accent` is a hex colour."""

    accent: Colour = "#2f6f4f"
    mode: Literal["auto", "light", "dark"] = "auto"


class AppManifest(Strict):
    """The strict description of an app; see the module."""

    version: Literal[1] = 1
    name: Name
    title: Label
    analysis: Paragraph
    kind: Kind
    features: list[Label] = Field(default_factory=list, max_length=40)
    stack: Stack = Stack()
    theme: Theme = Theme()
    pages: list[Page] = Field(default_factory=list, max_length=30)
    models: list[DataModel] = Field(default_factory=list, max_length=30)
    endpoints: list[Endpoint] = Field(default_factory=list, max_length=200)
    integrations: list[Integration] = Field(default_factory=list, max_length=20)
    env: list[EnvVariable] = Field(default_factory=list, max_length=40)
    files: list[PlannedFile] = Field(min_length=1, max_length=200)
    agents: list[Role] = Field(default_factory=list, max_length=8)
    priority: Literal["low", "normal", "high"] = "normal"
    start: list[Argument] = Field(default_factory=list, max_length=20)
    test: list[Argument] = Field(default_factory=list, max_length=20)
    health: UrlPath = "/"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        models = [model.name for model in self.models]
        if len(set(models)) != len(models):
            raise ValueError("two models have one name")
        wanted = {field.target for model in self.models for field in model.fields if field.target}
        if unknown := (wanted | {page.model for page in self.pages if page.model}) - set(models):
            raise ValueError(f"unknown model {sorted(unknown)[0]!r}")
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("two files have one path")
        if taken := {MANIFEST_PATH, BESIDE_PATH} & set(paths):
            raise ValueError(f"{min(taken)} is not written by roles and is not listed among the files")
        try:
            check_paths([*paths, MANIFEST_PATH])
        except UserError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def serverless(self) -> bool:
        """Whether files alone make the app: no server of its own runs."""
        return self.kind in ("static", "react_supabase")

    @property
    def bundled(self) -> bool:
        """Whether its front end is built before it can be shown."""
        return self.kind in ("fastapi_react", "react_supabase")

    @property
    def sandboxed(self) -> bool:
        """Whether some of it is carried out in a sandbox before it can be shown: its build or its server."""
        return self.bundled or not self.serverless

    @property
    def command(self) -> list[str]:
        """The command that starts its server, without where to listen."""
        return ["node", *self.start] if self.kind == "node" else ["python", "-m", *self.start]

    def file(self, path: str) -> PlannedFile | None:
        """Return the planned file at `path`, if the manifest names it."""
        return next((one for one in self.files if one.path == path), None)

    def to_bytes(self) -> bytes:
        """Return `app.json`: stable key order, two spaces, final newline."""
        return (self.model_dump_json(indent=2) + "\n").encode()


class Triage(Strict):
    """The core role's answer: what the message asks for, and what in it is worth remembering."""

    intent: Literal["build", "change", "question"]
    reply: Paragraph = ""
    questions: list[Sentence] = Field(default_factory=list, max_length=4)
    options: list[Sentence] = Field(default_factory=list, max_length=4)
    decisions: list[Sentence] = Field(default_factory=list, max_length=8)


class Plan(Strict):
    """
    The arch role's answer: the app as it will be, and what has to be written or removed to get there.

    `left_out` is what the request asks for and the plan does not do, in the person's words.
    """

    manifest: AppManifest
    write: list[Path] = Field(default_factory=list, max_length=200)
    remove: list[Path] = Field(default_factory=list, max_length=200)
    summary: Paragraph = ""
    left_out: list[Sentence] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _named(self) -> Self:
        known = {file.path for file in self.manifest.files}
        if strange := [path for path in self.write if path not in known]:
            raise ValueError(f"{strange[0]!r} is to be written but is not among the manifest's files")
        if kept := [path for path in self.remove if path in known]:
            raise ValueError(f"{kept[0]!r} is to be removed but is still among the manifest's files")
        return self


class Review(Strict):
    """The quality role's answer: what changed, for people, and what they should look at."""

    summary: Paragraph
    notes: list[Sentence] = Field(default_factory=list, max_length=5)


def manifest_path(tree: Mapping[str, bytes]) -> str:
    """Return where the manifest of these files is, or will be: not in the place of another tool's file."""
    there = tree.get(MANIFEST_PATH)
    return BESIDE_PATH if BESIDE_PATH in tree or (there is not None and not _is_ours(there)) else MANIFEST_PATH


def manifest_of(tree: Mapping[str, bytes]) -> AppManifest | None:
    """Return the manifest of these files, None when they have none that fits."""
    return read_manifest(tree.get(manifest_path(tree)))


def _is_ours(content: bytes) -> bool:
    """Say whether an `app.json` is a manifest, also one that somebody broke by hand."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return b'"analysis"' in content
    return isinstance(found, dict) and {"analysis", "kind"} <= found.keys()


def read_manifest(content: bytes | None) -> AppManifest | None:
    """Return the manifest in `content`, or None when there is none or it does not fit (people edit files too)."""
    if content is None:
        return None
    try:
        return AppManifest.model_validate_json(content)
    except ValidationError:
        return None
