"""What the built-in builder understands of what people write, and what it leaves alone."""

import importlib.util
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dependencies.wanted import IMAGE
from adapters.llm import builtin
from adapters.llm.builtin.change import change
from adapters.llm.builtin.plans import new_manifest
from adapters.llm.builtin.render import render
from adapters.llm.builtin.understand import understand
from adapters.llm.builtin.words import plural, singular
from core.manifests import AppManifest, DataModel

SHOP = "Build a shop: customers with name, email and phone; orders with customer, item, price, status (open, shipped) and due date"


def made(request: str) -> AppManifest:
    return new_manifest(request, understand(request))


def model(manifest: AppManifest, name: str) -> DataModel:
    return next(one for one in manifest.models if one.name == name)


def fields(manifest: AppManifest, name: str) -> dict[str, str]:
    return {one.name: one.type for one in model(manifest, name).fields}


@pytest.mark.parametrize(
    ("request_text", "title", "models"),
    [
        (SHOP, "Shop", {"customer": 3, "order": 5}),
        (
            "Build an app:\n- Customers: name, email, phone\n- Orders: customer, item, price",
            "Customers and orders",
            {"customer": 3, "order": 3},
        ),
        ("Track expenses (date, amount, category, note)", "Expenses", {"expense": 4}),
        ("Anna's bakery: orders with item and price", "Anna's bakery", {"order": 2}),
        (
            "Build an app with customers with name and email and orders with customer and price",
            None,
            {"customer": 2, "order": 2},
        ),
        ("A school: students with name and age, courses with title and teacher", None, {"student": 2, "course": 2}),
        ("build me a todo app please", None, {"task": 4}),
        ("Build us a booking page", None, {"booking": 7}),
    ],
)
def test_requests_for_new_apps(request_text: str, title: str | None, models: dict[str, int]) -> None:
    manifest = made(request_text)
    assert {one.name: len(one.fields) for one in manifest.models} == models
    assert title is None or manifest.title == title


def test_types_follow_from_names_and_brackets() -> None:
    manifest = made(
        "Build an app: items with name, price, due date, in stock (yes/no), quantity, website, email, notes, mileage, date of birth"
    )
    assert fields(manifest, "item") == {
        "name": "text", "price": "money", "due_date": "date", "in_stock": "boolean", "quantity": "integer", "website": "url",
        "email": "email", "notes": "long_text", "mileage": "integer", "date_of_birth": "date",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("items with name, price in yen, weight in kg", {"price_in_yen": "money", "weight_in_kg": "decimal"}),
        ("readings with value, unit", {"value": "decimal"}),
        ("an inventory with name and amount", {"amount": "decimal"}),
        ("payments with payer and amount", {"amount": "money"}),
        ("runs with date, distance and time", {"time": "text"}),
        ("recipes with name, prep time and calories", {"prep_time": "text", "calories": "integer"}),
        ("visits with start time and notes", {"start_time": "datetime"}),
        ("orders with item, amount due, delivery date?", {"amount_due": "money", "delivery_date": "date"}),
        (
            "trips with place, time spent, heart rate, total hours, price per night, web address",
            {
                "time_spent": "text",
                "heart_rate": "text",
                "total_hours": "decimal",
                "price_per_night": "money",
                "web_address": "url",
            },
        ),
        (
            "rentals with bike, deposit paid, returned, phone model, found on, notes (text, optional) please",
            {
                "deposit_paid": "boolean",
                "returned": "boolean",
                "phone_model": "text",
                "found_on": "date",
                "notes": "text",
            },
        ),
        ("fitness log: date, steps, calories", {"steps": "integer"}),
        ("recipes with title, steps", {"steps": "long_text"}),
        ("loans with book, borrowed on, due date", {"borrowed_on": "date"}),
        ("shops with name, opening hours", {"opening_hours": "text"}),
    ],
)
def test_a_type_is_the_one_that_is_meant_beside_the_others(request_text: str, expected: dict[str, str]) -> None:
    types = {one.name: one.type for one in made(request_text).models[0].fields}
    assert {name: types[name] for name in expected} == expected


def test_a_board_has_lanes_of_how_far_things_are_and_words_have_the_colour_of_what_they_mean() -> None:
    manifest = made(
        "Build a kanban board: cards with title, priority (low, high), status (open, done), kind (cat, dog)"
    )
    models = render(manifest, "static/models.js") or ""
    assert 'lane: "status"' in models
    assert 'choices: ["open", "done"], tags: [5, 2]' in models
    assert 'choices: ["low", "high"], tags: [5, 3]' in models
    assert 'choices: ["cat", "dog"], tags: [0, 4]' in models


