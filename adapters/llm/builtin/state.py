"""What a change is applied to, and the small moves that the rules are made of."""

import re
from dataclasses import dataclass, field

from adapters.llm.builtin.words import identifier, known_words
from core.manifests import AppManifest, DataField, DataModel


@dataclass
class Changed:
    """The manifest after the clauses that were understood; `missed` are the others, in the person's words."""

    manifest: AppManifest
    done: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    last_model: str = ""


def model_in(state: Changed, words: str) -> DataModel | None:
    """Return the model that `words` mean."""
    words = re.sub(
        r"^(?:the|all|each|every|our|an?)\s+|\s+(?:list|table|page|view|form|records?)$",
        "",
        words.strip(" '\"").casefold(),
    )
    name = known_words(state.manifest.models).get(words)
    return next((one for one in state.manifest.models if one.name == name), None)


def field_in(model: DataModel, words: str) -> DataField | None:
    """Return the model's field that `words` mean."""
    name = identifier(re.sub(r"^(?:the|an?|their)\s+|\s+(?:field|column)$", "", words.strip(" '\"").casefold()))
    return next(
        (one for one in model.fields if one.name in (name, name.removesuffix("s")) or identifier(one.label) == name),
        None,
    )


def model_with_field(state: Changed, words: str) -> DataModel | None:
    """Return the model that has the field: the one spoken of last, else the only one, else the first."""
    having = [one for one in state.manifest.models if field_in(one, words)]
    return next((one for one in having if one.name == state.last_model), having[0] if having else None)


def put_model(state: Changed, model: DataModel, old_name: str = "") -> None:
    """Replace or add a model."""
    state.last_model = model.name
    models = [model if one.name == (old_name or model.name) else one for one in state.manifest.models]
    if all(one.name != model.name for one in models):
        models.append(model)
    state.manifest = state.manifest.model_copy(update={"models": models})


def put_feature(state: Changed, name: str) -> None:
    """Switch a feature on."""
    if name not in state.manifest.features:
        state.manifest = state.manifest.model_copy(update={"features": [*state.manifest.features, name]})


def put_theme(state: Changed, **update: str) -> None:
    """Change the theme."""
    theme = state.manifest.theme.model_copy(update=update)
    state.manifest = state.manifest.model_copy(update={"theme": theme})
