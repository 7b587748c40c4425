"""Names of files, and sentences with them, as they can be printed and written."""


def shown(text: object) -> str:
    """Return a name or a sentence for people, in one line: control characters as backslash and number."""
    plain = as_unicode(str(text))
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in plain)


def as_unicode(name: str) -> str:
    """Return a file's name with the bytes in it that are not UTF-8 as backslash and number."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name.encode("utf-8", "backslashreplace").decode()
