"""Networks for tests without torchvision's own random start, which takes seconds for the large ones."""

import pytest
from torch import nn

from scegg_core.regions.vision import import_torchvision

import_torchvision()
from torchvision import models  # noqa: E402

#: Layers of more weights are heads, which no map needs: their numbers are whatever lies in memory.
LARGEST = 10_000_000


@pytest.fixture
def without_start(monkeypatch) -> list[nn.Module]:
    """Networks are made without a random start, and their memory costs nothing; the list that they will be in."""
    for module in (nn.init, nn.modules.activation):
        for name in [name for name in dir(module) if name.endswith("_") and not name.startswith("_")]:
            monkeypatch.setattr(module, name, lambda tensor, *_, **__: tensor)
    made, get_model = [], models.get_model
    monkeypatch.setattr(
        models, "get_model", lambda *given, **values: made.append(get_model(*given, **values)) or made[-1]
    )
    return made


@pytest.fixture
def quick_start(without_start, monkeypatch) -> None:
    """Networks start with even numbers of the usual sizes, which are drawn much faster than normal ones."""
    get_model = models.get_model

    def make(*given, **values) -> nn.Module:
        network = get_model(*given, **values)
        for name, value in network.named_parameters():
            if value.numel() <= LARGEST:
                _start(name, value.data)
        return network

    monkeypatch.setattr(models, "get_model", make)


def _start(name: str, value) -> None:
    if name.endswith("bias"):
        value.uniform_(-0.1, 0.1)
    elif value.ndim == 1:  # of a normalization
        value.uniform_(0.5, 1.5)
    else:  # what comes out is as large as what goes in
        value.uniform_(-1, 1).mul_((3 / value[0].numel()) ** 0.5)
