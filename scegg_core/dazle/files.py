"""The file of a trained DAZLE: its weights, with its settings in the metadata."""

from pathlib import Path

from scegg_core.artifacts.files import Provenance, read_description, read_tensors, write_tensors
from scegg_core.dazle.model import Dazle
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.dazle import DazleSettings


def write_dazle(path: Path, dazle: Dazle, settings: DazleSettings, provenance: Provenance) -> None:
    """Write DAZLE's weights with its settings."""
    write_tensors(path, "dazle", dazle.state_dict(), provenance, {"settings": as_mapping(settings)})


def read_dazle(path: Path) -> Dazle:
    """Return the trained DAZLE at `path`, in evaluation mode; the file alone says how it is built."""
    tensors = read_tensors(path, "dazle")
    settings = parse_section(DazleSettings, read_description(path)["extra"]["settings"], str(path))
    dazle = Dazle(tensors["words"], tensors["class_vectors"], tensors["attend"].shape[1], settings)
    dazle.load_state_dict(tensors)
    return dazle.eval().requires_grad_(False)
