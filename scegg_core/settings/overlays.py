"""What a command lays over config.yaml: refused in one sentence before the workflow engine reads it.

profiles/default/config.yaml, which the engine reads first of all, calls this; the engine's own answer is a traceback.
"""

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scegg_core.errors import InputError
from scegg_core.settings.written import check_written

FILES = ("--configfile", "--configfiles")
VALUES = ("--config", "-C")
SUFFIXES = (".yaml", ".yml", ".json")


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """End the process with the sentence of `check_command`, if it has one."""
    try:
        check_command(arguments)
    except InputError as error:
        sys.exit(f"SC-EGG: {error}")


def check_command(arguments: Sequence[str]) -> None:
    """Refuse what stands behind --configfile or --config in `arguments`, a command's, and is no overlay or no setting."""
    for value in _behind(VALUES, arguments):
        _check_value(value)
    files = list(_behind(FILES, arguments))
    for file in files:
        if file != files[0] and Path(file).suffix.lower() not in SUFFIXES:
            raise InputError(
                f"config: {file} stands behind --configfile, which takes every name up to --; write "
                f"--configfile {files[0]} -- {file}"
            )
        if not Path(file).exists():
            near = difflib.get_close_matches(file, map(str, _overlays()), n=1, cutoff=0.75)
            raise InputError(
                f"config: there is no {file} (--configfile); {f'did you mean {near[0]}?' if near else 'correct its path.'}"
            )
    check_written(files)


def _behind(options: Sequence[str], arguments: Sequence[str]) -> Iterator[str]:
    """What stands behind each of `options`, up to the next one."""
    behind = False
    for argument in arguments:
        if argument.startswith("-"):
            option, _, value = argument.partition("=")
            behind = option in options
            if behind and value:
                yield value
        elif behind:
            yield argument


def _check_value(value: str) -> None:
    key, equals, given = value.partition("=")
    if re.fullmatch(r"\s*[^\W\d]\w*\s*", key) and equals:
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
