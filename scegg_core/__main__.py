"""Commands beside the workflow: python -m scegg_core predict, add-classes, explain, export, draw-species, schema, config-page."""

import argparse
import io
import os
import sys
from pathlib import Path

from scegg_core.using.commands import add_commands, run_command
from scegg_core.using.options import Parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    _prepare_streams()
    parser = Parser(prog="python -m scegg_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_commands(commands)
    schema = commands.add_parser("schema", help="print the schema of config.yaml, made from the settings classes")
    schema.set_defaults(run=_schema)
    page = commands.add_parser("config-page", help="print docs/config.md, made from the settings classes")
    page.set_defaults(run=_page)
    return run_command(parser.parse_args(arguments))


def _schema(_: argparse.Namespace) -> int:
    from scegg_core.settings.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


def _page(_: argparse.Namespace) -> int:
    from scegg_core.settings.page import page_text

    sys.stdout.write(page_text())
    return 0


def _prepare_streams() -> None:
    """Let any letter be printed on any terminal, and stand in for streams that the caller has closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
