"""More wishes in people's words: kinds of apps that are none, parts of apps that are no fields, changes said in other ways."""

import pytest

from core.manifests import AppManifest
from tests.journeys.test_wishes import kinds, understood


async def built(request: str, manifest: AppManifest | None = None) -> tuple[AppManifest, str, list[str], str]:
    """Return the app after a request, its lists in a line, what was left out, and the summary."""
    asked, plan, _ = await understood(request, manifest)
    assert plan is not None, asked
    return plan.manifest, kinds(plan), plan.left_out, plan.summary


@pytest.mark.parametrize(
    ("request_text", "title", "expected"),
    [
        ("Hives with number, location", "Hives", "hives - number, location"),
        ("hiya, could u make a list of bikes with owner, model, phone", "List of bikes", "bikes - owner, model, phone:phone"),
        ("board of trustees: name, appointed on, term ends, committee (finance, audit)", "Board of trustees",
         "trustees - name, appointed on:date, term ends:date, committee (finance/audit)"),
        ("a todo list for my wedding w/ who's responsible and by when", "Todo list for my wedding", "tasks - title, who's responsible, by when:date"),
        ("Make a savings goal tracker: goal, target amount, saved so far, deadline", "Savings goal tracker",
         "savings goals - goal, target amount:number, saved so far:money, deadline:date"),
        ("plants with name, contact (phone, email)", "Plants", "plants - name, phone:phone, email:email"),
        ("people with name (first, last), address (street, city)", "People", "people - first name, last name, street, city"),
        ("clients with name, address (street, city, zip) and phone", "Clients", "clients - name, street, city, zip, phone:phone"),
        ("jobs with title, location: north, south", "Jobs", "jobs - title, location (north/south)"),
        ("list of our narrowboats - name, length (ft), mooring, licence expires, insured y/n", "List of our narrowboats",
         "narrowboats - name, length (ft):number, mooring, licence expires:date, insured:yes"),
        ("players: player, team", "Players", "players - player, team"),
        ("shops (name), visits (shop, date)", "Shops", "shops - name; visits - shop:one, date:date"),
        ("so basically we want to track runbooks, title, owner, last reviewed", "Runbooks", "runbooks - title, owner, last reviewed:date"),
        ("a list of detentions, pupil, reason, date", "List of detentions", "detentions - pupil, reason:long, date:date"),
        ("special orders: customer, what they want, ordered on", "Special orders", "special orders - customer, what they want, ordered on:date"),
        ("cottages with name, sleeps, pets allowed, price per week", "Cottages", "cottages - name, sleeps:int, pets allowed:yes, price per week:money"),
        ("Build me boats with name and length", "Boats", "boats - name, length:number"),
        ("Set up boats with name and length", "Boats", "boats - name, length:number"),
        ("authors with name, country and books with title, author, year", "Authors", "authors - name, country; books - title, author:one, year:int"),
        ("hives with number; inspections per hive: date, notes", "Hives", "hives - number; inspections - hive:one, date:date, notes:long"),
        ("cows: tag, born, milk per day", "Cows", "cows - tag, born:date, milk per day:number"),
        ("letters: from, to, sent on", "Letters", "letters - from, to, sent on:date"),
        ("holidays: employee, from, to, days", "Holidays", "holidays - employee, from:date, to:date, days:number"),
        ("petty cash: date, amount, paid by", "Petty cash", "petty cash - date:date, amount:money, paid by"),
        ("chart of accounts: number, name, type", "Chart of accounts", "accounts - number, name, type"),
        ("games with title, players and map", "Games", "games - title, players, map"),
        ("Board games: title, players, owner, condition (new, used)", "Board games", "board games - title, players, owner, condition (new/used)"),
        ("chore chart for the kids: chore, kid (Mia, Ben), done", "Chore chart for the kids", "chores - chore, kid (Mia/Ben), done:yes"),
    ],
)  # fmt: skip
async def test_wishes_are_read_as_they_are_meant(request_text: str, title: str, expected: str) -> None:
    manifest, lists, left_out, _ = await built(request_text)
    assert (manifest.title, lists, left_out) == (title, expected, [])
    assert [page.view for page in manifest.pages if page.model][:1] == ["table"]


