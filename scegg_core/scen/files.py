"""The file of a trained SCEN: its weights, with its settings in the metadata."""

from pathlib import Path

from scegg_core.artifacts.files import Provenance, read_description, read_tensors, write_tensors
from scegg_core.scen.model import SCEN
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.scen import ScenSettings


def write_scen(path: Path, scen: SCEN, settings: ScenSettings, provenance: Provenance) -> None:
    """Write SCEN's weights with its settings."""
    write_tensors(path, "scen", scen.state_dict(), provenance, {"settings": as_mapping(settings)})


def read_scen(path: Path) -> SCEN:
    """Return the trained SCEN at `path`, in evaluation mode; the file alone says how it is built."""
    tensors = read_tensors(path, "scen")
    settings = parse_section(ScenSettings, read_description(path)["extra"]["settings"], str(path))
    classes, words = tensors["local.class_vectors"], tensors["local.words"]
    scen = SCEN(words, classes, tensors["local.attend"].shape[1], settings, tensors.get("local.share"))
    scen.load_state_dict(tensors)
    return scen.eval().requires_grad_(False)
