"""The final classifier: one fully connected layer over g, or over [g, Dec(g), Dec's hidden layer] (section 3.3)."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class ZeroShotClassifier:
    """A linear layer and the classes (rows of the class table) that its outputs stand for."""

    layer: nn.Linear
    classes: Tensor  # (outputs,) int64

    def scores(self, inputs: Tensor) -> Tensor:
        """Return scores (batch, outputs)."""
        return self.layer(inputs)


def linear_of(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Return a linear layer with the given weight (outputs, inputs) and bias (outputs,)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # no start to draw
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer.requires_grad_(False)
