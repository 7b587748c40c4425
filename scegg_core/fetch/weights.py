"""Fetching weights of torchvision, checked against the hash prefix in their file name, and of timm, which has none."""

from pathlib import Path

from scegg_core.errors import InputError
from scegg_core.fetch.archives import Fetched, fetch
from scegg_core.regions.weights import weights_url
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.downloads import Download


def fetch_weights(network: str, weights: str) -> Fetched:
    """Return the file of the weights of `network` called `weights`; it is downloaded unless it exists already.

    The file is not an output of the rule that fetches it: else an edit of code would delete and download it again.
    """
    settings = BackboneSettings(network=network, weights=weights)
    url, path = weights_url(settings), Path(settings.fetched_to)
    fetched = fetch(Download(url=url, file=str(path)))
    if settings.of_timm:  # the record of what arrived first is all that a later file can be compared with
        return fetched
    prefix = url.rsplit("-", 1)[-1].split(".")[0]
    if not fetched.sha256.startswith(prefix):
        raise InputError(
            f"{path} has sha256 {fetched.sha256}, but {url} promises one that begins with {prefix}; remove the file."
        )
    return fetched
