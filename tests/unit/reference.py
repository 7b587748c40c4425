"""The paper's Eqs. 1-18 written down plainly: one image at a time, h built in full, no fused products.

Independent of scegg_core and meant for float64: every function takes tensors, or networks' weights by name ("w").
Eq. 11's gradient is taken by autograd with create_graph, so its own gradient is a double backward pass.
"""

import torch
from torch import Tensor


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.maximum(x, torch.zeros_like(x)) + slope * torch.minimum(x, torch.zeros_like(x))


def unit(x: Tensor) -> Tensor:
    return x / (x * x).sum().sqrt()


def dense(w: dict, name: str, x: Tensor) -> Tensor:
    return torch.einsum("oi,i->o", w[f"{name}.weight"], x) + w[f"{name}.bias"]


def mean(values: list[Tensor]) -> Tensor:
    return sum(values) / len(values)


# --- SCEN, one image: regions (R, d_v), words v (A, d_a) ---


def local_features(regions: Tensor, words: Tensor, attend: Tensor) -> Tensor:
    """Eq. 1: h (A, d_v)."""
    rows = []
    for v in words:
        scores = torch.stack([torch.einsum("a,ad,d->", v, attend, r) for r in regions])
        weights = torch.exp(scores - scores.max().detach())
        weights = weights / weights.sum()
        rows.append(sum(weight * r for weight, r in zip(weights, regions, strict=True)))
    return torch.stack(rows)


def semantic_embedding(h: Tensor, embed: Tensor, words: Tensor) -> Tensor:
    """Eq. 2: e_l (A,)."""
    return torch.stack([torch.einsum("d,da,a->", h[n], embed, words[n]) for n in range(len(words))])


def local_scores(semantic: Tensor, class_vectors: Tensor) -> Tensor:
    """Eq. 3: p_l (classes,)."""
    return torch.stack([(semantic * vector).sum() for vector in class_vectors])


def compressed(h: Tensor, w: dict, name: str) -> Tensor:
    """Eq. 4: g (d_v,), the MLP over the attribute axis on each channel in turn."""
    channels = [
        dense(w, f"{name}.combine", leaky(dense(w, f"{name}.reduce", h[:, c]), 0.01)) for c in range(h.shape[1])
    ]
    return torch.cat(channels)


def global_scores(g: Tensor, w: dict, name: str) -> Tensor:
    """Eq. 5: p_g (classes,)."""
    return dense(w, name, g)


def scen(regions: Tensor, w: dict, class_vectors: Tensor) -> dict[str, Tensor]:
    """Eqs. 1-5 on a batch of raw regions (batch, R, d_v): every quantity by the paper's name."""
    images = []
    for image in regions:
        unit_regions = torch.stack([unit(r) for r in image])
        h = local_features(unit_regions, w["local.words"], w["local.attend"])
        e = semantic_embedding(h, w["local.embed"], w["local.words"])
        g = compressed(h, w, "glob.compress")
        images.append(
            {
                "h": h,
                "e_l": e,
                "p_l": local_scores(e, class_vectors),
                "g": g,
                "p_g": global_scores(g, w, "glob.classify"),
            }
        )
    return {name: torch.stack([image[name] for image in images]) for name in images[0]}


def cross_entropy(scores: Tensor, labels: Tensor, classes: list[int] | None = None) -> Tensor:
    """Eqs. 6, 7, 14, 15: minus the mean log probability of the label among `classes` (None: all)."""
    losses = []
    for row, label in zip(scores, labels.tolist(), strict=True):
        inside = row if classes is None else row[classes]
        losses.append(torch.log(torch.exp(inside - row[label]).sum()))
    return mean(losses)


def consistency(p_l: Tensor, p_g: Tensor) -> Tensor:
    """Eq. 8: L_SCR."""
    return mean([sum((a - b) ** 2 for a, b in zip(*rows, strict=True)) for rows in zip(p_l, p_g, strict=True)])


def stage1(regions: Tensor, labels: Tensor, w: dict, class_vectors: Tensor, lambda_g: float) -> Tensor:
    """Eq. 16."""
    found = scen(regions, w, class_vectors)
    return cross_entropy(found["p_l"], labels) + lambda_g * cross_entropy(found["p_g"], labels)


def stage2(regions: Tensor, w: dict, class_vectors: Tensor) -> Tensor:
    """Eq. 17."""
    found = scen(regions, w, class_vectors)
    return consistency(found["p_l"], found["p_g"])


# --- EGGN, one sample: g (d_v,), a (A,), z (latent,) ---


