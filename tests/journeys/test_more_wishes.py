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
        ("we need a choir roster with name, voice (alto, bass) and phone number", "Choir roster", "members - name, voice (alto/bass), phone number:phone"),
        ("Maintenance log for the fire engines.\n\nFields:\n- vehicle\n- date\n- work done\n- cost", "Maintenance log for the fire engines",
         "entries - vehicle, date:date, work done, cost:money"),
        ("Teachers report broken projectors: room, problem, urgency (can wait, today)", "Teachers report broken projectors",
         "broken projectors - room, problem, urgency (can wait/today)"),
        ("please make an app where our tenants report defects: flat no., what's broken, phone number", "Defects",
         "defects - flat no, what's broken, phone number:phone"),
        ("Equipment: name, status = available/broken/lent, location", "Equipment", "equipment - name, status (available/broken/lent), location"),
        ("volunteers have a name and phone. shifts have a date, start time, and belong to a volunteer", "Volunteers and shifts",
         "volunteers - name, phone:phone; shifts - date:date, start time:time, volunteer:one"),
        ("guest list for my sister's wedding, with name, side (bride/groom), plus one and table number. no login please",
         "Guest list for my sister's wedding", "guests - name, side (bride/groom), plus one:yes, table number"),
        ("our bowling league has 12 teams, can you make something to record match scores? date, home team, away team", "Record match scores",
         "match scores - date:date, home team, away team"),
        ("need smth to track snags in our house. title, severity (minor, major), steps to reproduce", "Snags in our house",
         "snags - title, severity (minor/major), steps to reproduce:long"),
        ("My grandma wants a list of the jams in her cellar: fruit, year, number of jars", "List of the jams in her cellar",
         "jams - fruit, year:int, number of jars:int"),
        ("make a green app for our running club. members: name, best 5k time, favourite distance", "Members",
         "members - name, best 5k time, favourite distance:number"),
        ("It should be possible for parents to register their kids for swimming lessons: kid's name, age, parent's phone. Sort by age please.",
         "Kids", "kids - kid's name, age:int, parent's phone:phone"),
        ("our startup needs a crm: companies with name, website & industry; deals with title, company", "Crm",
         "companies - name, website:url, industry; deals - title, company:one"),
        ("wine tasting notes; wine, vintage, colour (red, white), score out of 100", "Wine tasting notes",
         "wine tasting notes - wine, vintage, colour (red/white), score out of 100:int"),
        ("Inventory of climbing gear w/ item, size, pass/fail", "Inventory of climbing gear", "climbing gear - item, size, pass/fail (pass/fail)"),
        ("Apartment viewings: address, size in m2, pros, cons", "Apartment viewings", "apartment viewings - address, size in m2:number, pros, cons"),
        ("Kids chore chart, with child, chore, points and done", "Kids chore chart", "kids chores - child, chore, points:int, done:yes"),
        ("pls make a feedback form for our museum tour, star rating, comments, and optional email", "Feedback form for our museum tour",
         "responses - star rating:int, comments:long, email:email"),
        ("Make a register for visitors at the front desk with name, company, whether they have been invited", "Visitors",
         "visitors - name, company, invited:yes"),
        ("hi there, HR here. we'd like to track applicants: name, email, position", "Applicants", "applicants - name, email:email, position"),
        ("Yo, need a quick log of server outages - start, end, affected service", "Server outages",
         "server outages - start:time, end:time, affected service"),
        ("Not a shop, just a catalogue of our ceramics: name, price, dimensions", "Catalogue of our ceramics", "ceramics - name, price:money, dimensions"),
        ("For every radio we note the make, the model, the year and whether it is broken", "Radios", "radios - make, model, year:int, broken:yes"),
        ("we're a pottery studio and keep forgetting what's in the kiln. For each firing: kiln, temperature, who loaded it", "Firings",
         "firings - kiln, temperature:number, who loaded it"),
        ("Every pallet gets: a barcode, contents, arrival date", "Pallets", "pallets - barcode, contents, arrival date:date"),
        ("Beehive inspections [hive, date, queen seen, number of frames with brood]", "Beehive inspections",
         "beehive inspections - hive, date:date, queen seen:yes, number of frames with brood:int"),
        ("Podcast episodes: number, title, status = idea, recorded, edited", "Podcast episodes", "podcast episodes - number, title, status (idea/recorded/edited)"),
        ("props with name, the scene it's used in, who is responsible", "Props", "props - name, scene, who is responsible"),
        ("plots with plot number, size in square metres, yearly rent", "Plots", "plots - plot number, size in square metres:number, yearly rent:money"),
        ("meals with day, main dish, vegetarian or not", "Meals", "meals - day:date, main dish, vegetarian:yes"),
        ("volunteers with name, phone and if they have a driving licence", "Volunteers", "volunteers - name, phone:phone, driving licence:yes"),
        ("Contracts we must not forget: partner, signed on, yearly cost", "Contracts", "contracts - partner, signed on:date, yearly cost:money"),
        ("Rowing club boat damage reports. boat, what happened, who reported it, date", "Rowing club boat damage reports",
         "boat damage reports - boat, what happened, who reported it, date:date"),
        ("We need somewhere to write down the fire drills in our office. Building, date, how long it took", "Fire drills in our office",
         "fire drills - building, date:date, how long it took"),
        ("a list of board games in our club, name, min players, owner", "List of board games in our club", "board games - name, min players:int, owner"),
        ("please make a sign up form for the charity run: name, age, emergency contact", "Sign up form for the charity run",
         "sign-ups - name, age:int, emergency contact"),
        ("rsvp page for the retirement party of Dr. Singh: name, coming yes/no, plus one", "Rsvp for the retirement party of Dr Singh",
         "guests - name, coming:yes, plus one:yes"),
        ("Feedback form after the first aid course: trainer, rating from 1 to 3, what was good", "Feedback form after the first aid course",
         "responses - trainer, rating (1/2/3), what was good?:long"),
        ("Survey for our patients: how satisfied were you (1-3), would you recommend us, what could we do better?", "Survey for our patients",
         "responses - how satisfied were you (1/2/3), would you recommend us?:yes, what could we do better?:long"),
        ("for our little ferry: sailings with departure time, destination, cars on board", "Little ferry",
         "sailings - departure time:time, destination, cars on board"),
        ("deliveries with licence plate, weight in kg, time of arrival", "Deliveries", "deliveries - licence plate, weight in kg:number, time of arrival:time"),
        ("can u make smth for tattoo appointments: client, artist, deposit", "Tattoo appointments", "appointments - client, artist, deposit:money"),
        ("every deed has a register number, parties, fee", "Deeds", "deeds - register number, parties, fee:money"),
        ("tram workshop: for each tram we want the car number, builder, and state. State can be in service or scrapped.", "Tram workshop",
         "trams - car number, builder, state (in service/scrapped)"),
        ("Pottery kiln firings: firing no., kiln (big, small), fired on", "Pottery kiln firings", "pottery kiln firings - firing no, kiln (big/small), fired on:date"),
        ("permits with holder, valid from, valid to", "Permits", "permits - holder, valid from:date, valid to:date"),
        ("Elevator inspections --> building, inspected on, result: passed, failed", "Elevator inspections",
         "elevator inspections - building, inspected on:date, result (passed/failed)"),
        ("I collect sugar packets. country, brand, year, photo", "Sugar packets", "sugar packets - country, brand, year:int, photo:url"),
        ("appointments with client, artist, date and time, deposit", "Appointments", "appointments - client, artist, date/time:time, deposit:money"),
        ("inspections with hive no., date, temperament calm/nervous/aggressive", "Inspections", "inspections - hive no, date:date, temperament (calm/nervous/aggressive)"),
        ("props with colour, owner and the shelf they're on", "Props", "props - colour, owner, shelf they're on"),
        ("players with player, rating, wins, ranked by rating, highest first", "Players", "players - player, rating:int, wins:int"),
        ("Two lists please: Patients (name, blood type) and Visits (patient, date)", "Patients and visits", "patients - name, blood type; visits - patient:one, date:date"),
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


