"""A step of FREE, CE-GZSL, CADA-VAE and DAZLE written down plainly, as `plain_gans.py` has the others."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.plain_gans import PlainClswgan, PlainLisGan, PlainSteps, PlainVaegan, PlainVaeganD2
from scegg_core.dazle.train import DazleTrainer
from scegg_core.eggn.train import EggnTrainer


class PlainFree(PlainVaegan):
    """FREE: f-VAEGAN beside FR, which learns from each of the critic's batches, and in G's step."""

    trained = ("encoder", "generator", "refiner")

    def real_step(self, feature: Tensor, vector: Tensor, labels: Tensor) -> None:
        """Train FR and the centres."""
        self.train_only("refiner", "centers")
        mean, decoded = self.refine(feature)
        loss = self.settings.center_weight * self.margin_loss(mean, self.places[labels])
        self.update(loss + self.settings.decoder_weight * self.distance(decoded, vector), "refiner", "centers")

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return f-VAEGAN's loss and L_R of made features."""
        loss, made = self.reconstruct(feature, vector)
        cycle = self.distance(self.refine(made)[1], vector)
        return loss + self.adversarial(made, vector) + self.settings.decoder_weight * cycle

    def refine(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Return FR's means and the class vectors drawn of its Gaussians."""
        mean, spread = self.model.refiner.out(self.model.refiner.embed(feature)).chunk(2, dim=1)
        noise = self.draws.normal(len(feature), mean.shape[1])
        return mean, (mean + spread.sigmoid() * noise).sigmoid()

    def distance(self, decoded: Tensor, vector: Tensor) -> Tensor:
        """Return the L1 distance, or TF-VAEGAN's weighted one."""
        difference = decoded - vector
        if self.settings.decoder_loss == "l1":
            return difference.abs().sum() / len(vector)
        weights = difference.square() / difference.square().sum(dim=1, keepdim=True).sqrt()
        return (weights * difference.abs()).sum() / len(vector)

    def margin_loss(self, mean: Tensor, places: Tensor) -> Tensor:
        """Return L_SAMC against another centre: the nearest, or one drawn for each image."""
        centers = self.networks["centers"].weight
        squares = mean.square().sum(dim=1, keepdim=True) + centers.square().sum(dim=1)
        distances = squares - 2 * mean @ centers.T
        own = functional.one_hot(places, len(centers)).bool()
        if self.settings.other_center == "nearest":
            other = distances.masked_fill(own, torch.inf).amin(dim=1)
        else:
            other = distances.gather(1, torch.randint_like(places, len(centers))[:, None]).squeeze(1)
        share = self.settings.center_share
        margin = self.settings.center_margin + share * distances[own] - (1 - share) * other
        return margin.clamp_min(0).mean()


class PlainCeGzsl(PlainClswgan):
    """CE-GZSL: beside D, E, H and F learn from real features; [h, a] of all pairs of images and seen classes is built."""

    def __init__(self, trainer: EggnTrainer):
        super().__init__(trainer)
        self.seen_vectors = self.data.vectors[self.data.seen]

    def real_step(self, feature: Tensor, vector: Tensor, labels: Tensor) -> None:
        """Train E, H and F."""
        self.train_only("embedding", "comparator")
        hidden, projected = self.embed(feature)
        loss = self.instance_loss(projected, labels) + self.class_loss(hidden, labels)
        self.update(loss, "embedding", "comparator")

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return G's part of L_WGAN and both contrastive losses of made features."""
        made = self.prior(vector)
        hidden, projected = self.embed(made)
        together = torch.cat([projected, self.embed(feature)[1].detach()])
        loss = self.adversarial(made, vector)
        loss = loss + self.settings.instance_weight * self.instance_loss(together, torch.cat([labels, labels]))
        return loss + self.settings.class_weight * self.class_loss(hidden, labels)

    def embed(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Return h and its projection of unit length."""
        hidden = self.model.embedding.hidden(feature).relu()
        return hidden, functional.normalize(self.model.embedding.out(hidden), dim=1)

    def instance_loss(self, projected: Tensor, labels: Tensor) -> Tensor:
        """Return the instance-level loss as the paper writes it, or as its code has it."""
        scores = projected @ projected.T / self.settings.instance_temperature
        scores = scores - scores.max(dim=1, keepdim=True).values.detach()
        same = labels[:, None] == labels
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        positive, powers = (same & ~itself).to(scores.dtype), scores.exp()
        if self.settings.contrast == "all_others":
            whole = (powers * ~itself).sum(dim=1, keepdim=True)
        else:
            whole = powers + (powers * ~same).sum(dim=1, keepdim=True)
        count = positive.sum(dim=1)
        pairs = (positive * (whole.log() - scores)).sum(dim=1)[count > 0]
        return (pairs / count[count > 0]).sum() / max(1, len(pairs))

    def class_loss(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """Return the class-level loss: F of every image with every seen class."""
        images, classes = len(hidden), len(self.seen_vectors)
        pairs = torch.cat(
            [hidden.repeat_interleave(classes, dim=0), self.seen_vectors.repeat(images, 1)], dim=1
        )  # (images * classes, size + attributes)
        compare = self.model.comparator
        weight = torch.cat([compare.hidden.weight, compare.vector.weight], dim=1)
        inner = functional.leaky_relu(functional.linear(pairs, weight, compare.hidden.bias), 0.2)
        scores = compare.out(inner).unflatten(0, (images, classes)).squeeze(2)
        return functional.cross_entropy(scores / self.settings.class_temperature, self.places[labels])


class PlainCadaVae(PlainSteps):
    """CADA-VAE: each decoder on each z in a pass of its own."""

    def __init__(self, trainer: EggnTrainer):
        super().__init__(trainer)
        weights = trainer.generator.weights()
        self.weights = weights.kl, weights.cross, weights.alignment

    def iterate(self) -> None:
        """Take one step of all four networks."""
        feature, vector, _ = self.draws.images()
        self.update(self.loss(feature, vector), *self.adam)

    def loss(self, feature: Tensor, vector: Tensor) -> Tensor:
        """Return all four terms, weighted as in the trainer's step."""
        model = self.model
        image, other = model.image_encoder(feature), model.vector_encoder(vector)
        z, y = (self.sample(latent.mean, latent.log_variance) for latent in (image, other))
        own = (model.image_decoder(z) - feature).abs().sum() + (model.vector_decoder(y) - vector).abs().sum()
        cross = (model.image_decoder(y) - feature).abs().sum() + (model.vector_decoder(z) - vector).abs().sum()
        kl = sum(
            0.5 * (latent.log_variance.exp() + latent.mean.square() - 1 - latent.log_variance).sum()
            for latent in (image, other)
        )
        spread = (image.log_variance.exp().sqrt() - other.log_variance.exp().sqrt()).square().sum(dim=1)
        apart = ((image.mean - other.mean).square().sum(dim=1) + spread).sqrt().sum()
        beta, gamma, delta = self.weights
        return (own + beta * kl + gamma * cross + delta * apart) / len(feature)

    def sample(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Return a drawn z."""
        return mean + (0.5 * log_variance).exp() * self.draws.normal(*mean.shape)


class PlainDazle(nn.Module):
    """DAZLE's step on region features: h (batch, attributes, channels) and all products of scores and a(c) are built."""

    def __init__(self, trainer: DazleTrainer):
        super().__init__()
        given = {name: weight.detach().clone() for name, weight in trainer.model.state_dict().items()}
        self.class_vectors, self.seen, self.settings = given["class_vectors"], trainer.seen, trainer.settings
        self.words, self.attend, self.embed, self.weigh = (
            nn.Parameter(given[name]) for name in ("words", "attend", "embed", "weigh")
        )
        self.optimizer = torch.optim.RMSprop(
            self.parameters(),
            self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            momentum=self.settings.momentum,
        )

    def step(self, regions: Tensor, labels: Tensor) -> None:
        """Take one step of both losses, all classes in the softmax of the first."""
        scores = self(regions)
        shifted = scores + self.settings.margin * torch.where(self.seen, -1.0, 1.0).to(scores.dtype)
        unseen = shifted.softmax(dim=1)[:, ~self.seen].sum(dim=1)
        loss = functional.cross_entropy(scores, labels) - self.settings.calibration_weight * unseen.log().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def forward(self, regions: Tensor) -> Tensor:
        """Return the class scores (batch, classes) of regions (batch, R, channels)."""
        regions = functional.normalize(regions.to(self.words.dtype), dim=2)
        shown = functional.linear(regions, self.words @ self.embed.T)  # (batch, R, attributes)
        attention = functional.linear(regions, self.words @ self.attend).softmax(dim=1)
        h = torch.bmm(attention.transpose(1, 2), regions)  # (batch, attributes, channels)
        weights = (h * (self.words @ self.weigh)).sum(dim=2).sigmoid()
        semantic = weights * (attention * shown).sum(dim=1)
        return (semantic[:, None] * self.class_vectors).sum(dim=2)  # from (batch, classes, attributes)


PLAIN: dict[str, type[PlainSteps]] = {
    "f-clswgan": PlainClswgan,
    "lisgan": PlainLisGan,
    "f-vaegan": PlainVaegan,
    "f-vaegan-d2": PlainVaeganD2,
    "free": PlainFree,
    "ce-gzsl": PlainCeGzsl,
    "cada-vae": PlainCadaVae,
}
