"""
Account for every word of a request: what would be built is held against it, and what it does not cover is named.

A word is covered when what would be built has it: as a name, a field, a choice, a colour. Small words that carry no wish do
not count. Rules that read a request may be wrong in many ways; here it shows, whatever the way.
"""

import re
from collections.abc import Iterable

from adapters.llm.builtin.words import singular, spelled, words_of
from core.manifests import AppManifest

# No word here may carry a wish: not "only", "must", "once", "per", "before", "live".
FILLER = words_of("""
    a an the this that these those some any all each every and or of for to in on at by with from into as it its
    our my your their his her we i me us you they them he she there here who which what where whose is are was be
    been am being has have had having do does did can could would should shall will may might please thanks thank
    kindly hi hello hey just also too so then now next again ok okay well let lets want wants need needs like wish
    make makes made build create set up give get write generate develop start begin app application program tool
    system website web site software simple small little new nice basic good great quick quickly own keep keeps
    keeping track tracks tracking store stores storing save saves record records manage manages managing organise
    organize handle add adds adding include includes including contain contains containing consist consisting put
    list lists listing table tables field fields column columns called named following such etc something someone
    thing things team page pages about because since but if when while how use uses using used way bit lot lots up
    more another other others one ones able it's i'd we'd i'm we're let's that's there's everything
    everyone us ours mine own overview info information data database entry entries item log tracker directory
    register catalogue catalog pls plz basically actually really knock smth sth somehow single
""")
NEXT_TO_NAMES = words_of("""
    type kind number text date time yes no true false boolean checkbox dropdown flag option options value
    values
""")
ACTS = words_of("texts emails mails sends notifies reminds pings warns alerts")
"""What an app would do by itself: the same words are things only where the app keeps them."""
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f][\w'\u2019-]*|\d+")
_SENTENCE = re.compile(r"[.!?;\n]+(?:\s+|$)|\n")
_PART = re.compile(r",\s*(?:and\s+)?|\s+-\s+|:\s+|\s+and\s+|\s+with\s+")
MAX_PHRASE_CHARS = 160


def stems(text: str) -> set[str]:
    """Return the words of a text as they are compared: lower case, singular, without what follows an apostrophe or a hyphen."""
    found = set[str]()
    for word in _WORD.findall(text.replace("\u2019", "'").replace("_", " ")):
        for part in word.lower().removesuffix("'s").split("-"):
            found |= {part, singular(part)} if part else set()
    return found


def covered_by(manifest: AppManifest) -> set[str]:
    """Return the words that an app has."""
    texts = [manifest.title, *manifest.features]
    for page in manifest.pages:
        texts += [page.title, page.text if page.path != "/" else ""]
    for model in manifest.models:
        texts += [model.label, model.plural]
        for field in model.fields:
            texts += [field.label, *field.choices]
    return set().union(*map(stems, texts))


def left_out(request: str, covered: Iterable[str]) -> list[str]:
    """Return the phrases of a request that have a word which nothing covers, in the person's words."""
    known = set(covered)
    found = list[str]()
    for sentence in _SENTENCE.split(request):
        for part in _PART.split(sentence or ""):
            part = part.replace(")", " ") if "(" not in part else part
            if uncovered(part, known):
                found.append(" ".join(part.strip(" -*•()").split())[:MAX_PHRASE_CHARS])
    return list(dict.fromkeys(one for one in found if one))


def uncovered(text: str, known: Iterable[str]) -> list[str]:
    """Return the words of a text that are not known, in no form of theirs."""
    known = set(known)
    words = {*known, *FILLER, *NEXT_TO_NAMES}
    missing = list[str]()
    for word in _WORD.findall(text.replace("\u2019", "'")):
        parts = [part for part in word.lower().removesuffix("'s").split("-") if part]
        if word.lower() in ACTS:
            named = word.lower() in known
        else:
            named = word.lower() in words or all(
                part in words or singular(part) in words or spelled(part) in words for part in parts
            )
        if named:
            continue
        missing.append(word)
    return missing


_LANGUAGES = {
    "German": "füge hinzu feld zu mach ändere lösche ich wir eine einen einem mit und für der die das bitte brauche brauchen soll sollen erstelle fürs anmeldung ja nein vom beim oder liste von ist nicht auch jede jeder unser unsere mein ein zur zum werden kann über",
    "French": "je nous une des avec et pour le la les crée créer veux voulons besoin application liste chaque notre mon un du est pas dans sur qui que aussi faire",
    "Spanish": "quiero queremos una un con y para el los las necesito necesitamos crea crear lista cada nuestra nuestro de del que por también hacer",
    "Portuguese": "quero queremos uma um com e para o os as preciso precisamos crie criar cada nossa nosso de do da que por também fazer",
    "Italian": "voglio vogliamo una un con e per il lo gli le ho bisogno crea creare ogni nostra nostro di del che anche fare",
    "Dutch": "ik wij we een met en voor de het maak maken wil willen nodig lijst van elke onze mijn ook niet zijn",
    "Turkish": "bir ve için ile istiyorum istiyoruz lazım uygulama liste oluştur yap olsun bize bana tarih isim gerekiyor var her çok",
    "Polish": "chcę chcemy potrzebuję z i dla lista każdy nasz moja aplikacja zrób stwórz oraz do na lista listę kto co data nazwa gdzie",
}  # fmt: skip
_ENGLISH = words_of("""
    the a an of for with and to in on is are we i our my each every build make create that it need want please add
""")


def foreign(text: str) -> str:
    """Return the language that a text is in, '' for English and for what is too short to tell."""
    letters = [char for char in text if char.isalpha()]
    if letters and sum(ord(char) > 0x24F for char in letters) * 3 > len(letters):
        return "another language"
    # Each once: a list of vans is not Dutch.
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    english = sum(word in _ENGLISH for word in words)
    counts = {name: sum(word in one.split() for word in words) for name, one in _LANGUAGES.items()}
    name = max(counts, key=lambda one: counts[one])
    return (
        name if counts[name] >= 2 and counts[name] > english + sum(word in ("a", "de") for word in words) // 2 else ""
    )