async def test_an_order_of_its_own_and_what_lists_can_do_are_done() -> None:
    manifest, lists, left_out, _ = await built(
        "Terms with term, definition. Sort by term. It needs to be searchable, and export to csv"
    )
    assert (lists, left_out) == ("terms - term, definition", [])
    assert (manifest.models[0].order_by, manifest.features) == ("term", ["CSV export", "Search"])


@pytest.mark.parametrize(
    ("wish", "answers"),
    [
        (
            "can u build me a poll for game night: catan, azul or terraforming mars?",
            ["catan", "azul", "terraforming mars"],
        ),
        ("make a poll what colour the jerseys should be - red, blue or black", ["red", "blue", "black"]),
        ("Quick poll please: remote, hybrid or office?", ["remote", "hybrid", "office"]),
    ],
)
async def test_a_poll_whose_answers_are_clear_is_built_at_once(wish: str, answers: list[str]) -> None:
    manifest, _, left_out, _ = await built(wish)
    assert (manifest.models[0].fields[1].choices, left_out) == (answers, [])


async def test_an_anonymous_survey_asks_what_was_asked() -> None:
    wish = "anonymous survey about our canteen: how was the food (1-3), anything else?"
    _, lists, left_out, _ = await built(wish)
    assert (lists, left_out) == ("responses - how was the food (1/2/3), anything else:long", [])


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ("Sheep register, each sheep has an ear tag, mother and weight. Mother is another sheep", "is another sheep"),
        ("suppliers with name, delivery days (mon, tue, wed)", "more than one of the delivery days"),
        ("guests with name, allergies (nuts, milk, gluten)", "more than one of the allergies"),
        ("I want to record the tides and the catches of our boat: date, spot, weight in kg", "“entries”"),
        ("Equipment rental for a film crew: item, serial no., out on, back on", "“entries”"),
        ("Track our greenhouse: plant, sown on, germinated on", "“plants”"),
        ("a poll: which day suits you best for the team dinner? Monday, Wednesday, Friday", "“votes”"),
        ("lista wypożyczonych narzędzi: narzędzie, kto, data zwrotu", "Polish"),
        ("bir ürün listesi istiyorum: isim, fiyat ve tarih için alan olsun", "Turkish"),
        ("quick poll for the canteen: fish, stew or pasta on friday?", "“votes”"),
        ("our pharmacy has to log fridge temperatures. fridge, date, ok or not ok", "“ok or not ok”"),
        (
            "pharmacy orders: medicine, quantity. If the quantity is below 10 mark it red.",
            "“If the quantity is below 10 mark it red”",
        ),
        ("ferry tickets: passenger, sailing, seat", "I do not see in that what the app should keep"),
        ("tip calculator: bill, tip percent, number of people", "I do not see in that what the app should keep"),
    ],
)
async def test_what_a_list_cannot_hold_is_named_before_anything_is_built(wish: str, named: str) -> None:
    asked, plan, _ = await understood(wish)
    assert plan is None
    assert named in asked


