"""What a command lays over config.yaml: refused in one sentence before the workflow engine reads it.

profiles/default/config.yaml, which the engine reads first of all, calls this; the engine's own answer is a traceback.
"""

import contextlib
import difflib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import yaml

from scegg_core.errors import InputError
from scegg_core.settings.existing import is_there
from scegg_core.settings.written import check_extent, check_written

FILES = ("--configfile", "--configfiles")
VALUES = ("--config", "-C")
SUFFIXES = (".yaml", ".yml", ".json")

#: The keys that the engine takes.
KEY = re.compile(r"[a-zA-Z_][\w-]*\w")


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """End the process with the sentence of `check_command`, if it has one."""
    try:
        check_command(arguments)
    except InputError as error:
        sys.exit(f"SC-EGG: {error}")


def check_command(arguments: Sequence[str]) -> None:
    """Refuse what stands behind --configfile or --config in `arguments`, a command's, and is no overlay or no setting."""
    values, files = _behind(VALUES, arguments), _behind(FILES, arguments)
    for value in values:
        _check_value(value)
    _refuse_twice(values)
    for file in files:
        if file != files[0] and Path(file).suffix.lower() not in SUFFIXES:
            raise InputError(
                f"config: {file} stands behind --configfile, which takes every name up to --; write "
                f"--configfile {files[0]} -- {file}"
            )
        if not file:
            raise InputError("config: --configfile= names no file; write --configfile my.yaml --")
        if not is_there(file):
            near = difflib.get_close_matches(file, set(map(str, _overlays())) - {file}, n=1, cutoff=0.75)
            raise InputError(
                f"config: there is no {file} (--configfile); {f'did you mean {near[0]}?' if near else 'correct its path.'}"
            )
    check_written(files)


def _behind(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """What stands behind one of `options`, up to the next option; refused where it is given twice: the last would stand alone."""
    found: list[list[str]] = []
    behind = False
    for argument in takewhile(lambda argument: argument != "--", arguments):
        if argument.startswith("-"):
            option, value = _option(argument)
            behind = option in options and value is None
            if option in options:
                found.append([] if value is None else [value])
        elif behind:
            found[-1].append(argument)
    together = [value for values in found for value in values]
    if len(found) > 1:
        raise InputError(
            f"config: {options[0]} is given twice, and what stands behind the first would be passed over; write it once: "
            f"{options[0]} {' '.join(map(shlex.quote, together))} --"
        )
    return together


def _option(argument: str) -> tuple[str, str | None]:
    """An option, and the value that is written together with it: --config=value, -Cvalue, -nCvalue."""
    if short := re.fullmatch(r"-[nFfkpq]*C(=?(.+))?", argument, re.DOTALL):  # also behind flags: -nC
        return "-C", short[2]
    option, equals, value = argument.partition("=")
    return option, value if equals else None


def _refuse_twice(values: Sequence[str]) -> None:
    keys = [value.partition("=")[0] for value in values]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(
                f"config: --config gives {key} twice, and the last would stand alone; write all of it into one."
            )


def _check_value(value: str) -> None:
    key, equals, given = value.partition("=")
    if KEY.fullmatch(key) and equals:
        with contextlib.suppress(yaml.YAMLError):  # text, which its setting may take or refuse
            check_extent(given, f"--config {key}")
        return
    if not equals and not value.endswith(":"):
        raise InputError(
            f"config: {value} stands behind --config, which takes every word up to --; write --config key=value -- {value}"
        )
    section, _, inner = key.partition(".")
    write = f"'{section}={{{inner}: {given}}}'" if equals and inner else "'eggn={epochs: 100}'"
    raise InputError(f"config: --config {value} is not of the form key=value; write --config {write}")


def _overlays() -> Iterator[Path]:
    return (file for pattern in ("*.yaml", "overlays/**/*.yaml") for file in Path().glob(pattern))
