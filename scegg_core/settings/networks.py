"""Names of networks: those of torchvision and timm, read off their sources, since importing them takes seconds."""

import re
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from scegg_core.errors import InputError
from scegg_core.settings.backbone import TIMM

#: The end of the sentence that says that timm is not there.
INSTALL_TIMM = "install it with: make install EXTRAS=timm (or pip install -r envs/requirements-timm.txt)"


def check_network(place: str, network: str) -> None:
    """Raise InputError where the library of the network at `place` has none of its name, or is an extra not installed."""
    of_timm = network.startswith(TIMM)
    if of_timm and find_spec("timm") is None:
        raise InputError(f"config: {place} is {network!r}, but timm is not installed; {INSTALL_TIMM}.")
    known, library = (timm_networks(), "timm") if of_timm else (torchvision_networks(), "torchvision")
    name = network.removeprefix(TIMM).partition(".")[0] if of_timm else network
    if known and name not in known:
        prefix = TIMM if of_timm else ""
        close = [prefix + other for other in get_close_matches(name, known, 3)]
        hint = f"; did you mean {' or '.join(close)}?" if close else "."
        raise InputError(f"config: {place} is {network!r}, which {library} does not have{hint}")


@cache
def torchvision_networks() -> frozenset[str]:
    """Return the names of torchvision's networks; none where it is not installed."""
    return _registered("torchvision", r"@register_model\(\)")


@cache
def timm_networks() -> frozenset[str]:
    """Return the names of timm's networks, without tags; none where it is not installed."""
    return _registered("timm", "@register_model")


def _registered(library: str, mark: str) -> frozenset[str]:
    """The names of the functions below the mark in the library's models."""
    found = find_spec(library)
    if found is None or found.origin is None:
        return frozenset()
    sources = (Path(found.origin).parent / "models").glob("*.py")
    pattern = re.compile(rf"^{mark}\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
    return frozenset(name for source in sources for name in pattern.findall(source.read_text(encoding="utf-8")))
