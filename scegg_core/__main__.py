"""Commands beside the workflow: python -m scegg_core predict, add-classes, explain, export, draw-species, schema, config-page."""

import argparse
import sys

from scegg_core.using.commands import add_commands, run_command
from scegg_core.using.options import Parser
from scegg_core.using.streams import usable_streams


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    with usable_streams():
        return run_command(_parser().parse_args(arguments))


def _parser() -> Parser:
    parser = Parser(prog="python -m scegg_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_commands(commands)
    schema = commands.add_parser("schema", help="print the schema of config.yaml, made from the settings classes")
    schema.set_defaults(run=_schema)
    page = commands.add_parser("config-page", help="print docs/config.md, made from the settings classes")
    page.set_defaults(run=_page)
    return parser


def _schema(_: argparse.Namespace) -> int:
    from scegg_core.settings.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


def _page(_: argparse.Namespace) -> int:
    from scegg_core.settings.page import page_text

    sys.stdout.write(page_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
