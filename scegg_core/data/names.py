"""Names that people write: one form of each for the project, and what makes two of them look alike."""

import re
import unicodedata

#: What CUB puts before a class's name: 001.Crow. The names 1.5 and 1. April have no number.
_NUMBER = re.compile(r"\d+\.(?=[^\d\s_])")

_BREAKS = re.compile(r"\s*[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


def tidy(name: str) -> str:
    """Return the name as the project keeps it: Unicode's composed form, no outer blanks, line breaks as blanks.

    Some systems write folder names decomposed, others composed; both are then the same name.
    """
    return _BREAKS.sub(" ", unicodedata.normalize("NFC", name).strip())


def without_number(name: str) -> str:
    """Return a class's name without the number that CUB puts before it."""
    return name[found.end() :] if (found := _NUMBER.match(name)) else name


def likeness(name: str) -> str:
    """Return what readers see of a name: equal for names that differ in case, blanks, Unicode form or invisible signs."""
    visible = "".join(sign for sign in unicodedata.normalize("NFC", name) if unicodedata.category(sign) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).split()).casefold()


def alike(names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the first two of `names` that readers cannot tell apart (see `likeness`), or None."""
    known: dict[str, str] = {}
    for name in names:
        key = likeness(name)
        if key in known:
            return known[key], name
        known[key] = name
    return None


def printable(text: object) -> str:
    """Return a name or a sentence for people, in one line: signs that cannot be printed, or seen, as escapes."""
    plain = as_unicode(str(text))
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in plain)


def as_unicode(name: str) -> str:
    """Return a file's name with the bytes in it that are not UTF-8 as backslash and number."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name.encode("utf-8", "backslashreplace").decode()