def encode(w: dict, g: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """E: mean and log variance of z."""
    hidden = leaky(dense(w, "encoder.hidden", torch.cat([g, a])), 0.2)
    hidden = leaky(dense(w, "encoder.narrow", hidden), 0.2)
    return dense(w, "encoder.mean", hidden), dense(w, "encoder.log_variance", hidden)


def generate(w: dict, z: Tensor, a: Tensor, strength: float | None) -> Tensor:
    """G: a feature; with `strength`, from the hidden layer corrected by F of Dec's constant hidden layer."""
    hidden = leaky(dense(w, "generator.hidden", torch.cat([z, a])), 0.2)
    feature = 1 / (1 + torch.exp(-dense(w, "generator.out", hidden)))
    if strength is None:
        return feature
    seen = leaky(dense(w, "decoder.hidden", feature), 0.2).detach()
    correction = leaky(dense(w, "feedback.second", leaky(dense(w, "feedback.first", seen), 0.2)), 0.2)
    return 1 / (1 + torch.exp(-dense(w, "generator.out", hidden + strength * correction)))


def criticize(w: dict, g: Tensor, a: Tensor) -> Tensor:
    """D: the score."""
    return dense(w, "critic.out", leaky(dense(w, "critic.hidden", torch.cat([g, a])), 0.2))[0]


def decode(w: dict, g: Tensor) -> Tensor:
    """Dec: the class vector, of unit length."""
    return unit(dense(w, "decoder.out", leaky(dense(w, "decoder.hidden", g), 0.2)))


def vae(w: dict, g: Tensor, a: Tensor, noise: Tensor, strength: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """Eq. 10 of one sample: KL, reconstruction, and the reconstructed feature."""
    mu, log_variance = encode(w, g, a)
    kl = sum(0.5 * (v.exp() + m**2 - 1 - v) for m, v in zip(mu, log_variance, strict=True))
    made = generate(w, mu + torch.sqrt(log_variance.exp()) * noise, a, strength)
    bce = -sum(x * torch.log(p) + (1 - x) * torch.log(1 - p) for x, p in zip(g, made, strict=True))
    return kl, bce, made


def penalty(w: dict, g: Tensor, made: Tensor, a: Tensor, tau: Tensor) -> Tensor:
    """The expectation's inside in Eq. 11's last term, by a double backward pass."""
    between = (tau * g + (1 - tau) * made).detach().requires_grad_()
    (slope,) = torch.autograd.grad(criticize(w, between, a), between, create_graph=True)
    return ((slope**2).sum().sqrt() - 1) ** 2


def wgan(w: dict, g: Tensor, made: Tensor, a: Tensor, tau: Tensor, lambda_: float) -> Tensor:
    """Eq. 11 on a batch; the critic maximizes it, E and G minimize it (the penalty sees constant features)."""
    real = mean([criticize(w, *row) for row in zip(g, a, strict=True)])
    fake = mean([criticize(w, *row) for row in zip(made, a, strict=True)])
    return real - fake - lambda_ * mean([penalty(w, *row) for row in zip(g, made, a, tau, strict=True)])


def decoding(w: dict, g: Tensor, a: Tensor) -> Tensor:
    """One of the two terms of Eq. 12."""
    return mean([(decode(w, x) - vector).abs().sum() for x, vector in zip(g, a, strict=True)])


def rescaled_scores(made: Tensor, low: Tensor, high: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """CLS_g of features scaled back from [0, 1] to [low, high]."""
    return torch.stack([torch.einsum("cd,d->c", weight, low + (high - low) * x) + bias for x in made])


def weighted_decoding(w: dict, g: Tensor, a: Tensor) -> Tensor:
    """TF-VAEGAN's form of a term of Eq. 12: absolute differences weighted by their squares over the norm."""
    differences = [decode(w, x) - vector for x, vector in zip(g, a, strict=True)]
    return mean([(d**2 / (d**2).sum().sqrt() * d.abs()).sum() for d in differences])


def basic_objective(
    w: dict, g: Tensor, a: Tensor, noise: Tensor, tau: Tensor, strength: float | None, lambdas: dict
) -> tuple[Tensor, Tensor]:
    """Eq. 9 on a batch: L_VG and the reconstructed features; `lambdas` by the paper's names ("" is Eq. 11's)."""
    kl, bce, made = zip(*[vae(w, *row, strength) for row in zip(g, a, noise, strict=True)], strict=True)
    made = torch.stack(made)
    rec = decoding(w, g, a) + decoding(w, made, a)
    loss = mean(kl) + mean(bce) + lambdas["w"] * wgan(w, g, made, a, tau, lambdas[""]) + lambdas["r"] * rec
    return loss, made


def guided_synthesis(seen: tuple[Tensor, Tensor], unseen: tuple[Tensor, Tensor], lambdas: dict) -> Tensor:
    """Eq. 13 of (scores, labels) of synthetic seen features (Eq. 14) and unseen ones (Eq. 15)."""
    return lambdas["s"] * cross_entropy(*seen) + lambdas["u"] * cross_entropy(*unseen)
