"""SCEN written down plainly, as the yardstick of the benchmarks: h (batch, channels, attributes) is built in full.

Everything in the order of the equations, autograd for every gradient, eager; this is how released codes of this family
compute. No layout that was tried is faster beyond noise (docs/benchmarks.md): with the attributes last, SC is one
large product of h as it lies, where an einsum per equation, on maps of (batch, channels, height, width) or of (batch,
R, channels), makes SC's linear layer copy h.
Weights have the names that scegg_core gives them, so that both sides of a comparison start from the same numbers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainScen(nn.Module):
    """Eqs. 1-5 with the weights of a scegg_core SCEN (copied)."""

    def __init__(self, weights: dict[str, Tensor]):
        super().__init__()
        given = {name: weight.detach().clone() for name, weight in weights.items()}
        self.class_vectors = given["local.class_vectors"]
        self.words = nn.Parameter(given["local.words"])
        self.attend = nn.Parameter(given["local.attend"])
        self.embed = nn.Parameter(given["local.embed"])
        self.reduce = _linear(given, "glob.compress.reduce")
        self.combine = _linear(given, "glob.compress.combine")
        self.classify = _linear(given, "glob.classify")

    def forward(self, regions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return p_l, p_g (batch, classes) and g (batch, channels) of regions (batch, R, channels)."""
        h = self.local_features(regions)
        semantic = (h * (self.embed @ self.words.T)).sum(dim=1)  # Eq. 2, keys first: the cheaper order
        local = semantic @ self.class_vectors.T  # Eq. 3
        feature = self.compress(h)
        return local, self.classify(feature), feature  # Eq. 5

    def local_features(self, regions: Tensor) -> Tensor:
        """Return h (batch, channels, attributes), Eq. 1."""
        regions = functional.normalize(regions.float(), dim=2)
        scores = functional.linear(regions, self.words @ self.attend)  # (batch, R, attributes)
        return torch.bmm(regions.transpose(1, 2), scores.softmax(dim=1))

    def compress(self, h: Tensor) -> Tensor:
        """Return g (batch, channels), Eq. 4."""
        hidden = functional.leaky_relu_(self.reduce(h), 0.01)
        return self.combine(hidden).squeeze(2)


class PlainScenSteps:
    """Optimizer steps of stages 1 and 2 (Eqs. 16, 17)."""

    def __init__(self, model: PlainScen, rate: float = 1e-4):
        self.model = model
        self.all = torch.optim.Adam(model.parameters(), rate)
        parts = (model.reduce, model.combine, model.classify)
        self.second = torch.optim.Adam([weight for part in parts for weight in part.parameters()], rate)

    def stage1(self, regions: Tensor, labels: Tensor) -> None:
        """Take one step of Eq. 16."""
        local, whole, _ = self.model(regions)
        loss = functional.cross_entropy(local, labels) + functional.cross_entropy(whole, labels)
        self.all.zero_grad()
        loss.backward()
        self.all.step()

    def stage2(self, regions: Tensor, labels: Tensor) -> None:
        """Take one step of Eq. 17; LEN is frozen by taking its parameters out of the graph."""
        for weight in (self.model.words, self.model.attend, self.model.embed):
            weight.requires_grad_(False)
        local, whole, _ = self.model(regions)
        loss = (local - whole).square().sum(dim=1).mean()
        self.second.zero_grad()
        loss.backward()
        self.second.step()
        for weight in (self.model.words, self.model.attend, self.model.embed):
            weight.requires_grad_(True)


def _linear(weights: dict[str, Tensor], name: str) -> nn.Linear:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer
