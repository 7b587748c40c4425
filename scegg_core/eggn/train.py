"""Training of EGGN, stage 3 (Eqs. 9-15, 18), or of another method: epochs of the generator's steps, whichever it is.

What a step computes is the generator's (`generators/`); here are its random numbers, optimizers, epochs and checkpoint.
Everything lies on the device. What the critic's steps share is computed once: the features of all their batches come
from one pass through the networks, and a critic step is three products (`Critic.compare`).
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from scegg_core.eggn.cuda_graph import GraphedStep
from scegg_core.eggn.data import SeenFeatures, seen_features
from scegg_core.eggn.draws import Draws
from scegg_core.eggn.generators import GENERATORS, NETWORKS
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import Networks
from scegg_core.scen.space import Space
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.alarms import warn
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import apply_gradients, seeded
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState


def train_eggn(
    space: Space,
    settings: EggnSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[int, Networks], None] | None = None,
) -> tuple[Networks, Curve]:
    """Return the networks trained on the space's training features, and its curve; `on_epoch` sees each epoch's model."""
    data = seen_features(space.index, space.features).to(device)
    eggn = start_eggn(data.features.shape[1], data.vectors.shape[1], settings, seed).to(device)
    guide = GENERATORS[settings.generator].guide_of(space, data, settings, seed)
    curve = EggnTrainer(eggn, data, guide, settings, seed, checkpoint).run(on_epoch=on_epoch)
    warn(curve.points)
    return eggn.eval().requires_grad_(False), curve


def start_eggn(channels: int, attributes: int, settings: EggnSettings, seed: int) -> Networks:
    """Return untrained networks whose start depends on `seed` alone."""
    with seeded(seed):
        return NETWORKS[settings.generator](channels, attributes, settings)


class EggnTrainer:
    """Runs stage 3; can be stopped and continued between any two generator steps."""

    def __init__(
        self,
        model: Networks,
        data: SeenFeatures,
        guide: Guide | None,
        settings: EggnSettings,
        seed: int,
        checkpoint: Checkpoint | None = None,
    ):
        """`guide` is None where the space has no classifier of its own (baseline): then L_EGS is left out."""
        self.model, self.settings, self.device = model, settings, data.features.device
        self.random = torch.Generator(self.device).manual_seed(seed)
        self.draws = Draws(data, settings, model.latent, self.random)
        self.generator = GENERATORS[settings.generator](model, guide, settings, self.draws, self.update)
        self.graphed = settings.cuda_graphs and self.device.type == "cuda"
        self.optimizers = self._optimizers()
        self.state = TrainingState(self._parts(), self.device, checkpoint)
        self.steps_per_pass = -(-len(data.features) // settings.batch_size)
        self.iterations = [partial(self._iterate, feedback) for feedback in (False, True)]
        if self.graphed:
            self.iterations = [GraphedStep(iteration, self.random) for iteration in self.iterations]

    @property
    def steps_per_epoch(self) -> int:
        """Return the generator steps of an epoch: a pass without feedback and one with it."""
        return 2 * self.steps_per_pass

    def run(self, epochs: int | None = None, on_epoch: Callable[[int, Networks], None] | None = None) -> Curve:
        """Train up to `epochs` (default: all), from the checkpoint if there is one; return the curve.

        `on_epoch` is called with the number and the model of each epoch that ends.
        """
        state = self.state
        state.restore()
        last = (epochs or self.settings.epochs) * self.steps_per_epoch
        with bar(last, "EGGN", initial=state.step) as progress:
            while state.step < last:
                feedback = state.step % self.steps_per_epoch >= self.steps_per_pass
                state.add_step(self.iterate(feedback))
                progress.update()
                epoch, begun = divmod(state.step, self.steps_per_epoch)
                if not begun:
                    state.end_epoch("3", epoch)
                    if on_epoch:
                        on_epoch(epoch, self.model)
                if state.step < last:
                    state.save_if_due()
        return state.curve

    def iterate(self, feedback: bool) -> dict[str, Tensor]:
        """Take one step of the generator, with all that belongs to it; return its terms by name."""
        return self.iterations[feedback and self.generator.has_feedback]()

    def _iterate(self, feedback: bool) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            return self.generator.step(feedback)

    def update(self, loss: Tensor, networks: Sequence[str]) -> None:
        """Take one step down `loss` with the optimizers of `networks`; a weight without gradient stays as it is."""
        weights = {name: list(self.network(name).parameters()) for name in networks}
        gradients = iter(
            torch.autograd.grad(loss, [weight for own in weights.values() for weight in own], allow_unused=True)
        )
        for name, own in weights.items():
            apply_gradients(self.optimizers[name], own, [next(gradients) for _ in own])
        # Autocast keeps the bfloat16 copy of a weight until its block ends, here after a whole iteration; steps that
        # follow in it would compute with the weights of before. CUDA graphs bear this call: it computes nothing, and as
        # the block begins within the iteration, no copy from before the capture can get into what is captured.
        torch.clear_autocast_cache()

    def network(self, name: str) -> nn.Module:
        """Return the network called `name`: the model's, or one that the generator has for training alone."""
        own = self.generator.own
        return own[name] if name in own else getattr(self.model, name)

    def _optimizers(self) -> dict[str, torch.optim.Adam]:
        return {
            name: torch.optim.Adam(
                self.network(name).parameters(),
                adam.rate,
                betas=(adam.beta1, 0.999),
                fused=True,
                capturable=self.graphed,
            )
            for name, adam in self.generator.optimizers(self.settings).items()
        }

    def _parts(self) -> dict:
        optimizers = {f"optimizer of {name}": optimizer for name, optimizer in self.optimizers.items()}
        return {
            "model": self.model,
            "random": self.random,
            **self.generator.own,
            **self.generator.tensors(),
            **optimizers,
        }
