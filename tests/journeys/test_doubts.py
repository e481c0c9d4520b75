"""What a wish has that would be lost, or only looks like what was meant: it is named and asked about, or read as it was meant."""

import pytest

from adapters.llm.builtin.change import change
from tests.journeys.test_more_wishes import built
from tests.journeys.test_wishes import kinds, understood


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ("Pets. Vets. Visits with pet, vet, date and cost", ["pets"]),
        ("Cars and drivers. Trips with car, driver, date and km", ["cars", "drivers"]),
        ("I need students and lessons. Lessons have student, date, topic", ["students"]),
        ("customers, products and orders. Orders: customer, product, quantity", ["customers", "products"]),
        ("keep companies, contacts and deals. contacts have name, company. deals have value, contact", ["companies"]),
        ("Every item has a name and value, each box has a label, each room a name", ["room a name"]),
        ("Customers have a name and email, orders a date and a total", ["orders a date"]),
        ("Recipes have a title and tags, tags have a name", ["more than one of the tags"]),
        ("orders (customer, products), products (name)", ["more than one of the products"]),
        ("mood journal. mood 😀 😐 😢, sleep hours, what happened", ["😀😐😢"]),
        ("Feedback: ⭐⭐⭐⭐⭐, food, comment", ["⭐⭐⭐⭐⭐"]),
        ("Can you build an app like trello but for recipes", ["recipes"]),
        ("a list of books with title author year and rating", ["title author year"]),
        ("items have name qty shop and bought", ["name qty shop"]),
        ("Risks: risk, impact 1-5, score = likelihood x impact, owner", ["score = likelihood x impact"]),
        ("bmi log: date, weight, height, bmi = weight / height²", ["bmi = weight / height²"]),
        ("items: name, stock = 10, price", ["stock = 10"]),
        ("tasks: title, priority = normal, due date", ["priority = normal"]),
        ("tickets: title, status = open, closed, owner", ["owner"]),
        ("orders - number, customer, status: new, paid, shipped, total", ["total"]),
        ("a board for bugs: todo, doing, done. each has title and priority", ["each has title and priority"]),
    ],
)  # fmt: skip
async def test_what_would_be_lost_is_named_and_asked_about(wish: str, named: list[str]) -> None:
    asked, plan, _ = await understood(wish)
    assert plan is None
    assert all(f"“{one}”" in asked for one in named), asked


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("🚲 bikes with owner, model 🙏", "bikes - owner, model"),
        ("contacts with name phone email and birthday", "contacts - name, phone:phone, email:email, birthday:date"),
        ("tools with name location and price", "tools - name, location, price:money"),
        ("books with author name, unit price, phone number", "books - author name, unit price:money, phone number:phone"),
        ("tickets: title, status = open / closed, owner", "tickets - title, status (open/closed), owner"),
        ("an app called Roasts with bean, origin, date", "roasts - bean, origin, date:date"),
        ("comments with author + text", "comments - author, text:long"),
        ("Can you make a board with columns backlog, doing, done? cards have title and assignee",
         "cards - title, assignee, status (backlog/doing/done)"),
        ("Customers have name and phone. Cars belong to a customer and have plate, year. Jobs belong to a car and have cost, status: open, done",
         "customers - name, phone:phone; cars - customer:one, plate, year:int; jobs - car:one, cost:money, status (open/done)"),
        ("Library: 1) books -> title, isbn 2) members -> name, card no 3) loans -> book, member, due",
         "books - title, isbn; members - name, card no; loans - book:one, member:one, due:date"),
        ("1. Artists: name, country\n2. Albums: title, artist, year", "artists - name, country; albums - title, artist:one, year:int"),
        ("Shop: a) products - name, price b) orders - product, quantity, date",
         "products - name, price:money; orders - product:one, quantity:int, date:date"),
        ("Members must have name, email, joined date", "members - name, email:email, joined date:date"),
        ("boxes with number, room, contents; and a list of things to do with deadline and done",
         "boxes - number, room, contents; tasks - title, deadline:date, done:yes"),
        ("Guitar pedals\nbrand\nmodel\ntype: overdrive, delay, reverb\nprice paid",
         "guitar pedals - brand, model, type (overdrive/delay/reverb), price paid:money"),
        ("Book list:\ntitle\nauthor\nstatus: want, reading, done\nrating",
         "books - title, author, status (want/reading/done), rating:int"),
        ("bug reports: title, expected, actual, steps", "bug reports - title, expected, actual, steps:long"),
        ("todo list for guests", "tasks - title, done:yes, due date:date, notes:long"),
    ],
)  # fmt: skip
async def test_what_is_written_in_other_ways_is_read_as_it_was_meant(wish: str, expected: str) -> None:
    assert (await built(wish))[1] == expected


BIKES = "bikes with owner, model, status (new, used)"


@pytest.mark.parametrize(
    ("app", "request_text", "done", "missed"),
    [
        (BIKES, "add a vendor and a colour", "bikes - owner, model, status (new/used), vendor, colour", []),
        (BIKES, "add a serial number", "bikes - owner, model, status (new/used), serial number", []),
        (BIKES, "add place, date and price", "bikes - owner, model, status (new/used), place, date:date, price:money", []),
        (BIKES, "add a note field, long", "bikes - owner, model, status (new/used), note:long", ["long"]),
        (BIKES, "add a birthday, date", "bikes - owner, model, status (new/used), birthday:date", ["date"]),
        (BIKES, "add clients (name, email) and a price", "bikes - owner, model, status (new/used), price:money", ["add clients (name, email)"]),
        (BIKES, "call it Velo, please make it green", "bikes - owner, model, status (new/used)", []),
        ("tasks with title and projects with name", "add priority (low, high) to tasks, budget to projects and a list of clients with name and email",
         "tasks - title, priority (low/high); projects - name, budget:money; clients - name, email:email", []),
        ("tasks with title and projects with name", "add notes to tasks, size to projects", "tasks - title, notes:long; projects - name, size", []),
    ],
)  # fmt: skip
async def test_changes_do_what_they_say_and_no_more(app: str, request_text: str, done: str, missed: list[str]) -> None:
    manifest = (await built(app))[0]
    _, plan, _ = await understood(request_text, manifest)
    assert plan is not None
    assert (kinds(plan), plan.left_out) == (done, missed)


@pytest.mark.parametrize(
    "request_text",
    [
        "change status to new, used, broken", "change status to open/closed", "change owner to uppercase", "change bikes to green",
        "rename model to type or kind", "rename model to type (road, mtb)", "call it Velo instead of bikes",
        "call it Velo because that is our club's name", "change the title to something nicer", "call it something else", "add colour",
        "add a title", "add more colour", "add riders (name, phone)",
    ],
)  # fmt: skip
async def test_what_is_no_name_no_title_and_no_field_changes_nothing(request_text: str) -> None:
    manifest = (await built(BIKES))[0]
    assert change(manifest, request_text).done == []
