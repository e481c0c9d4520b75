"""
Wishes in people's own words, to the built-in builder: what it builds is what was asked for, or it says what it would leave out.

A request is built only when every word of it is covered; anything else is a question that names what is missing.
"""

import asyncio
import time
from collections.abc import Sequence

import pytest

from adapters.llm.builtin.looks import ACCENTS
from adapters.llm.builtin.model import CHANGE_IT, CONNECT_ONE, BuiltinModel
from core import planning
from core.context import Context
from core.files import FileTree
from core.manifests import AppManifest, Plan, Theme

Fields = dict[str, tuple[str, ...]]


async def understood(
    request: str, manifest: AppManifest | None = None, talk: Sequence[dict[str, str]] = ()
) -> tuple[str, Plan | None, list[str]]:
    """Return the question that comes back, or the plan; and the options."""
    tree = FileTree({"app.json": manifest.to_bytes()}) if manifest else FileTree()
    context = Context(tree, manifest, talk=talk)
    found = await planning.triage(request, context, BuiltinModel())
    if found.intent == "question" or found.questions:
        return "\n".join([found.reply, *found.questions]), None, found.options
    planned = await planning.plan(request, context, BuiltinModel())
    assert not isinstance(planned, str)
    assert not planned.caveat, planned.caveat
    return "", planned.plan, []


def lists(plan: Plan) -> Fields:
    return {
        model.plural.lower(): tuple(field.label.lower() for field in model.fields) for model in plan.manifest.models
    }


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("todo", {"tasks": ("title", "done", "due date", "notes")}),
        ("Bulid a todo lsit pls", {"tasks": ("title", "done", "due date", "notes")}),
        ("Custmers with nmae and email", {"customers": ("name", "email")}),
        ("Members: name, email, phone, joined date; fees: member, amount, paid (yes/no)",
         {"members": ("name", "email", "phone", "joined date"), "fees": ("member", "amount", "paid")}),
        ("tool for our library: books with title, author and isbn, loans with book, reader and due date",
         {"books": ("title", "author", "isbn"), "loans": ("book", "reader", "due date")}),
        ("I need a guest list for our wedding. For every guest: full name, how many people come along, side (bride or groom), "
         "dietary wishes and RSVP (yes, no, maybe).",
         {"guests": ("full name", "how many people come along", "side", "dietary wishes", "rsvp")}),
        ("Could you please make us a simple app to keep track of our tools: name, owner, place, borrowed by",
         {"tools": ("name", "owner", "place", "borrowed by")}),
        ("hi! we need an inventory app :)", {"items": ("name", "sku", "category", "quantity", "reorder level", "price", "supplier")}),
        ("Track wines with name, year, region, rating and notes", {"wines": ("name", "year", "region", "rating", "notes")}),
        ("Make a kanban board for our team", {"cards": ("title", "description", "assignee", "status", "due date")}),
        ("members (name, phone, birthday)", {"members": ("name", "phone", "birthday")}),
        ("inventory of the kitchen with item, amount, expiry date", {"items": ("item", "amount", "expiry date")}),
        ("servers with docker version, load and place", {"servers": ("docker version", "load", "place")}),
        ("web app in python with fastapi and sqlite that keeps books with title and author", {"books": ("title", "author")}),
        ("app which tracks sales with item, price and mobile", {"sales": ("item", "price", "mobile")}),
        ("tv shows with title and seasons", {"tv shows": ("title", "seasons")}),
        ("Bikes: owner, price (money), notes (long text), shop (one of the shops). Shops: name, opening hours",
         {"bikes": ("owner", "price", "notes", "shop"), "shops": ("name", "opening hours")}),
        ("bikes: model, daily rate in euros; rentals: which one (one of the bikes), who, due date",
         {"bikes": ("model", "daily rate in euros"), "rentals": ("which one", "who", "due date")}),
        ("hey folks, can you build us an order list with customer, item, price and delivery date?",
         {"orders": ("customer", "item", "price", "delivery date")}),
        ("we need a visitor log at reception with name, company, arrival time please 🙏",
         {"visitors": ("name", "company", "arrival time")}),
        ("Can you make an inventory for our bike shop with name, brand and price?", {"items": ("name", "brand", "price")}),
        ("hey bot, build a shopping list with item, quantity and bought", {"items": ("item", "quantity", "bought")}),
        ("todo with task, priority and due date", {"tasks": ("task", "priority", "due date")}),
        ("real estate leads with name, phone, min and max price", {"real estate leads": ("name", "phone", "min price", "max price")}),
        ("app for our dog shelter: dogs (name, breed, age), adopters (name, phone, dog), visits (dog, adopter, date)",
         {"dogs": ("name", "breed", "age"), "adopters": ("name", "phone", "dog"), "visits": ("dog", "adopter", "date")}),
        ("Build an app called Bike rental:\n- bikes: model, price (money)\n- rentals: which one (one of the bikes), who\nMake it teal",
         {"bikes": ("model", "price"), "rentals": ("which one", "who")}),
        ("Tasks:\n- title\n- status (open, done)\n- due date", {"tasks": ("title", "status", "due date")}),
        ("a purple list for my crystals with name, origin and price", {"crystals": ("name", "origin", "price")}),
        ("my kid's vaccinations with vaccine, date given, doctor", {"vaccinations": ("vaccine", "date given", "doctor")}),
        ("Suppliers (name, email, phone) and their products (name, supplier, price)",
         {"suppliers": ("name", "email", "phone"), "products": ("name", "supplier", "price")}),
        ("Cable inventory pls: type (HDMI, USB-C), count, drawer", {"cables": ("type", "count", "drawer")}),
        ("CRM with name, company and phone", {"contacts": ("name", "company", "phone")}),
        ("help us build a bookmarks app with title and link", {"bookmarks": ("title", "link")}),
        ("plants with name and price, in blue please", {"plants": ("name", "price")}),
        ("Board members with name, email and role", {"board members": ("name", "email", "role")}),
        ("help desk: tickets with title, status (open, closed)", {"tickets": ("title", "status")}),
        ("guests with name, attending (yes, no, maybe)", {"guests": ("name", "attending")}),
        ("Make a landing page for a bakery called Krume with opening hours, pricing and contact", {}),
    ],
)  # fmt: skip
async def test_what_is_covered_is_built_as_it_was_said(request_text: str, expected: Fields | None) -> None:
    asked, plan, _ = await understood(request_text)
    if expected is None:
        assert plan is None
        assert "“" in asked
        return
    assert plan is not None, asked
    assert lists(plan) == expected