def test_a_page_has_the_sections_that_were_asked_for() -> None:
    page = made("Make a landing page for a bakery called Krume with opening hours, pricing and contact")
    assert page.features == ["Opening hours", "Pricing", "Contact"]
    assert made("Make a landing page for a bakery called Krume").features == ["About", "Features", "Contact"]


def test_what_is_required_is_what_was_said() -> None:
    manifest = made("contacts with name (optional), required phone, email and notes (required)")
    required = {one.name: one.required for one in manifest.models[0].fields}
    assert required == {"name": False, "phone": True, "email": False, "notes": True}
    assert [one.required for one in made("clients with name*, email*, phone").models[0].fields] == [True, True, False]
    assert not any(one.required for one in made("contacts with optional name and email").models[0].fields)
    assert [one.required for one in made("contacts with name and email").models[0].fields] == [True, False]


@pytest.mark.parametrize("react", [False, True])
def test_an_app_says_how_to_start_it_and_what_is_no_code(react: bool, tmp_path: Path) -> None:
    manifest = new_manifest("bikes with owner and model", understand("bikes with owner and model"), react=react)
    for one in manifest.files:
        path = tmp_path / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(manifest, one.path) or "")
    commands = (tmp_path / "README.md").read_text().split("```sh\n")[1].split("```")[0].splitlines()
    assert commands[:2] == ["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt -c requirements.lock"]
    assert ("npm --prefix frontend run build" in commands) == react
    assert commands[-1] == ".venv/bin/uvicorn main:app"
    locked = dict(line.split("==") for line in (tmp_path / "requirements.lock").read_text().splitlines())
    assert set((tmp_path / "requirements.txt").read_text().split()) <= set(locked)
    for line in (IMAGE / "requirements.txt").read_text().splitlines():
        name, version = line.split("==")
        # `make lock` writes it from what apps are tested with.
        assert locked.get(name.partition("[")[0], version) == version
    ignored = (tmp_path / ".gitignore").read_text().split()
    assert {".venv/", "app.db*", ".env"} <= set(ignored)
    assert ("frontend/dist/" in ignored) == react
    page = "import main, starlette.testclient as t; answer = t.TestClient(main.app).get('/'); print(answer.status_code, answer.text)"
    done = subprocess.run([sys.executable, "-c", page], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    # A front end that nobody has built yet is no riddle.
    shown = "503 The front end is not built yet." if react else "200 <!doctype html>"
    assert done.stdout.startswith(shown), done.stderr


@pytest.mark.parametrize(
    ("text", "name", "field", "kind"),
    [
        ("Add a notes field to orders", "order", "notes", "long_text"),
        ("Can you add a birthday to customers?", "customer", "birthday", "date"),
        ("add delivery date to orders please", "order", "delivery_date", "date"),
        ("add a gift wrap checkbox to orders", "order", "gift_wrap", "boolean"),
        ("add a new field called supplier to orders", "order", "supplier", "text"),
        ("orders need a priority: low, medium, high", "order", "priority", "choice"),
        ("Add a size dropdown to orders with small, medium and large", "order", "size", "choice"),
        ("customers should also have a company", "customer", "company", "text"),
        ("add größe to orders", "order", "grosse", "text"),
    ],
)
def test_fields_are_added(text: str, name: str, field: str, kind: str) -> None:
    found = change(made(SHOP), text)
    assert found.missed == []
    assert fields(found.manifest, name)[field] == kind


@pytest.mark.parametrize(
    "text",
    [
        "change quantity to a decimal", "change the price to 5 dollars", "change the status to shipped", "delete all orders",
        "remove phone from suppliers", "I don't like the dark mode",
        "customers need to log in", "add a delete button to orders", "add a banner: Sale on Monday", "we have a problem: the page is slow",
        "add 1 to the price of each order", "integrate with Stripe", "make late orders red",
    ],
)  # fmt: skip
def test_what_is_not_understood_changes_nothing(text: str) -> None:
    before = made(SHOP)
    found = change(before, text)
    assert found.manifest == before, found.done
    assert found.missed


def test_a_message_may_hold_several_wishes() -> None:
    found = change(
        made(SHOP),
        "- Add a total to orders\n- rename phone to mobile, and sort orders by price, highest first. Please make it green!",
    )
    assert len(found.done) == 4
    assert model(found.manifest, "order").order_by == "-price"


def test_what_was_missed_of_several_wishes_is_said_and_not_done() -> None:
    found = change(made(SHOP), "make it green and remove phone and nickname")
    # What takes something away is done whole or not at all.
    assert (len(found.done), found.missed) == (1, ["remove phone and nickname"])
    assert "phone" in fields(found.manifest, "customer")
    two = change(made(SHOP), "rename customers to clients and orders to jobs")
    assert [one.plural for one in two.manifest.models] == ["Clients", "Jobs"]


def test_limits_are_kept() -> None:
    many = ", ".join(f"field{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60))
    assert len(made(f"Build an app: items with {many}").models[0].fields) == 40
    manifest = made("Build an app: items with name")
    for number in range(45):
        manifest = change(manifest, f"add extra{chr(97 + number // 26)}{chr(97 + number % 26)} to items").manifest
    assert len(manifest.models[0].fields) <= 40


@pytest.mark.parametrize(
    "word", ["customer", "category", "box", "response", "class", "bus", "person", "address", "news", "branch", "course"]
)
def test_plurals_and_back(word: str) -> None:
    assert singular(plural(word)) == word


RENDERED = (
    "Build an app: references with name, phone", "Build an app: hearings with case, order, group, from, index", "Create a survey",
    "Build an app: items with sample, client; samples with name", "Anna's \"best\" bakery: orders with item and price",
    "Landing page for my coffee shop called Bean There", "Build an app: loans with borrower, due date; borrowers with name",
    "Build an app: logs with str, int, float, date, time", "Build an app: orders with customer, customer id; customers with name",
)  # fmt: skip


@pytest.mark.parametrize("react", [False, True])
@pytest.mark.parametrize("request_text", RENDERED)
def test_every_file_of_every_app_can_be_written_and_parsed(request_text: str, react: bool) -> None:
    manifest = new_manifest(request_text, understand(request_text), react=react)
    manifest = change(manifest, "add search, export to csv, pagination and filters").manifest
    for file in manifest.files:
        content = render(manifest, file.path)
        assert content, file.path
        if file.path.endswith(".py"):
            compile(content, file.path, "exec")


def database_of(manifest: AppManifest, folder: Path) -> ModuleType:
    """Import the app's database module, as the app does."""
    path = folder / f"database_{len(list(folder.glob('*.py')))}.py"
    path.write_text(render(manifest, "backend/database.py") or "")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("changes", "table", "column"),
    [
        (["rename customers to clients", "rename clients to patrons"], "patrons", "phone"),
        (["rename customers to clients", "rename clients to customers"], "customers", "phone"),
        (["rename phone to mobile", "rename mobile to cell"], "customers", "cell"),
        (["rename phone to mobile", "rename mobile to phone"], "customers", "phone"),
        (["remove phone from customers", "add phone to customers"], "customers", "phone"),
        (["add a priority (low, high) to customers"], "customers", "phone"),
    ],
)
@pytest.mark.parametrize("every_step", [True, False])
def test_data_survives_changes(
    changes: list[str], table: str, column: str, every_step: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    manifest = made(SHOP)
    database_of(manifest, tmp_path).prepare()
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute("INSERT INTO customers (name, phone) VALUES ('Ann', '123')")
    connection.close()
    for text in changes:
        found = change(manifest, text)
        assert found.missed == []
        manifest = found.manifest
        if every_step:
            database_of(manifest, tmp_path).prepare()
    database_of(manifest, tmp_path).prepare()
    with sqlite3.connect(tmp_path / "app.db") as connection:
        assert connection.execute(f"SELECT name, {column} FROM {table}").fetchall() == [("Ann", "123")]
    connection.close()


def test_a_name_that_older_data_still_has_is_not_taken() -> None:
    renamed = change(made(SHOP), "rename phone to mobile").manifest
    assert change(renamed, "rename email to phone").missed


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from("add remove rename sort customers orders name to with by and, :;()'\"\n äß1"), max_size=120)
)
def test_no_text_breaks_it(text: str) -> None:
    change(made(SHOP), text)
    new_manifest(text, understand(text))


def luminance(colour: str) -> float:
    """Return the relative luminance of a hex colour, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("template", ["data", "react"])
def test_badges_are_readable_in_both_schemes_and_tables_are_cards_on_a_phone(template: str) -> None:
    folder = Path(builtin.__file__).parent / "templates" / template
    styles = (folder / "styles.css.j2").read_text()
    pairs = re.findall(
        r"\.tag-\d \{ background: light-dark\((#\w+), (#\w+)\); color: light-dark\((#\w+), (#\w+)\); \}", styles
    )
    assert len(pairs) == 6
    for light, dark, on_light, on_dark in pairs:
        for ground, text in ((light, on_light), (dark, on_dark)):
            bright, dim = sorted((luminance(ground), luminance(text)), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ground, text)
    assert "@media (max-width: 640px)" in styles
    assert "attr(data-label)" in styles
    # Such a rule follows the system, and not the page that has a scheme of its own.
    assert not [path.name for path in folder.iterdir() if "dark:" in path.read_text()]
