"""Packages that the steps need, and what to do about those that are missing. Needs Python alone."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Package:
    """A package: the name it is imported by, the names of the wheels that bring it."""

    module: str
    wheels: tuple[str, ...]


#: Without these no module of scegg_core that trains can be imported. Wheels are those of Python 3.12 on x86-64 Linux.
CORE = (
    Package("numpy", ("numpy",)),
    Package("safetensors", ("safetensors",)),
    Package("tqdm", ("tqdm",)),
    Package("threadpoolctl", ("threadpoolctl",)),
    Package("pydantic", ("pydantic", "pydantic-core", "annotated-types", "typing-inspection", "typing-extensions")),
    Package("pyarrow", ("pyarrow",)),
)
#: What pictures and the backbone need besides.
PICTURES = (*CORE, Package("PIL", ("pillow",)), Package("torchvision", ("torchvision",)))


def missing(packages: tuple[Package, ...]) -> list[Package]:
    """Return those of `packages` that cannot be imported here."""
    return [package for package in packages if not _is_there(package.module)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # there, but not as a module
        return False


def said_of(packages: list[Package]) -> str:
    """Return the sentence on missing packages: what to install."""
    names = ", ".join(package.module for package in packages)
    wheels = " ".join(wheel for package in packages for wheel in package.wheels)
    return f"{names} cannot be imported here; install the wheels {wheels} (the versions of envs/requirements.txt)."