@pytest.mark.parametrize(
    "request_text",
    ["Quiz about capitals with score", "game about dinosaurs with lives and score", "chart of sales with month and amount",
     "map of hiking trails with length and difficulty", "Timer for eggs with minutes and name", "weather app with city and temperature",
     "voting on names with name and votes", "make us a snake game for the office", "a mortgage calculator"],
)  # fmt: skip
async def test_what_does_or_draws_something_is_no_list(request_text: str) -> None:
    asked, plan, _ = await understood(request_text)
    assert plan is None
    assert "a list “" not in asked


@pytest.mark.parametrize(
    "part",
    ["charts", "a calendar view", "a map", "push notifications", "an admin panel", "user accounts", "payment via stripe",
     "a weekly report", "an API", "two-factor auth", "offline mode", "a barcode scanner", "a leaderboard"],
)  # fmt: skip
async def test_what_an_app_has_is_no_field_of_what_it_keeps(part: str) -> None:
    asked, plan, _ = await understood(f"books with title, author and {part}")
    assert plan is None
    assert "a list “books” with title, author." in asked
    assert part.split()[-1] in asked


@pytest.mark.parametrize(
    ("wish", "title"),
    [("Can we get a page for our 10k charity run on 14 June? With route, sponsors and FAQ", "10k charity run on 14 June"),
     ("landing page for the club's open day! With programme, directions", "Club's open day")],
)  # fmt: skip
async def test_a_sentence_ends_the_headline(wish: str, title: str) -> None:
    assert (await built(wish))[0].title == title


TICKETS = "Build an app: tickets with title, priority (low, high), assignee, points (integer), due date"


@pytest.mark.parametrize(
    ("change", "said", "lists"),
    [
        ('pls add a link to the github issue and a checkbox for "blocked"', "", ", github issue link:url, blocked:yes"),
        ("add a dropdown for team: red, blue", "", ", team (red/blue)"),
        ("add a date field for review and a number field for effort", "", ", review:date, effort:number"),
        ("add to each ticket: author, hours", "", ", author, hours:number"),
        ("could we also have a mobile number and a level (one, two)?", "", ", mobile number:phone, level (one/two)"),
        ("I'd like a phone number too", "", ", phone number:phone"),
        ("Add comments to each ticket: author, text, date", "the app keeps comments", "; comments - author, text:long, date:date, ticket:one"),
        ("add 'urgent' and 'critical' to the priority", "can be urgent and critical", ""),
        ('add a "critical" priority', "can be critical", ""),
        ("allow decimals for points", "points of tickets is now decimals", ""),
        ("take assignee off", "assignee is gone from tickets", ""),
        ("take off assignee, nobody uses it", "assignee is gone from tickets", ""),
        ("swap points for a start date", "points is gone from tickets, which have start date instead", ""),
        ("replace assignee with owner", "Assignee of tickets is now called Owner", ""),
        ('call tickets "cases" from now on', "Tickets are now called Cases", ""),
        ("also need teams with name and lead, and each ticket has a team", "the app keeps teams; tickets have team", ""),
        ("I'd prefer it in green with a dark background", "dark theme and the accent colour is #2f7d4f", ""),
    ],
)  # fmt: skip
async def test_changes_may_be_said_in_other_ways(change: str, said: str, lists: str) -> None:
    before, _, _, _ = await built(TICKETS)
    _, after, left_out, summary = await built(change, before)
    assert left_out == []
    assert said.casefold() in summary.casefold()
    assert after.endswith(lists)


async def test_a_board_gets_its_lanes_where_they_belong() -> None:
    board = (await built("Kanban board for a bakery. Columns: dough, oven, cooling"))[0]
    for change, lanes in (
        ('add a column "sold" at the end', "dough/oven/cooling/sold"),
        ("add a column proofing before oven", "dough/proofing/oven/cooling"),
        ("add columns sold and eaten", "dough/oven/cooling/sold/eaten"),
        ("add a lane ideas at the start", "ideas/dough/oven/cooling"),
        ("add a column called proofing between dough and oven", "dough/proofing/oven/cooling"),
    ):
        assert f"status ({lanes})" in (await built(change, board))[1]
    asked, plan, _ = await understood("add a column sold before nothing", board)
    assert plan is None, asked