@pytest.mark.parametrize(
    ("change", "said", "lists"),
    [
        ("can you also keep the owners, with name, phone and email?", "The app keeps owners.", "boats - name, size; owners - name, phone:phone, email:email"),
        ("also a list of concerts: title, date, tickets sold", "The app keeps concerts.", "boats - name, size; concerts - title, date:date, tickets sold:int"),
        ("don't change the colours, just add a quantity", "Boats have quantity.", "boats - name, size, quantity:int"),
        ("boats are called vessels from now on", "Boats are now called Vessels.", "vessels - name, size"),
        ("add trips, each trip has a boat, a date and litres", "The app keeps trips.", "boats - name, size; trips - boat:one, date:date, litres:number"),
        ("we need a status as well (new, in progress, sold) pls", "Boats have status.", "boats - name, size, status (new/in progress/sold)"),
        ("size isn't needed any longer; add notes field instead", "Size is gone from boats", "boats - name, notes:long"),
        ("we also need customers with name, phone and city", "The app keeps customers.", "boats - name, size; customers - name, phone:phone, city"),
        ("name -> title, size -> length", "Name of boats is now called Title", "boats - title, length"),
        ("call them vessels instead of boats", "Boats are now called Vessels.", "vessels - name, size"),
        ("every item should have a photo", "Boats have photo.", "boats - name, size, photo:url"),
        ("add notes at the bottom", "Boats have notes.", "boats - name, size, notes:long"),
        ("add invoice amount in euros and whether it has been paid", "Boats have invoice amount in euros and paid.", "boats - name, size, invoice amount in euros:money, paid:yes"),
    ],
)  # fmt: skip
async def test_more_changes_as_people_say_them(change: str, said: str, lists: str) -> None:
    boats, *_ = await built("boats with name, size")
    _, now, left_out, summary = await built(change, boats)
    assert (now, left_out) == (lists, [])
    assert said in summary


async def test_it_is_what_was_just_said() -> None:
    boats, *_ = await built("boats with name, size")
    manifest, lists, left_out, _ = await built('change "size" into "length in metres" and make it required', boats)
    assert (lists, left_out) == ("boats - name, length in metres", [])
    assert manifest.models[0].fields[1].required
    green, _, left_out, _ = await built("hmm the green is ugly, can we have something blue-ish like #1e4e8c", boats)
    assert (green.theme.accent, left_out) == ("#1e4e8c", [])


async def test_notes_may_be_left_empty_whatever_stands_beside_them() -> None:
    manifest, *_ = await built("batches with brewed on, litres and tasting notes")
    assert [one.name for one in manifest.models[0].fields if one.required] == ["brewed_on"]


async def test_a_colour_that_is_kept_or_a_rule_names_is_no_wish_for_the_looks() -> None:
    boats, *_ = await built("boats with name, colour")
    asked, plan, _ = await understood("colour should be a choice of black, gold and clear", boats)
    assert (plan, "not understand" in asked) == (None, True)
    blue, _, left_out, _ = await built("call the app Island Line, blue", boats)
    assert (blue.title, blue.theme.accent, left_out) == ("Island Line", "#1d5fd1", [])
