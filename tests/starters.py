"""
Builds every app to start from, fills it, and takes its picture in a browser: `make gallery` writes those that people see.

`python -m tests.starters FOLDER` leaves all four of each, at 1280 and 390 pixels, light and dark, to look at.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
from playwright.async_api import Browser, Error, Response, async_playwright

from adapters.llm.builtin.plans import new_manifest
from adapters.llm.builtin.render import render
from adapters.llm.builtin.understand import understand
from adapters.llm.builtin.words import RESERVED
from adapters.preview.screenshot import find_browser
from adapters.sandbox.builds import Builds
from adapters.sandbox.docker import DockerSandbox
from core.files import FileTree
from core.manifests import AppManifest
from core.starters import STARTERS, Starter
from tests.servers.process import free_port

PICTURES = Path(__file__).parents[1] / "bot" / "web" / "static" / "starters"
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
Row = tuple[object, ...]
# The values of each record, in the order of the list's fields.
ROWS: dict[str, dict[str, list[Row]]] = {
    "crm": {
        "companies": [
            ("Nordwind Logistics", "https://nordwind.example", "+49 40 555 010", "Transport"),
            ("Bright & Sons", "https://bright.example", "+44 20 7946 0100", "Furniture"),
            ("Casa Verde", "https://casaverde.example", "+34 91 555 0144", "Gardens"),
            ("Maple Dental", "https://maple.example", "+1 555 0182", "Health"),
        ],
        "contacts": [
            ("Ines Kolb", 1, "ines@nordwind.example", "+49 40 555 011", "won"),
            ("Tom Bright", 2, "tom@bright.example", "+44 20 7946 0101", "qualified"),
            ("Pilar Ruiz", 3, "pilar@casaverde.example", "+34 91 555 0145", "lead"),
            ("Dr. Ann Lee", 4, "ann@maple.example", "+1 555 0183", "lost"),
        ],
    },
    "board": {
        "cards": [
            ("Write the invitation", "Short, with the address.", "Mira", "normal", "to do", "2026-12-04"),
            ("Order the cake", "For 40 people, two without nuts.", "Jonas", "high", "to do", "2026-12-02"),
            ("Book the room", "The one with the piano.", "Ayo", "high", "doing", "2026-12-01"),
            ("Print the signs", "", "Mira", "low", "doing", "2026-12-09"),
            ("Choose the music", "Ask the band first.", "Lena", "normal", "review", "2026-12-03"),
            ("Set the date", "12 December it is.", "Ayo", "high", "done", "2026-11-20"),
        ]
    },
    "bookings": {
        "bookings": [
            ("Elif Aydin", "elif@mail.example", "+49 151 5550 01", "2026-12-01T18:30", 2, "confirmed", "By the window"),
            ("Sam Porter", "sam@mail.example", "+44 7700 900 12", "2026-12-01T19:00", 4, "requested", ""),
            ("Noor Haddad", "noor@mail.example", "+31 6 5550 13", "2026-12-02T20:00", 6, "confirmed", "A birthday"),
            ("Kenji Mori", "kenji@mail.example", "+81 90 5550 14", "2026-12-03T12:00", 2, "cancelled", ""),
        ]
    },
    "inventory": {
        "items": [
            ("Espresso beans 1 kg", "BE-100", "Coffee", 42, 10, 21.5, "Rösterei Hafen"),
            ("Oat milk 1 l", "MI-210", "Milk", 8, 24, 2.1, "Hafer & Co"),
            ("Paper cups 250 ml", "CU-025", "Packaging", 1200, 500, 0.08, "Papierwerk"),
            ("Filter papers", "FI-004", "Coffee", 30, 20, 4.9, "Rösterei Hafen"),
            ("Cleaning tablets", "CL-007", "Care", 6, 5, 9.75, "Blank"),
        ]
    },
    "expenses": {
        "expenses": [
            ("Train to Lyon", 128.4, "travel", "2026-11-03", "Mira", True),
            ("Lunch with the jury", 86.0, "food", "2026-11-05", "Ayo", True),
            ("Standing desk", 349.0, "office", "2026-11-12", "Jonas", False),
            ("Design tool, one year", 144.0, "software", "2026-11-18", "Lena", False),
            ("Taxi from the airport", 41.5, "travel", "2026-11-21", "Mira", False),
        ]
    },
    "events": {
        "events": [
            ("Winter concert", "2026-12-12", "St. Thomas", 180, "Choir and brass, two hours with a break."),
            ("Open rehearsal", "2027-01-16", "Town hall", 60, "Come and sing along."),
            ("Summer party", "2027-06-19", "The garden", 90, "Bring something to eat."),
        ],
        "guests": [
            ("Nina Falk", 1, "nina@mail.example", "yes"), ("Omar Said", 1, "omar@mail.example", "maybe"),
            ("Grace Hill", 2, "grace@mail.example", "no"),
        ],
    },
    "cookbook": {
        "recipes": [
            ("Lentil soup", 4, 35, "Red lentils, carrots, cumin, lemon", "Fry, add water, simmer, blend half of it.", 5),
            ("Plum cake", 12, 70, "Plums, flour, butter, sugar, eggs", "Knead, cover with plums, bake at 180 °C.", 4),
            ("Shakshuka", 2, 25, "Eggs, tomatoes, peppers, paprika", "Cook the sauce, break the eggs into it.", 5),
            ("Potato salad", 6, 50, "Potatoes, broth, mustard, chives", "Slice warm, pour the broth over, wait.", 3),
        ]
    },
    "helpdesk": {
        "tickets": [
            ("Printer on floor 2 is offline", "Since this morning.", "Ines", "normal", "open"),
            ("No access to the shared folder", "It asks for a password.", "Tom", "urgent", "open"),
            ("New laptop for Pilar", "Starts on Monday.", "Ann", "normal", "in progress"),
            ("Meeting room screen flickers", "", "Ayo", "low", "waiting"),
            ("VPN drops every hour", "Solved by the update.", "Lena", "urgent", "closed"),
        ]
    },
    "library": {
        "books": [
            ("The Left Hand of Darkness", "Ursula K. Le Guin", 1969, "9780441478125"),
            ("Invisible Cities", "Italo Calvino", 1972, "9780156453806"),
            ("Kindred", "Octavia E. Butler", 1979, "9780807083697"),
        ],
        "members": [("Mira Sommer", "mira@mail.example", "+49 151 5550 21"), ("Ayo Bello", "ayo@mail.example", "+44 7700 900 33")],
        "loans": [(1, 2, "2026-11-14", "2026-12-05", False), (3, 1, "2026-11-02", "2026-11-23", True)],
    },
    "projects": {
        "projects": [
            ("New website", "Casa Verde", "active", "2027-01-31"), ("Trade fair", "Bright & Sons", "planned", "2027-03-15"),
            ("Price list", "Nordwind", "done", "2026-10-30"),
        ],
        "tasks": [
            ("Sketch the start page", 1, "Lena", 6.5, True), ("Write the texts", 1, "Mira", 4, False),
            ("Book the stand", 2, "Ayo", 1.5, False), ("Proofread", 3, "Jonas", 2, True),
        ],
    },
    "orders": {
        "customers": [("Café Lund", "hello@lund.example", "+45 5550 31"), ("Anna Weber", "anna@mail.example", "+49 151 5550 32")],
        "orders": [
            (1, "Croissants", 60, 72.0, "2026-12-01", "baking"), (2, "Rye bread", 2, 9.8, "2026-12-01", "ready"),
            (1, "Cinnamon rolls", 40, 68.0, "2026-12-02", "new"), (2, "Birthday cake", 1, 38.0, "2026-11-28", "collected"),
        ],
    },
}  # fmt: skip


@contextlib.contextmanager
def running(starter: Starter, folder: Path, sandbox: DockerSandbox | None = None) -> Iterator[tuple[str, AppManifest]]:
    """Build an app as the built-in builder does, with a front end in React where a sandbox can build one, fill it, and serve it."""
    found = understand(starter.wish)
    assert not found.left_out, f"{starter.name}: {found.left_out}"
    manifest = new_manifest(starter.wish, found, react=sandbox is not None)
    files = {one.path: (render(manifest, one.path) or "").encode() for one in manifest.files}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    dist = folder
    if sandbox is not None:
        # Its own loop: who calls this may have one that runs.
        with ThreadPoolExecutor(1) as pool:
            dist = pool.submit(asyncio.run, Builds(folder / ".builds", sandbox).of(FileTree(files))).result()
    port = free_port()
    serve = ["uvicorn", "main:app"] if manifest.models else ["http.server", "--bind", "127.0.0.1"]
    number = ["--port", str(port), "--log-level", "warning"] if manifest.models else [str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", *serve, *number], cwd=folder, env=os.environ | {"DATA_DIR": str(folder), "WEB_DIST": str(dist)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=url, trust_env=False, timeout=30, transport=transport) as client:
            for table, rows in ROWS.get(starter.name, {}).items():
                model = next(one for one in manifest.models if one.plural.lower() == table)
                columns = [f"{one.name}_id" if one.type == "relation" else one.name for one in model.fields]
                columns = [f"{name}_" if name in RESERVED else name for name in columns]
                for row in rows:
                    client.post(f"/api/{table}", json=dict(zip(columns, row, strict=True))).raise_for_status()
            client.get("/").raise_for_status()
        yield url, manifest
    finally:
        process.terminate()
        process.wait()


def _note_error(troubles: list[str], error: Error) -> None:
    troubles.append(str(error))


def _note_answer(troubles: list[str], answer: Response) -> None:
    if answer.status >= 400 and "favicon" not in answer.url:
        troubles.append(f"{answer.status} {answer.url}")


OUT_OF_REACH = """[...document.querySelectorAll('button')].filter((button) => {
  const place = button.getBoundingClientRect();
  const scrolls = (one) => one !== document.body && (
    (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)) || scrolls(one.parentElement));
  return place.width && place.right > innerWidth + 1 && !scrolls(button.parentElement);
}).length"""
"""How many buttons stand beyond the right edge, where nothing scrolls to them."""


async def pictures(browser: Browser, url: str, page: str) -> dict[str, bytes]:
    """Return pictures of an app by size and scheme; whatever it throws or fails to load is an error."""
    found = dict[str, bytes]()
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            )
            troubles = list[str]()
            tab = await context.new_page()
            tab.on("pageerror", partial(_note_error, troubles))
            tab.on("response", partial(_note_answer, troubles))
            await tab.goto(f"{url}{page}", wait_until="networkidle")
            wide = await tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{page} is {wide} pixels wide at {width}"
            assert "[object " not in await tab.inner_text("body"), f"{page} shows what is no text"
            assert not troubles, troubles
            # A board is wider than a phone, and scrolls by itself.
            assert await tab.evaluate(OUT_OF_REACH) == 0, f"{page}: buttons out of reach at {width}"
            found[f"{size}-{scheme}"] = await tab.screenshot(type="png")
            await context.close()
    return found


async def small_picture(browser: Browser, url: str, page: str, scheme: str) -> bytes:
    """Return the picture of an app that the gallery shows, 640 by 400 pixels, as JPEG."""
    context = await browser.new_context(
        viewport={"width": 960, "height": 600},
        device_scale_factor=2 / 3,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    tab = await context.new_page()
    await tab.goto(f"{url}{page}", wait_until="networkidle")
    picture = await tab.screenshot(type="jpeg", quality=82)
    await context.close()
    return picture


async def main(folder: Path | None) -> None:
    """Take all pictures to look at into a folder, or those of the gallery."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser() or None, args=["--no-sandbox"])
        for starter in STARTERS:
            with tempfile.TemporaryDirectory() as place, running(starter, Path(place)) as (url, manifest):
                page = f"/#{manifest.pages[-1].path}" if manifest.models else "/"
                if folder is None:
                    for scheme in SCHEMES:
                        small = await small_picture(browser, url, page, scheme)
                        (PICTURES / f"{starter.name}-{scheme}.jpg").write_bytes(small)
                    continue
                for name, picture in (await pictures(browser, url, page)).items():
                    (folder / f"{starter.name}-{name}.png").write_bytes(picture)
        await browser.close()


if __name__ == "__main__":
    into = Path(sys.argv[1]) if sys.argv[1:] else None
    (into or PICTURES).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(into))
