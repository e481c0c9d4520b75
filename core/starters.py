"""Where words fail: apps to start from, and a form that says what to keep. Both become a wish like any other."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.chat import Choice, Entry, Form


@dataclass(frozen=True)
class Starter:
    """An app to start from: its name in addresses, what it is called, what it is good for, and the wish that builds it."""

    name: str
    title: str
    says: str
    wish: str


STARTERS = (
    Starter("crm", "CRM", "Companies, the people there, and how far each is",
            "Build a CRM: companies with name, website, phone and industry; contacts with name, company, email, phone and "
            "stage (lead, qualified, won, lost). Make it blue"),
    Starter("board", "Team board", "Cards that move from to do to done",
            "Build a team board: cards with title, description, assignee, priority (low, normal, high), status (to do, doing, "
            "review, done) and due date. Make it purple"),
    Starter("bookings", "Bookings", "Who comes when, with how many",
            "Build a booking app: bookings with name, email, phone, start time, guests, status (requested, confirmed, "
            "cancelled) and notes. Make it teal"),
    Starter("inventory", "Inventory", "What is in stock, and what runs low",
            "Build an inventory: items with name, sku, category, quantity, reorder level, price and supplier. Make it green"),
    Starter("expenses", "Expenses", "What was spent on what, and what is paid back",
            "Build an expense tracker: expenses with title, amount, category (travel, food, office, software), date, payer and "
            "paid (yes/no). Make it orange"),
    Starter("events", "Event planner", "Events, and who is coming",
            "Build an event planner: events with title, date, place, capacity and description; guests with name, event, email "
            "and attending (yes, no, maybe). Make it pink"),
    Starter("cookbook", "Cookbook", "Recipes as cards",
            "Build a cookbook: recipes with title, servings, minutes, ingredients, instructions and rating. Make it red"),
    Starter("helpdesk", "Help desk", "Tickets on a board, by what is being done about them",
            "Build a help desk: tickets with title, description, reporter, priority (low, normal, urgent) and status (open, in "
            "progress, waiting, closed). Make it indigo"),
    Starter("library", "Library", "Books, members, and who has borrowed what",
            "Build a library: books with title, author, year and isbn; members with name, email and phone; loans with book, "
            "member, borrowed on, due date and returned (yes/no). Make it brown"),
    Starter("projects", "Project tracker", "Projects and their tasks, with hours",
            "Build a project tracker: projects with name, client, status (planned, active, done) and deadline; tasks with title, "
            "project, assignee, hours and done. Make it navy"),
    Starter("orders", "Order book", "Customers and their orders, from new to collected",
            "Build an order book for a bakery: customers with name, email and phone; orders with customer, item, quantity, price, "
            "due date and status (new, baking, ready, collected). Make it gold"),
    Starter("landing", "Landing page", "A page for a shop, with opening hours, prices and contact",
            "Make a landing page for a bicycle workshop called Spoke & Chain with opening hours, pricing, FAQ and contact. Make it green"),
)  # fmt: skip
NOTHING = "none"
NOTHING_FILLED_IN = "Nothing was filled in, so I build nothing. /build opens the form again."


def build_form() -> Form:
    """Return the form for those to whom no words come."""
    starters = {NOTHING: "nothing"} | {one.name: f"{one.title}: {one.says}"[:75] for one in STARTERS}
    return Form(
        "build", "Build an app", [Choice("starter", "Start from", starters, NOTHING)], submit="Build it",
        entries=[
            Entry("title", "What is it called?", "Bike rental"),
            Entry("lists", "What shall it keep? One list on each line", LISTS_HINT, lines=True),
            Entry("looks", "How shall it look?", "green and dark"),
        ],
    )  # fmt: skip


LISTS_HINT = "bikes: model, price (money), condition (new, used)\nrentals: bike, who, from date, until date"


def wish_of(filled_in: Mapping[str, str]) -> str:
    """
    Return the wish that a form says, from `title`, `lists` with one list a line, `looks`, and `starter`; '' when it says nothing.

    A line is “bikes: owner, price (money)”; lists that are filled in count more than an app to start from.
    """
    title, looks = (" ".join(filled_in.get(name, "").split()) for name in ("title", "looks"))
    lines = [" ".join(line.split()).lstrip("-*• ") for line in filled_in.get("lists", "").splitlines()]
    lists = [f"- {line}" for line in lines if line]
    starter = next((one for one in STARTERS if one.name == filled_in.get("starter")), None)
    if not lists and starter is not None:
        wish = starter.wish
    elif lists:
        wish = "\n".join([f"Build an app called {title}:" if title else "Build an app:", *lists])
    else:
        wish = f"Build an app called {title}" if title else ""
    return f"{wish}\nMake it {looks}" if wish and looks else wish
