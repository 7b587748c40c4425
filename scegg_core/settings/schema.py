"""The JSON schema of config.yaml, made from the settings classes, so that there is one definition of each setting."""

from pydantic import TypeAdapter

from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.final import ClassifierSettings, SynthesisSettings
from scegg_core.settings.resolve import Configuration
from scegg_core.settings.scen import ScenSettings

HEADER = (
    "# Keys, types, ranges and meanings of config.yaml. Made by `make schema` from scegg_core/settings; do not edit.\n"
)
DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Sections that are laid over each other before they are checked as a whole.
LAYERED = {"scen": ScenSettings, "eggn": EggnSettings, "synthesis": SynthesisSettings, "classifier": ClassifierSettings}


def schema() -> dict:
    """Return the JSON schema of the whole configuration."""
    whole = {"$schema": DIALECT} | TypeAdapter(Configuration).json_schema()
    for section, kind in LAYERED.items():
        part = TypeAdapter(kind).json_schema()
        whole["$defs"] |= part.pop("$defs", {}) | {kind.__name__: part}
        whole["properties"][section] = {"$ref": f"#/$defs/{kind.__name__}"}
        for holder in ("DatasetSettings", "VariantSettings", "SpaceSettings"):
            if section in whole["$defs"][holder]["properties"]:
                whole["$defs"][holder]["properties"][section] = {"$ref": f"#/$defs/{kind.__name__}"}
    return whole


def schema_text() -> str:
    """Return the schema as YAML."""
    import yaml

    return HEADER + yaml.safe_dump(schema(), sort_keys=True, width=110, allow_unicode=True)
