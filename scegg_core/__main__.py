"""Commands beside the workflow: python -m scegg_core schema."""

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scegg_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the schema of config.yaml, made from the settings classes")
    parser.parse_args(arguments)
    from scegg_core.settings.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
