"""From a data set's attribute names to words: one rule per way of writing them, and the file of their body parts."""

import os
import re
import unicodedata
from pathlib import Path

from scegg_core.data.mat import read_mat
from scegg_core.data.names import printable, tidy
from scegg_core.data.text_files import read_text, require_file
from scegg_core.data.written_tables import has_columns, read_written
from scegg_core.errors import InputError

#: A place where a line may break, which parts words, and signs that part nothing: soft hyphens, marks of direction and of
#: byte order.
_BREAK = "\u200b"
_UNSEEN = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")

#: A whole number and the signs behind it, but for such as open what follows; and signs that part it from a name.
_NUMBERED = re.compile(r"""([0-9]+)(?!\.[0-9])((?:[^\w(\[{<"'“‘«]|_)+)(?=\S)""")
_APART = re.compile(r"[.:;)\]|]*[\s,]+")

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
    words = tuple(RULES[rule](_visible(name)) for name in names)
    for name, text in zip(names, words, strict=True):
        if not text:
            raise InputError(f"attribute name {name!r} leaves no word by the rule names: {rule}; rename the attribute.")
    return words


def _visible(name: str) -> str:
    """The name without signs that nobody sees, with which no file of vectors has its words; joiners belong to a script."""
    return _UNSEEN.sub("", unicodedata.normalize("NFC", name).replace(_BREAK, " "))


def read_names(path: Path) -> tuple[str, ...]:
    """Return the attribute names in `path`, one a line, all or none with their number in front; .mat as SUN's has them.

    Raises InputError for a missing, empty or unreadable file, and for numbers that do not count the lines.
    """
    if not os.path.lexists(path):
        raise InputError(
            f"{path} is missing: it holds the attribute names, one a line; "
            "the setting `attributes` can name another file."
        )
    if path.suffix == ".mat" and path.exists():
        require_file(path)
        names = _names_in_mat(path)
    else:
        lines = read_text(path).splitlines()
        names = _without_numbers(path, [line.strip() for line in lines if line.strip()])
    if not names:
        raise InputError(f"{path} holds no attribute names; it has to name one attribute a line.")
    return names


def _without_numbers(path: Path, lines: list[str]) -> tuple[str, ...]:
    """The names without their leading numbers, which have to count the lines, from 0 or 1 on.

    A number may be part of a name as long as other names have none and no blank parts it from its word: 2-tone.
    """
    numbered = [_NUMBERED.match(line) for line in lines]
    if not all(numbered) and not any(match and _APART.fullmatch(match[2]) for match in numbered):
        return tuple(lines)
    numbers = [match[1] if match else "none" for match in numbered]
    first = 1 if numbers and numbers[0].strip("0") else 0
    for wanted, number in enumerate(numbers, start=first):
        if number.lstrip("0") != str(wanted).lstrip("0"):
            raise InputError(
                f"{printable(path)} numbers attribute {lines[wanted - first]!r} {number}, where {wanted} is due; "
                "number all lines in their order, or none (a name may begin with a number in words)."
            )
    return tuple(line[match.end() :] for line, match in zip(lines, numbered, strict=True))


def read_parts(path: Path, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of every attribute ('': none) from a table with columns attribute (1-based number) and part.

    The number's column may also be called attribute_id; where there is a column name, or, beside
    attribute_id, a column attribute, these have to be the attribute's.
    Raises InputError for what does not fit.
    """
    table = read_written(path, "the columns attribute and part", has_columns("part"))
    identified, parts = table.column("attribute_id"), table.column("part")
    numbers = table.column("attribute") if identified is None else identified
    if numbers is None or parts is None:
        raise InputError(
            f"{printable(path)} has the header {printable(','.join(table.header))!r}, "
            "but it needs the columns attribute and part."
        )
    names = [column for column in (table.column("name"), identified and table.column("attribute")) if column]
    found: dict[int, str] = {}
    for number, part, *called in zip(numbers, parts, *names, strict=True):
        position = _attribute_position(path, number, called, attributes)
        if position in found:
            raise InputError(f"{printable(path)} binds attribute {number} twice; keep one row.")
        found[position] = part
    return tuple(found.get(position, "") for position in range(len(attributes)))


def _attribute_position(path: Path, number: str, names: list[str], attributes: tuple[str, ...]) -> int:
    if not re.fullmatch("[0-9]{1,9}", number) or not 1 <= int(number) <= len(attributes):
        raise InputError(
            f"{printable(path)} binds attribute {printable(number)!r}, but attributes are numbered 1 to "
            f"{len(attributes)}; correct the number."
        )
    expected = attributes[int(number) - 1]
    for name in names:
        if name and name != tidy(expected):
            raise InputError(
                f"{printable(path)} calls attribute {number} {printable(name)!r}, but its name is {printable(expected)!r}; "
                "correct one of them."
            )
    return int(number) - 1


def _names_in_mat(path: Path) -> tuple[str, ...]:
    names = read_mat(path, ("attributes",), "fetch it again").get("attributes")
    if not isinstance(names, tuple):
        raise InputError(f"{path} does not hold a readable list 'attributes'; fetch it again.")
    return names


def _blanks(text: str, characters: str) -> str:
    return " ".join(text.translate(str.maketrans(dict.fromkeys(characters, " "))).split())


def _replaced(words: str, replacements: dict[str, str]) -> str:
    return " ".join(replacements.get(word, word) for word in words.split())
