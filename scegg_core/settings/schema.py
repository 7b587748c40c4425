"""The JSON schema of config.yaml, made from the settings classes, so that there is one definition of each setting."""

from pydantic import TypeAdapter

from scegg_core.settings.resolve import Configuration

HEADER = (
    "# Keys, types, ranges and meanings of config.yaml. Made by `make schema` from scegg_core/settings; do not edit.\n"
)
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict:
    """Return the JSON schema of the whole configuration."""
    return {"$schema": DIALECT} | TypeAdapter(Configuration).json_schema()


def schema_text() -> str:
    """Return the schema as YAML."""
    import yaml

    return HEADER + yaml.safe_dump(schema(), sort_keys=True, width=110, allow_unicode=True)
