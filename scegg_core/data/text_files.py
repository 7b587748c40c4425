"""Text files that people write: any Unicode encoding that says which it is, and only what is a file."""

import codecs
import math
import os
import re
import stat
from pathlib import Path

from scegg_core.data.names import likeness, printable
from scegg_core.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


def read_text(path: Path) -> str:
    """Return the text of `path`: UTF-8, or UTF-16 or UTF-32 with a byte-order mark, which is dropped.

    Raises InputError if it is missing, not a file, or no such text. Other encodings do not say which they are: read as
    a wrong one they give wrong names, so they are refused.
    """
    data = _read_bytes(path)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        label = "UTF-8" if encoding.startswith("utf-8") else f"whole {encoding.upper()}"
        raise InputError(
            f'{printable(path)} is not {label} text (byte {error.start}); save it as UTF-8 (in Excel: "CSV UTF-8").'
        ) from None
    if "\0" in text:
        raise InputError(f"{printable(path)} holds zero bytes, so it is no UTF-8 text; save it as UTF-8.")
    return text.lstrip("\ufeff")


def stat_kind(mode: int) -> str | None:
    """Return what a file of this st_mode is where it is no plain file: "a folder", "a pipe" …; else None."""
    return next((kind for test, kind in _KINDS if test(mode)), None)


def read_number(text: str) -> float:
    """Return the finite number that `text` spells with the digits 0 to 9: 1, .5, 1e-3, or 0,5 with a decimal comma.

    Raises ValueError, with a reason to follow the value in a sentence, for all else: nan, 1_0, 1,234 (which may be 1234).
    """
    if _GROUPED.fullmatch(text):
        raise ValueError(f"which may be {text.replace(',', '.')} or {text.replace(',', '')}")
    if not _POINT.fullmatch(text) and not _COMMA.fullmatch(text):
        raise ValueError("which is no number")
    value = float(text.replace(",", "."))
    if math.isinf(value):
        raise ValueError("which is too large")
    return value + 0.0  # -0 becomes 0


def is_number(text: str) -> bool:
    """Return whether `read_number` reads `text`."""
    try:
        read_number(text)
    except ValueError:
        return False
    return True


def read_count(text: str) -> int:
    """Return the whole number from 0 upwards that `text` spells with at most 18 digits 0 to 9; else ValueError."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError("which is no whole number")
    return int(text)


def require_file(path: Path) -> None:
    """Raise InputError for what is there but no plain file: opening a pipe would wait for its writer."""
    if kind := stat_kind(path.stat().st_mode):
        raise InputError(f"{printable(path)} is {kind}, not a file; put a file there.")


def is_given(path: Path) -> bool:
    """Return whether the file `path`, which need not be there, is; raises InputError where one of almost its name is.

    Such a name differs in case, or has an ending behind its own that Windows does not show: it would be passed over.
    """
    if os.path.lexists(path):
        return True
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return False
    meant = [likeness(f"{path.name}{further}") for further in ("", ".txt", path.suffix)]
    for name in names:
        if likeness(name) in meant:
            raise InputError(
                f"{printable(path.parent / name)} is called almost as {path.name}; call it so, or otherwise."
            )
    return False


def require_readable(path: Path, missing: str) -> None:
    """Raise InputError unless `path` is a file that may be read: with the sentence `missing` where nothing is there."""
    try:
        require_file(path)
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(missing) from None
    except OSError as error:
        raise InputError(
            f"{printable(path)} cannot be read ({error.strerror}); allow reading it, or correct the path."
        ) from None


def _read_bytes(path: Path) -> bytes:
    try:
        require_file(path)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror}); put the file there.") from None
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror}); mend or replace the file.") from None
