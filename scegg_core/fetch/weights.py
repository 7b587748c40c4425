"""Fetching torchvision's own ImageNet weights, checked against the hash prefix in their file name."""

from pathlib import Path

from scegg_core.artifacts.files import file_digest
from scegg_core.errors import InputError
from scegg_core.fetch.archives import fetch
from scegg_core.regions.backbone import weights_url
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.downloads import Download


def fetch_weights(network: str, weights: str, path: Path) -> None:
    """Bring the weights of `network` called `weights` to `path`, unless a copy put there by hand is in place."""
    url = weights_url(BackboneSettings(network=network, weights=weights))
    fetch(Download(url=url, file=str(path)))
    prefix = url.rsplit("-", 1)[-1].split(".")[0]
    digest = file_digest(path)
    if not digest.startswith(prefix):
        raise InputError(
            f"{path} has sha256 {digest}, but {url} promises one that begins with {prefix}; remove the file."
        )
