"""From a data set's attribute names to words: one rule per way of writing them, and the file of their body parts."""

import csv
import re
import unicodedata
from pathlib import Path

from scegg_core.data.mat import read_mat
from scegg_core.errors import InputError

_CUB_WORDS = {"spatulate": "broad", "upperparts": "upper parts", "grey": "gray"}
_AWA2_WORDS = {
    "newworld": "new world",
    "oldworld": "old world",
    "nestspot": "nest spot",
    "toughskin": "tough skin",
    "longleg": "long leg",
    "chewteeth": "chew teeth",
    "meatteeth": "meat teeth",
    "strainteeth": "strain teeth",
    "quadrapedal": "quadrupedal",
}


def plain_words(name: str) -> str:
    """Return the words of `name`: a note in parentheses dropped, `_ - / :` read as blanks, lower case."""
    return _blanks(re.sub(r"\([^)]*\)?", " ", name), "_-/:").lower()


def cub_words(name: str) -> str:
    """Return the words of a CUB attribute: has_bill_shape::curved_(up_or_down) → bill shape curved."""
    words = _blanks(name.partition("(")[0], "_-:").lower().removeprefix("has ")
    return _replaced(words, _CUB_WORDS)


def awa2_words(name: str) -> str:
    """Return the words of an AWA2 predicate: meatteeth → meat teeth."""
    return _replaced(plain_words(name), _AWA2_WORDS)


def sun_words(name: str) -> str:
    """Return the words of a SUN attribute: direct sun/sunny → direct sun sunny; man-made → man made."""
    return plain_words(name.replace("far-away", "faraway"))


RULES = {"plain": plain_words, "cub": cub_words, "awa2": awa2_words, "sun": sun_words}


def to_words(names: tuple[str, ...], rule: str) -> tuple[str, ...]:
    """Return the words of every name by the rule called `rule` (a key of RULES).

    Raises InputError for a name that leaves no word.
    """
    words = tuple(RULES[rule](unicodedata.normalize("NFC", name)) for name in names)
    for name, text in zip(names, words, strict=True):
        if not text:
            raise InputError(f"attribute name {name!r} leaves no word by the rule names: {rule}; rename the attribute.")
    return words


def read_names(path: Path) -> tuple[str, ...]:
    """Return the attribute names in `path`, one a line, with or without a leading number; .mat as SUN's has them.

    Raises InputError for a missing, empty or unreadable file.
    """
    if not path.is_file():
        raise InputError(
            f"{path} is missing: it holds the attribute names, one a line; "
            "the setting `attributes` can name another file."
        )
    if path.suffix == ".mat":
        names = _names_in_mat(path)
    else:
        lines = read_text(path).splitlines()
        names = tuple(re.sub(r"^\d+[\s,]+", "", line.strip()) for line in lines if line.strip())
    if not names:
        raise InputError(f"{path} holds no attribute names; it has to name one attribute a line.")
    return names


def read_parts(path: Path, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of every attribute ('': none) from a CSV with columns attribute (1-based number) and part.

    The number's column may also be called attribute_id; where there is a column name, it has to be the attribute's.
    Raises InputError for what does not fit.
    """
    table = csv.DictReader(read_text(path).splitlines())
    header = tuple(table.fieldnames or ())
    number = "attribute_id" if "attribute_id" in header else "attribute"
    if number not in header or "part" not in header:
        raise InputError(f"{path} has the header {','.join(header)!r}, but it needs the columns attribute and part.")
    parts = [""] * len(attributes)
    for row in table:
        parts[_attribute_position(path, row, number, attributes)] = (row["part"] or "").strip()
    return tuple(parts)


def _attribute_position(path: Path, row: dict[str, str | None], column: str, attributes: tuple[str, ...]) -> int:
    number, name = (row[column] or "").strip(), (row.get("name") or "").strip()
    if not number.isdecimal() or not 1 <= int(number) <= len(attributes):
        raise InputError(
            f"{path} binds attribute {number!r}, but attributes are numbered 1 to {len(attributes)}; "
            "correct the number."
        )
    expected = attributes[int(number) - 1]
    if name and name != expected:
        raise InputError(
            f"{path} calls attribute {number} {name!r}, but its name is {expected!r}; correct one of them."
        )
    return int(number) - 1


def read_text(path: Path) -> str:
    """Return the UTF-8 text of `path` (a byte-order mark dropped); raises InputError if it is missing or not text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); put the file there.") from None


def _names_in_mat(path: Path) -> tuple[str, ...]:
    names = read_mat(path, ("attributes",), "fetch it again").get("attributes")
    if not isinstance(names, tuple):
        raise InputError(f"{path} does not hold a readable list 'attributes'; fetch it again.")
    return names


def _blanks(text: str, characters: str) -> str:
    return " ".join(text.translate(str.maketrans(dict.fromkeys(characters, " "))).split())


def _replaced(words: str, replacements: dict[str, str]) -> str:
    return " ".join(replacements.get(word, word) for word in words.split())