@pytest.mark.parametrize(
    ("request_text", "missing", "never"),
    [
        ("We keep forgetting which office plants got water. Make us a little log: every plant has a name, the place where it stands and "
         "how often it needs water. Whoever waters one notes the date and their initials.", "Whoever waters one", ()),
        ("Gear: name, kind (camera, tripod, microphone), serial number. Bookings: gear, borrower, from date, until date. Two bookings of "
         "the same gear must not overlap.", "must not overlap", ("kinds", "camera")),
        ("A public page for our chamber choir: who we are, the next concerts (12 December in St. Thomas, 20 March in the town hall), how "
         "to join, and a contact address", "the next concerts", ("concerts",)),
        ("An anonymous survey after our workshop: rating from 1 to 5, what was good, would you come again (yes/no). And a results page "
         "with a bar chart.", "bar chart", ("name",)),
        ("On-call roster for six engineers (Anna, Ben, Carla, David, Eva, Finn): who is on call in which week", "", ("anna", "engineers")),
        ("Polls like in Slack: a question, some answers, everybody votes once, bars show the result live", "",
         ("slacks", "everybody votes once")),
        ("Create a recipe app where I can add recipes with ingredients and search them", "search them", ("search them",)),
        ("A flashcards app: cards with question and answer, grouped in decks", "grouped in decks", ("grouped in decks",)),
        ("Need an app: track bikes (owner, model, place) and warn me if service is overdue", "warn me if service is overdue", ()),
        ("i want a thing to track my runs: date, distance, time and how i felt", "how i felt", ("things",)),
        ("Expense tracker with a monthly chart and CSV export", "monthly chart", ()),
        ("CRM where every sales rep only sees their own customers", "only sees", ()),
        ("Inventory with barcode scanning", "barcode scanning", ("barcode scanning",)),
        ("A booking page for my hair salon, closed on mondays", "closed on mondays", ()),
        ("build a blog about cooking with comments and likes", "comments", ("cookings", "about cookings")),
        ("Track patients with name, date of birth, insurance number; visits with patient, date, diagnosis. Only doctors may see diagnoses",
         "Only doctors may see", ()),
        ("tickets: title, priority (low, mid, high), assignee; overdue ones in red", "overdue ones in red", ()),
        ("a leaderboard for our office ping pong: players and matches, winner gets 3 points", "", ()),
        ("todo list, but one per user with login", "login", ()),
        ("A guest book. Spam must be filtered", "", ()),
        ("Build a shop for tea with a cart and checkout", "", ("carts",)),
        ("inventory with name, amount; send me an email when something runs low", "send me an email", ()),
        ("Todo app that syncs with Google Calendar", "Google Calendar", ()),
        ("track our office plants: name, place, watered on, and warn me on my phone if one is dry", "warn me on my phone", ("our",)),
        ("contacts with name, phone and photo upload", "photo upload", ()),
        ("expenses with date, amount, category; max 500 euros per person", "max 500 euros per person", ()),
        ("a survey for 30 students, results as pdf", "results as pdf", ()),
        ("Build a Vue app that keeps a list of recipes with name, minutes and notes", "Vue", ("vue",)),
        ("Track bikes with owner and model in Django", "Django", ("model in django",)),
        ("a PHP guestbook with name and message", "PHP", ("php guestbooks",)),
        ("todo app using postgres and next.js", "next.js", ()),
        ("We need an Android app that lists plants with name and place", "Android", ("lists plants",)),
        ("invoices with customer, date and lines (item, qty, price)", "lines (item", ("lines",)),
        ("students with name and grades in math, english and art", "grades in math", ("grades in math",)),
        ("a todo list with all fields optional", "all fields optional", ()),
        ("Build a CRM and inventory", "CRM", ()),
        ("Keep a record of our meetings with parents: date, child, teacher", "parents: date", ()),
        ("record fuel for the van: date, litres, price per litre", "", ("vans",)),
        ("build a recurring todo list", "recurring", ()),
        ("build a music library", "music", ()),
        ("Build a booking calendar", "calendar", ()),
        ("Build a multi-user kanban board", "multi-user", ()),
        ("landing page for a yoga studio featuring a booking calendar", "booking calendar", ()),
        ("Landing page for our band with about and contact but no FAQ", "no FAQ", ()),
        ("Build a todo app. Please no pink, make it blue", "no pink", ()),
        ("Make a recipe app, I don't like dark mode", "don't like dark mode", ()),
        ("Tickets with title, priority high, medium, low and assignee", "priority high", ("priority high",)),
        ("a CRM with companies, contacts and deals", "deals", ("deals",)),
        ("show the total of orders with item and price", "show the total", ()),
        ("staff: name, boss (one of the managers), phone", "one of the managers", ("boss",)),
    ],
)  # fmt: skip
async def test_what_is_not_covered_is_named_and_nothing_is_built(
    request_text: str, missing: str, never: tuple[str, ...]
) -> None:
    asked, plan, options = await understood(request_text)
    assert plan is None, plan
    assert missing in asked
    told = asked.partition("Left out")[0] if "I would build" in asked else ""
    for word in never:
        assert f"“{word}”" not in told.lower()
        assert f" {word}," not in told.lower()
    for option in (one for one in options if one not in (CHANGE_IT, CONNECT_ONE)):
        # Each can be picked: it is understood whole, or is a yes to the offer.
        assert (await conversation(request_text, option))[1] is not None, option
        assert not option.startswith(("Build a our", "Build a my")), option


