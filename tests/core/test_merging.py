"""An app's manifest is merged by its fields."""

import json
from typing import Any

import pytest

from core.merging import merged_manifest

BASE: dict[str, Any] = {
    "name": "shop", "title": "Shop", "analysis": "A shop.", "kind": "static", "features": ["list"],
    "models": [{"name": "item", "label": "Item", "plural": "Items", "fields": [{"name": "name", "label": "Name"}]}],
    "endpoints": [{"method": "GET", "path": "/items", "purpose": "list"}],
    "files": [{"path": "index.html", "role": "uix", "description": "the page"}], "start": ["a", "b"],
}  # fmt: skip


def side(**changes: Any) -> bytes:
    return json.dumps(BASE | changes).encode()


def fields(*names: str) -> list[dict[str, Any]]:
    return [{**BASE["models"][0], "fields": [{"name": name, "label": name.title()} for name in names]}]


def merged(ours: bytes, theirs: bytes, *, prevails: bool = False) -> Any:
    found = merged_manifest(side(), ours, theirs, prevails=prevails)
    return None if found is None else json.loads(found)


def test_changes_of_different_things_go_together() -> None:
    found = merged(
        side(title="Wheels", features=["list", "dark"], models=fields("name", "price"), analysis="A shop with prices."),
        side(features=["list", "search"], models=fields("name", "colour"), analysis="A shop in colours.",
             endpoints=[*BASE["endpoints"], {"method": "POST", "path": "/items", "purpose": "add"}]),
    )  # fmt: skip
    assert (found["title"], found["features"]) == ("Wheels", ["list", "dark", "search"])
    assert [one["name"] for one in found["models"][0]["fields"]] == ["name", "price", "colour"]
    assert len(found["endpoints"]) == 2
    # What models write for each other is no reason to clash: the present app's stays.
    assert found["analysis"] == "A shop with prices."


def test_what_one_side_takes_away_is_gone() -> None:
    assert merged(side(features=[], title="Wheels"), side(models=[]))["models"] == []
    assert merged(side(features=[], title="Wheels"), side(models=[]))["features"] == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (side(title="Wheels"), side(title="Bikes")),
        (side(start=["a", "c"]), side(start=["a", "d"])),
        (side(models=[]), side(models=fields("name", "colour"))),
        (side(models=[*fields("name"), *fields("price")]), side(models=fields("name", "colour"))),
    ],
)
def test_two_changes_of_one_thing_clash(ours: bytes, theirs: bytes) -> None:
    assert merged(ours, theirs) is None


def test_who_prevails_is_taken_where_both_changed_the_same() -> None:
    assert merged(side(title="Wheels", features=["dark"]), side(title="Bikes"), prevails=True)["title"] == "Bikes"
    assert merged(side(start=["a", "c"]), side(start=["a", "d"]), prevails=True)["start"] == ["a", "d"]


def test_who_prevails_has_the_last_word_on_descriptions_too() -> None:
    found = merged(side(analysis="A dark shop."), side(analysis="A red shop."), prevails=True)
    assert found["analysis"] == "A red shop."


def test_two_new_manifests_are_merged_as_well() -> None:
    found = merged_manifest(b"", side(features=["dark"]), side(features=["search"]))
    assert found is not None
    assert json.loads(found)["features"] == ["dark", "search"]


@pytest.mark.parametrize("odd", [b"{", b"[]", b"[" * 100_000, b'{"name": 1}', b"\xff"])
def test_what_is_no_manifest_is_not_merged(odd: bytes) -> None:
    assert merged_manifest(side(), odd, side(title="Bikes")) is None


def test_what_does_not_fit_together_is_no_manifest() -> None:
    page = {"path": "/items", "title": "Items", "model": "item"}
    assert merged(side(pages=[page]), side(models=[])) is None