async def test_a_list_that_goes_takes_what_points_at_it_along_and_says_so() -> None:
    boats = (await built("Build an app: owners with name and phone; boats with name, owner, length"))[0]
    _, lists, _, summary = await built("delete the owners list", boats)
    assert (lists, "and with them the owner of boats" in summary) == ("boats - name, length:number", True)


async def test_sections_of_a_page_come_and_go_by_what_people_call_them() -> None:
    page = (await built("landing page for a cafe with prices and team"))[0]
    assert (await built("remove the prices section", page))[0].features == ["Team"]
    assert (await built("add an FAQ, drop prices", page))[0].features == ["Team", "FAQ"]


@pytest.mark.parametrize("change", ["make notes a number", "turn title into a date"])
async def test_a_field_keeps_its_type_where_what_is_stored_could_not_be_read(change: str) -> None:
    app = (await built("Build an app: orders with title, notes, amount"))[0]
    asked, plan, _ = await understood(change, app)
    assert plan is None
    assert "A field keeps its type" in asked


@pytest.mark.parametrize(
    ("said", "answer"),
    [("thx, looks great!", "You're welcome"), ("thanks, you're a star!", "You're welcome"),
     ("how do I change the colour?", "make it green"), ("why is there no login?", "no accounts of their own"),
     ("can I export this?", "add a CSV export"), ("what do you keep?", "Orders: Title")],
)  # fmt: skip
async def test_thanks_and_questions_are_answered(said: str, answer: str) -> None:
    app = (await built("Build an app: orders with title, notes, amount"))[0]
    asked, plan, _ = await understood(said, app)
    assert plan is None
    assert answer in asked
    if "welcome" in answer:
        assert answer in (await understood(said))[0]


CARS = "Build an app: cars with name, date, date of sale, number, number of seats"


@pytest.mark.parametrize(
    ("change", "said", "lists"),
    [
        ("rename number of seats to places", "Number of seats of cars is now called Places", ""),
        ("date of sale is required", "Date of sale is required", ""),
        ("make number of seats mandatory", "Number of seats is required", ""),
        ("name of cars is optional", "Name is optional", ""),
        ("remove date of sale", "Date of sale is gone", "date:date, number, number of seats:int"),
        ("remove number of seats and date from cars", "is gone", "cars - name, date of sale:date, number"),
        ("rename name to model", "Name of cars is now called Model", ""),
        ("change the name of the app to Garage", "the title is now “Garage”", ""),
        ("add customers with name and phone, cars have a customer", "", "customer:one; customers - name, phone:phone"),
        ("add customers with name and phone, and number of seats is required", "number of seats is required", ""),
        ('add a "reimbursed" tick box and a receipt link', "", ", reimbursed:yes, receipt link:url"),
        ("add a yes/no for sold and a seller", "", ", sold:yes, seller"),
    ],
)  # fmt: skip
async def test_names_of_several_words_are_one_name(change: str, said: str, lists: str) -> None:
    _, after, left_out, summary = await built(change, (await built(CARS))[0])
    assert left_out == []
    assert said.casefold() in summary.casefold()
    assert after.endswith(lists)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("add colour and weight, both required", "both required"),
        ("add weight, photo link, nothing else", "nothing else"),
    ],
)
async def test_a_remark_about_fields_is_no_field(change: str, left: str) -> None:
    _, after, left_out, _ = await built(change, (await built(CARS))[0])
    assert any(left in one for one in left_out)
    assert left not in after


async def test_a_page_has_sections_that_are_called_by_small_words() -> None:
    page = (await built("landing page for a gym: classes, who we are, how to get here, prices"))[0]
    assert page.features == ["Classes", "Who we are", "How to get here", "Pricing"]