@pytest.mark.parametrize(
    "request_text",
    ["Make a timer", "Build a 3D shooter game", "Vacation planner for our team so nobody is off at the same time", "A chat room for our team",
     "An app to split bills between flatmates", "habit tracker with streaks", "A quiz about dinosaurs with 10 questions",
     "Please build me an app that reminds me to drink water every 2 hours", "Store passwords for the team", "Potluck list: who brings what",
     "We have 12 meeting rooms, need to book them by the hour", "asdf", "👍", "build it", "something cool"],
)  # fmt: skip
async def test_what_is_not_understood_is_no_app(request_text: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is None
    assert asked


@pytest.mark.parametrize(
    ("request_text", "language"),
    [
        ("Ich brauche ein Inventar für unsere Werkstatt: Name, Ort, Zustand (gut, defekt)", "German"),
        ("Je veux une application pour gérer mes clients avec nom et téléphone", "French"),
        ("Quiero una lista de tareas con fecha y prioridad para el equipo", "Spanish"),
        ("Ik wil een lijst van boeken met titel en schrijver", "Dutch"),
        ("Voglio una lista di clienti con nome e telefono per il negozio", "Italian"),
        ("一个待办事项列表", "another language"),
        ("Сделай список задач для команды", "another language"),
    ],
)
async def test_other_languages_are_recognised_and_said(request_text: str, language: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is None
    assert f"looks like {language}" in asked


SHOP = "Build a shop: customers with name, email and phone; orders with customer, item, price, status (open, shipped) and due date"


async def shop() -> AppManifest:
    _, plan, _ = await understood(SHOP)
    assert plan is not None
    return plan.manifest


@pytest.mark.parametrize(
    ("request_text", "done", "left_out"),
    [
        ("add vendor, serial and colour to orders", "vendor and serial and colour", []),
        ("add a notes field to orders and sort by due date", "sorted by due date", []),
        ("Change the title to Sweet Things and make the accent colour dark red", "dark red (#742019)", []),
        ("make it green and light", "a light theme and the accent colour is #2f7d4f", []),
        ("Make it dark with gold headings and a serif font", "dark theme", ["a serif font"]),
        ("sort orders by due date and colour overdue ones red", "sorted by due date", ["colour overdue ones red"]),
        ("add search and a calendar view", "searched", ["a calendar view"]),
        ("rename customers to clients, and also show the number of orders per client", "Clients", ["show the number of orders per client"]),
        ("add a priority (low, high) to orders and integrate our SAP system", "priority", ["integrate our SAP system"]),
    ],
)  # fmt: skip
async def test_changes_do_what_they_say_and_name_the_rest(request_text: str, done: str, left_out: list[str]) -> None:
    asked, plan, _ = await understood(request_text, await shop())
    assert plan is not None, asked
    assert done in plan.summary
    assert plan.left_out == left_out


@pytest.mark.parametrize(
    "request_text",
    ["I want to import them from a CSV file", "Draw a bar chart with the total of each month", "only admins may delete orders",
     "Now seating: tables have a number and seats, each guest sits at one table, and a table must never have more people than seats.",
     "Add a section with our concerts: 12 December St. Thomas, 20 March town hall", "email must be unique", "let customers log in",
     "purple background, rounded buttons, a big photo at the top and a playful font please", "send an email when an order is shipped",
     "add a chart per month", "make the buttons bigger", "make it light blue", "translate it to German", "add a discount of 10% to orders over 100",
     "the form is too long on my phone", "füge ein Feld Notizen zu Bestellungen hinzu", "never show the price to guests"],
)  # fmt: skip
async def test_changes_that_are_not_understood_change_nothing(request_text: str) -> None:
    asked, plan, _ = await understood(request_text, await shop())
    assert plan is None, plan
    assert "Noted" not in asked


async def test_questions_and_decisions_are_answered_as_such() -> None:
    manifest = await shop()
    assert "Orders: Customer" in (await understood("how many fields does an order have?", manifest))[0]
    assert (await understood("Our brand is called Crumbs.", manifest))[0].startswith("Noted")


@pytest.mark.parametrize(
    ("request_text", "title", "fields", "accent", "mode"),
    [
        ("a todo list in dark mode", "Todo list", "title done due_date notes", "", "dark"),
        ("Build an inventory app in green", "Inventory", "name sku category quantity reorder_level price supplier", "green", "auto"),
        ("a list of bikes with owner and model, blue and light", "List of bikes", "owner model", "blue", "light"),
        ("matches with team, red, blue and score", "Matches", "team red blue score", "", "auto"),
        ("Keep track of paint with name and colour (red, blue)", "Paint", "name colour", "", "auto"),
        ("Track my plants with name, light and water", "Plants", "name light water", "", "auto"),
        ("recipes w/ name, minutes. it should be purple and light", "Recipes", "name minutes", "purple", "light"),
    ],
)  # fmt: skip
async def test_looks_are_looks_and_no_names(request_text: str, title: str, fields: str, accent: str, mode: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is not None, asked
    manifest = plan.manifest
    assert (manifest.title, [one.name for one in manifest.models[0].fields]) == (title, fields.split())
    assert (manifest.theme.accent, manifest.theme.mode) == (ACCENTS.get(accent, Theme().accent), mode)


async def conversation(*said: str) -> tuple[str, Plan | None, list[str]]:
    """Say one thing after the other before anything is built, and return what comes of the last."""
    talk: list[dict[str, str]] = []
    found: tuple[str, Plan | None, list[str]] = ("", None, [])
    for text in said:
        found = await understood(text, talk=talk)
        talk += [{"by": "Ann", "said": text}, {"by": "the bot", "said": found[0]}]
    return found


BIKES = "Keep track of our bikes with owner and model, and print a label for each"


async def test_an_offer_that_is_changed_is_offered_anew_and_yes_builds_it() -> None:
    asked, plan, options = await conversation(BIKES, "make it green and light")
    assert plan is None
    assert asked.startswith("I would build: a list “bikes” with owner, model, in green and light.")
    asked, _, _ = await conversation(BIKES, "make it green and light", "also keep customers with name and phone")
    assert "a list “customers” with name, phone, in green and light" in asked
    for yes in ("Yes, please", "ok, build it!", options[0]):
        _, plan, _ = await conversation(BIKES, "make it green and light", yes)
        assert plan is not None
        assert lists(plan) == {"bikes": ("owner", "model")}
        assert (plan.manifest.theme.accent, plan.manifest.theme.mode) == (ACCENTS["green"], "light")


async def test_an_offer_can_be_changed_and_a_model_can_be_connected() -> None:
    wish = "landing page for the rowing club with a newsletter signup"
    _, _, options = await understood(wish)
    assert options[1:] == ["Change it", "Connect a model"]
    asked, plan, left = await conversation(wish, "Change it")
    assert plan is None
    assert asked.startswith("I would build: a page “Rowing club”")
    assert "What should be different?" in asked
    assert "Change it" not in left
    talk = [
        {"by": "Ann", "said": wish},
        {"by": "the bot", "said": "I would build: x"},
        {"by": "Ann", "said": "Change it"},
        {"by": "the bot", "said": asked},
    ]
    again, plan, _ = await understood("and prices", talk=talk)
    assert plan is None
    assert "Pricing" in again
    assert "OPENROUTER_API_KEY" in (await conversation(wish, "Connect a model"))[0]


async def test_a_whole_new_wish_after_an_offer_stands_for_itself() -> None:
    _, plan, _ = await conversation(BIKES, "Build a list of books with title and author")
    assert plan is not None
    assert lists(plan) == {"books": ("title", "author")}
    # Where nothing was offered a yes means nothing.
    asked, plan, _ = await conversation("yes")
    assert plan is None
    assert "I do not see in that" in asked


@pytest.mark.parametrize(
    "request_text",
    ["todo list without due date", "inventory app but without price and supplier", "Build a crm without companies",
     "Build a list of tools with name and owner, dark red and light",
     "light or dark todo list",
     "blog in red but dark grey header", "booking app for 2 tennis courts", "crm in dark blue with companies and contacts",
     "todo list with green done tasks", "Build a kanban board for 3 teams",
     "landing page for Rosa's Flowers with a contact form and prices", "orders with customer (from the customers list), item",
     "projects with name, budget; each project has many tasks with title, owner",
     "I want people to log in and post events with title, place and date", "a crm but in German, customers with name and city",
     "an app to compare phones with brand and price", "two lists of books with title and author",
     "meeting minutes w/ date, attendees, action items (each with owner & deadline)", "a secure list of accounts with name and iban",
     "a copy of trello, cards with title and column", "Build a todo app in light mode that emails me",
     "Build a todo app that texts me", "a booking page which reminds people", "todo app that notifies us when something is late"],
)  # fmt: skip
async def test_what_a_wish_restricts_relates_or_wants_done_is_named(request_text: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is None
    assert "Left out (a model could do that)" in asked


@pytest.mark.parametrize(
    "request_text",
    ["remove the status and due date from orders and customers", "remove phone and email from orders", "make it blue or green",
     "add customer Anna with email a@b.de", "make the delete button red", "make the price red", "make the title blue",
     "make the customers page green", "show 5 per page", "add staff with name and one of the customers",
     "status should be a choice of green, grey and orange",
     "put price before item in orders", "put customer first in orders", "add price twice to orders", "add Peter to customers",
     "add old customers to customers", "add a chart to orders", "customers need a map", "include price in search"],
)  # fmt: skip
async def test_half_a_removal_and_a_part_in_colour_change_nothing(request_text: str) -> None:
    _, plan, _ = await understood(request_text, await shop())
    assert plan is None


async def test_a_change_of_colour_takes_the_new_one_and_what_is_not_done_is_left_out() -> None:
    for text, colour in (
        ("change the accent from blue to orange", "orange"),
        ("change the colour from red to green", "green"),
    ):
        _, plan, _ = await understood(text, await shop())
        assert plan is not None
        assert plan.manifest.theme.accent == ACCENTS[colour]
    _, plan, _ = await understood("filter orders by status, hide shipped", await shop())
    assert plan is not None
    assert plan.left_out == ["hide shipped"]


def kinds(plan: Plan) -> str:
    """Return the lists with their fields as one line, with a type where it is no plain text."""
    short = {
        "text": "",
        "long_text": ":long",
        "integer": ":int",
        "decimal": ":number",
        "boolean": ":yes",
        "datetime": ":time",
        "relation": ":one",
    }
    return "; ".join(
        f"{model.plural.lower()} - "
        + ", ".join(
            one.label.lower() + (f" ({'/'.join(one.choices)})" if one.choices else short.get(one.type, f":{one.type}"))
            for one in model.fields
        )
        for model in plan.manifest.models
    )


@pytest.mark.parametrize(
    ("request_text", "title", "expected"),
    [
        ("tutoring sessions - student, subject (math, english), fee in euro, paid", "Tutoring sessions",
         "tutoring sessions - student, subject (math/english), fee in euro:money, paid:yes"),
        ("We need an incident log. Fields: title, severity (sev1, sev2), started at, root cause", "Incident log",
         "incidents - title, severity (sev1/sev2), started at:time, root cause"),
        ("### Request\nA list of conference rooms\n\n### Fields\n- name\n- seats\n- projector (yes/no)", "List of conference rooms",
         "conference rooms - name, seats:int, projector:yes"),
        ("tea collection\n- name\n- type: green, black, oolong\n- grams left\n- rating 1-5", "Tea collection",
         "teas - name, type (green/black/oolong), grams left:number, rating (1/2/3/4/5)"),
        ("we have projects, each with a client and a budget, and invoices with project, amount, paid on", "Projects and invoices",
         "projects - client, budget:money; invoices - project:one, amount:money, paid on:date"),
        ("Please build an app for our tabletop night. Games have a title and owner. Sessions have a game, a date and a host.", "Tabletop night",
         "games - title, owner; sessions - game:one, date:date, host"),
        ("Vet practice: animals: name, species, chip no. visits: animal, date, cost", "Vet practice",
         "animals - name, species, chip no; visits - animal:one, date:date, cost:money"),
        ("Warehouse:\n  Shelves: code, aisle, height cm\n  Boxes: label, shelf, weight kg, fragile", "Warehouse",
         "shelves - code, aisle, height (cm):number; boxes - label, shelf:one, weight (kg):number, fragile:yes"),
        ("feature flags with key, enabled, owner, environment: dev, staging, prod", "Feature flags",
         "feature flags - key, enabled:yes, owner, environment (dev/staging/prod)"),
        ("booking app for our sauna: name, date, from, to, number of people", "Booking for our sauna",
         "bookings - name, date:date, from, to, number of people:int"),
        ("list of cats at our shelter w/ name, sex (m/f), chipped?, adopted?", "List of cats at our shelter", "cats - name, sex (m/f), chipped:yes, adopted:yes"),
        ("Could you make a list of boats with berth, length (m) and insured?", "List of boats", "boats - berth, length (m):number, insured:yes"),
        ("allotment waiting list: name, phone, wants (half plot, full plot)", "Allotment waiting list", "entries - name, phone:phone, wants (half plot/full plot)"),
        ("Build me a chore chart for the kids: chore, kid (Mia, Ben, Lou), done", "Chore chart for the kids", "chores - chore, kid (Mia/Ben/Lou), done:yes"),
        ("Inventory for our clinic's storeroom w/ item, expiry date, min qty", "Inventory for our clinic's storeroom", "items - item, expiry date:date, min qty:int"),
        ("wish list for my kids' birthdays: child, wish, price approx., bought", "Wish list for my kids' birthdays", "wishes - child, wish, price approx:money, bought:yes"),
        ("hi builder, my daughter's class sells cookies for a trip. We need orders with buyer, kind (oat, ginger), paid", "Orders", "orders - buyer, kind (oat/ginger), paid:yes"),
        ("my mom wants a list of her orchids: name, bought on, last repotted", "List of her orchids", "orchids - name, bought on:date, last repotted:date"),
        ("We're a cycling club, please build a list of rides. A ride has a name, distance in km and a leader.", "List of rides", "rides - name, distance in km:number, leader"),
        ("A list of interns: name, university, start date. Thanks a lot, Miriam", "List of interns", "interns - name, university, start date:date"),
        ("list of vendors, fields = company; e-mail; phone; rating (A/B/C)", "List of vendors", "vendors - company, e-mail:email, phone:phone, rating (A/B/C)"),
        ("Hello! A list of all our beer kegs please, with beer, size (20 l, 30 l), tapped on", "List of all our beer kegs", "beer kegs - beer, size (20 l/30 l), tapped on:date"),
        ("Car dealer app: cars with make, model, year; test drives with car, customer, date", "Car dealer", "cars - make, model, year:int; test drives - car:one, customer, date:date"),
        ("Trello like board for house renovation: To buy, To do, Waiting, Finished", "Trello like board for house renovation",
         "cards - title, description:long, assignee, status (to buy/to do/waiting/finished), due date:date"),
        ("Task board. Columns: New, Blocked, Done. Cards have title, assignee and due date", "Task board",
         "cards - title, assignee, due date:date, status (new/blocked/done)"),
        ("Title: Snack bar\n\nWe'd like to have an app for our snack bar. It should have:\n\n* drinks: name, price, in stock\n* sales: date, what, amount", "Snack bar",
         "drinks - name, price:money, in stock:yes; sales - date:date, what, amount:money"),
        ("cheese shop stock: cheese, milk (cow, goat), kg left, price per kg, best before", "Cheese shop stock",
         "items - cheese, milk (cow/goat), kg left:number, price per kg:money, best before:date"),
        ("baby log: time, what (feed, nappy), amount in ml, notes", "Baby log", "entries - time:time, what (feed/nappy), amount in ml:number, notes:long"),
        ("list of complaints by guests with room no., when, handled by, solved", "List of complaints by guests",
         "complaints - room no, when:date, handled by, solved:yes"),
        ("plz build a lst of customrs with name, adress, phne and birtday", "List of customers", "customers - name, address:long, phone:phone, birthday:date"),
        ("Mileage claims: date, from, to, km, reimbursed", "Mileage claims", "mileage claims - date:date, from, to, km:number, reimbursed:yes"),
        ("Office keys: key number, given to, given on, next check", "Office keys", "office keys - key number, given to, given on:date, next check:date"),
        ("printer toner inventory: model, in stock, minimum stock", "Printer toner inventory", "printer toners - model, in stock:int, minimum stock:int"),
        ("List of deployments: service, deployed by, deployed at, rolled back", "List of deployments",
         "deployments - service, deployed by, deployed at:time, rolled back:yes"),
        ("Farm shop: suppliers - name, phone, village; products - name, supplier, price", "Farm shop",
         "suppliers - name, phone:phone, village; products - name, supplier:one, price:money"),
        ("repair shop tickets: customer, received on, status: received / in repair / ready", "Repair shop tickets",
         "tickets - customer, received on:date, status (received/in repair/ready)"),
        ("list of vans: van, driver, next service", "List of vans", "vans - van, driver, next service:date"),
        ("Chess league: Players (name, rating). Games: white, black, date", "Chess league", "players - name, rating:int; games - white, black, date:date"),
        ("As a team lead I'd like a list of actions (action, owner, due date, done) so we don't forget them.", "List of actions",
         "actions - action, owner, due date:date, done:yes"),
        ("Trello-like board for renovating the clubhouse, cards with task, due date, cost", "Trello-like board for renovating the clubhouse",
         "cards - task, due date:date, cost:money, status (to do/doing/done)"),
        ("Vaccinations of our cats (cat, vaccine, date)", "Vaccinations of our cats", "vaccinations - cat, vaccine, date:date"),
        ("Sponsors of the club: name, amount, since", "Sponsors of the club", "sponsors - name, amount:number, since:date"),
        ("I'd like to register campers: name, age, tent", "Campers", "campers - name, age:int, tent"),
        ("discord mod log: user, action (ban, mute), date", "Discord mod log", "entries - user, action (ban/mute), date:date"),
        ("wine crates with crate, prince and stats", "Wine crates", "wine crates - crate, prince, stats"),
        ("a list of our ladders with name, who has it, since when", "List of our ladders", "ladders - name, who has it, since when:date"),
        ("chores with chore, who did it, done", "Chores", "chores - chore, who did it, done:yes"),
        ("Crew list for our regatta: name, phone", "Crew list for our regatta", "crew - name, phone:phone"),
        ("Describe the solution you'd like: a list of plugins with name, version", "List of plugins", "plugins - name, version"),
        ("list of interpreters. For each one: name, phone, email", "List of interpreters", "interpreters - name, phone:phone, email:email"),
        ("Release checklist for our app: step, responsible, done, done at", "Release checklist", "steps - step, responsible, done:yes, done at:time"),
        ("A table of our servers: hostname, IP address, RAM in GB, enabled", "Table of our servers", "servers - hostname, ip address, ram in gb:number, enabled:yes"),
    ],
)  # fmt: skip
async def test_lists_are_read_in_the_shapes_that_people_give_them(request_text: str, title: str, expected: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is not None, asked
    assert (plan.manifest.title, kinds(plan)) == (title, expected)


@pytest.mark.parametrize(
    ("request_text", "title", "sections"),
    [
        ("landing page for my dog walking business Happy Paws with prices, reviews, service area and contact", "Dog walking business Happy Paws",
         ["Pricing", "Reviews", "Service area", "Contact"]),
        ("A simple web page for the village festival please: programme, directions, contact. Green.", "Village festival", ["Programme", "Directions", "Contact"]),
        ("need a landing page for my photography. about me, portfolio, prices, contact. dark pls", "Photography", ["About", "Portfolio", "Pricing", "Contact"]),
        ("need a site for my band (Velvet Moles): about, tour dates, merch", "Velvet Moles", ["About", "Tour dates", "Merch"]),
        ("Landing page for Dr. Weber's dental practice with team, treatments and opening hours", "Dr Weber's dental practice", ["Team", "Treatments", "Opening hours"]),
    ],
)  # fmt: skip
async def test_a_page_has_the_sections_that_are_listed(request_text: str, title: str, sections: list[str]) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is not None, asked
    assert (plan.manifest.title, plan.manifest.features) == (title, sections)


@pytest.mark.parametrize(
    ("request_text", "offered"),
    [
        ("We need something for the vending machine: slot, snack, price, stock", "a list “slots” with slot, snack, price, stock."),
        ("van rental: van, customer, deposit paid", "a list “vans” with van, customer, deposit paid."),
        ("can you make us a list of saws and drills in the makerspace: tool, cabinet, broken", "a list “entries” with tool, cabinet, broken."),
        ("Dog walking rota: dog, walker, day (Mon, Tue), time", "a list “entries” with dog, walker, day, time."),
        ("time tracking for our helpers: who, project, date, hours", "a list “entries” with who, project, date, hours."),
        ("Quick poll: Tuesday or Thursday?", "a list “votes” with name, choice."),
        ("poll: pizza, sushi or burgers on friday?", "a list “votes” with name, choice."),
        ("Medicine cabinet: name, expires, quantity left", "a list “medicine cabinets” with name, expires, quantity left."),
        ("Build a glossary: term, meaning, language (en, de)", "a list “terms” with term, meaning, language."),
        ("Can we have a seating plan: table, seat, guest, menu (meat, fish)", "a list “tables” with table, seat, guest, menu."),
        ("Hi all, could someone set up a lost and found for the gym? Thing, found where, found when", "a list “things” with thing, found where, found when."),
    ],
)  # fmt: skip
async def test_what_is_kept_is_shown_first_where_its_name_is_a_guess(request_text: str, offered: str) -> None:
    asked, plan, options = await understood(request_text)
    assert plan is None
    assert asked.startswith(f"I would build: {offered}")
    assert asked.endswith("Shall I build it like that?")
    for yes in ("yes", options[0]):
        _, plan, _ = await conversation(request_text, yes)
        assert plan is not None


async def test_a_yes_builds_what_was_offered_though_something_is_left_out() -> None:
    asked, plan, options = await understood("landing page for the rowing club with a newsletter signup")
    assert plan is None
    assert "Left out (a model could do that): “a newsletter signup”." in asked
    _, plan, _ = await conversation("landing page for the rowing club with a newsletter signup", options[0])
    assert plan is not None
    assert plan.manifest.title == "Rowing club"


async def test_an_order_in_the_wish_is_the_order_of_the_list() -> None:
    for text, order in (
        ("Log of phone calls, newest first: caller, number, called at", "-called_at"),
        ("a list of dives sorted by site with site, depth (m), date", "site"),
    ):
        _, plan, _ = await understood(text)
        assert plan is not None
        assert plan.manifest.models[0].order_by == order
    asked, plan, _ = await understood("a list of dives sorted by price with site and date")
    assert plan is None
    assert "sorted by price" in asked


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("add a delivery status to orders with packed/sent", "delivery status (packed/sent)"),
        ("pls add a gift field to orders, default no", "gift:yes"),
        ('add a field "how they found us" to orders with ad, friend, web', "how they found us (ad/friend/web)"),
        ("add courier, courier phone and due back to orders", "courier, courier phone:phone, due back:date"),
        ("add a field courier to orders", "courier"),
        ("add a packing to orders with box/bag/none", "packing (box/bag/none)"),
    ],
)  # fmt: skip
async def test_fields_are_added_as_they_are_said(request_text: str, expected: str) -> None:
    asked, plan, _ = await understood(request_text, await shop())
    assert plan is not None, asked
    assert plan.left_out == []
    assert kinds(plan).endswith(expected)


@pytest.mark.parametrize(
    ("request_text", "order"),
    [("newest orders on top", "-due_date"), ("oldest orders first", "due_date"), ("latest customers first", "-id")],
)
async def test_the_newest_come_first(request_text: str, order: str) -> None:
    asked, plan, _ = await understood(request_text, await shop())
    assert plan is not None, asked
    assert order in [one.order_by for one in plan.manifest.models]


async def test_what_has_to_be_filled_in_can_be_changed_and_a_board_gets_a_lane() -> None:
    for text, needed in (("make the email required", True), ("the name can be empty", False)):
        asked, plan, _ = await understood(text, await shop())
        assert plan is not None, asked
        name = "email" if needed else "name"
        assert next(one.required for one in plan.manifest.models[0].fields if one.name == name) is needed
    _, board, _ = await understood("kanban with backlog, doing, testing and shipped")
    assert board is not None
    _, plan, _ = await understood('add a column "On hold"', board.manifest)
    assert plan is not None
    assert plan.manifest.models[0].fields[3].choices == ["backlog", "doing", "testing", "shipped", "on hold"]
    _, plan, _ = await understood("we dont need the phone any more, pls take it out", await shop())
    assert plan is not None
    assert "phone" not in {one.name for one in plan.manifest.models[0].fields}


@pytest.mark.parametrize(
    "request_text",
    [
        "things. (a), name, price",
        "things - (b), name, date",
        "Short survey\n1. How old is your child?\n2. Are you happy with lunch? (yes/no)\n3. What could be better?",
    ],
)
async def test_a_field_without_a_name_breaks_nothing(request_text: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert asked or plan is not None


async def test_first_and_last_name_are_two_names() -> None:
    _, plan, _ = await understood("Members with first and last name, street, zip and city")
    assert plan is not None
    assert [(one.name, one.type) for one in plan.manifest.models[0].fields][:2] == [
        ("first_name", "text"),
        ("last_name", "text"),
    ]


async def test_less_than_was_offered_is_no_more_of_it() -> None:
    asked, plan, _ = await conversation("Inventory with barcode scanning", "just name and quantity")
    assert plan is None
    assert "What should the app keep" in asked


async def test_a_list_is_known_by_the_last_word_of_its_name_too() -> None:
    _, plan, _ = await understood("Keep track of our office plants with name and species")
    assert plan is not None
    _, changed, _ = await understood("add a notes field to plants", plan.manifest)
    assert changed is not None
    assert [one.name for one in changed.manifest.models[0].fields] == ["name", "species", "notes"]


@pytest.mark.parametrize(
    ("request_text", "name"),
    [("add Notes to orders", "notes"), ("add a colour to orders", "colour"), ("add a delivery date to orders", "delivery_date"),
     ("add last visit to customers", "last_visit")],
)  # fmt: skip
async def test_what_is_a_field_is_added(request_text: str, name: str) -> None:
    _, plan, _ = await understood(request_text, await shop())
    assert plan is not None
    assert name in {one.name for model in plan.manifest.models for one in model.fields}


async def test_the_language_of_the_app_is_no_list() -> None:
    asked, plan, _ = await understood("books in english with title and author")
    assert plan is None
    assert asked


def seconds(text: str, manifest: AppManifest | None) -> float:
    began = time.perf_counter()
    asyncio.run(understood(text, manifest))
    return time.perf_counter() - began


HOSTILE = (
    " ",
    "\t",
    "\n",
    " \n",
    "light",
    "w",
    "-",
    "a with ",
    "for a ",
    "in green ",
    "make it a ",
    "(",
    ", and ",
    "without ",
    "one of the ",
)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("old", [False, True])
def test_no_message_takes_longer_than_its_length_allows(piece: str, old: bool) -> None:
    manifest = asyncio.run(shop()) if old else None
    usual = max(seconds("add a list of plants with name and place. " * 450, manifest), 0.02)
    text = f"make {piece * (19_000 // len(piece))}x"
    # What grows with the square of a run takes hundreds of times as long.
    assert seconds(text, manifest) < 40 * usual
