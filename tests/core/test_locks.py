"""An app whose packages are those of a known lock gets that lock, and loses it when it asks for others."""

import json

from adapters.llm.builtin.plans import new_manifest
from adapters.llm.builtin.render import LOCK, render
from adapters.llm.builtin.understand import understand
from core.files import FileTree
from core.locks import locks_of

KNOWN = json.dumps(
    {
        "name": "x",
        "lockfileVersion": 3,
        "packages": {"": {"name": "x", "dependencies": {"react": "1"}}, "node_modules/react": {"version": "1"}},
    }
)


def packages(**more: object) -> bytes:
    return json.dumps(
        {"name": "shop", "scripts": {}, "devDependencies": {}, "dependencies": {"react": "1"}, **more}
    ).encode()


def test_a_missing_lock_is_added_under_the_name_of_the_app() -> None:
    tree = FileTree({"frontend/package.json": packages(), "package.json": packages(name=None)})
    changes = locks_of(tree, (KNOWN,))
    assert sorted(changes) == ["frontend/package-lock.json", "package-lock.json"]
    content = changes["frontend/package-lock.json"]
    assert content is not None
    lock = json.loads(content)
    assert (next(iter(lock)), lock["name"], lock["packages"][""]) == (
        "name",
        "shop",
        {"name": "shop", "dependencies": {"react": "1"}},
    )
    # What fits is left as it is.
    assert locks_of(tree.changed(changes), (KNOWN,)) == {}


def test_a_lock_of_ours_goes_with_the_packages_that_it_was_for_and_others_stay() -> None:
    tree = FileTree({"package.json": packages()})
    tree = tree.changed(locks_of(tree, (KNOWN,)))
    more = tree.changed({"package.json": packages(dependencies={"react": "1", "vue": "3"})})
    assert locks_of(more, (KNOWN,)) == {"package-lock.json": None}
    renamed = tree.changed({"package.json": packages(name="store")})
    assert b'"store"' in (locks_of(renamed, (KNOWN,))["package-lock.json"] or b"")
    own = FileTree(
        {"package.json": packages(), "package-lock.json": b'{"packages": {"node_modules/react": {"version": "0"}}}'}
    )
    assert locks_of(own, (KNOWN,)) == {}
    assert locks_of(FileTree({"package.json": packages(), "package-lock.json": b"{"}), (KNOWN,)) == {}


def test_what_is_no_package_of_npm_gets_none() -> None:
    for content in (b"{", b"[]", b'{"dependencies": {"vue": "3"}}', b"{}"):
        assert locks_of(FileTree({"package.json": content}), (KNOWN,)) == {}
    assert locks_of(FileTree({"package.json": packages()}), ()) == {}


def test_a_front_end_of_the_builder_has_the_lock_that_it_is_built_with() -> None:
    manifest = new_manifest("bikes with owner", understand("bikes with owner and model"), react=True)
    tree = FileTree({one.path: (render(manifest, one.path) or "").encode() for one in manifest.files})
    content = locks_of(tree, (LOCK,))["frontend/package-lock.json"]
    assert content is not None
    lock = json.loads(content)
    assert lock["lockfileVersion"] == 3
    # No address of a registry: whoever installs asks the own one.
    assert b"resolved" not in content
    assert all("integrity" in one for path, one in lock["packages"].items() if path and not one.get("inBundle"))
    there = {path.rpartition("node_modules/")[2] for path in lock["packages"]}
    optional = {name for one in lock["packages"].values() for name in one.get("optionalDependencies", {})}
    assert optional <= there
