"""Training of SCEN: stage 1 with the cross-entropies (Eq. 16), stage 2 with semantic consistency (Eq. 17)."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from scegg_core.data.tables import DatasetIndex
from scegg_core.regions.batches import GIB, ResidentBatches, StreamedBatches, on_device, room_on
from scegg_core.regions.store import RegionStore
from scegg_core.scen import losses
from scegg_core.scen.compression import uprightness
from scegg_core.scen.model import SCEN, part_averaging
from scegg_core.scen.stages import Stage, StagedTrainer, device_of, training_batches
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.alarms import warn
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import moved, seeded

ORIENTATION_STEPS = 16  # batches from which the sign of g is determined


@dataclass(frozen=True)
class TrainedScen:
    """SCEN in evaluation mode and the losses it was trained with."""

    model: SCEN
    curve: Curve


class ScenTrainer(StagedTrainer):
    """Runs both stages over batches of region features."""

    name = "SCEN stage"

    def __init__(
        self,
        model: SCEN,
        batches: ResidentBatches | StreamedBatches,
        seen: Tensor,
        settings: ScenSettings,
        checkpoint: Checkpoint | None = None,
    ):
        """`seen` (classes,) bool; `model` is already on the device that it is trained on."""
        self.model, self.batches, self.settings = model, batches, settings
        self.seen = seen.to(device_of(model))
        self.classes = self.seen if settings.softmax_classes == "seen" else None
        self.attended: tuple[Tensor, ...] | None = None  # what `remember` keeps
        stages = self._stages()
        super().__init__(model, batches, stages, [make_optimizer(stage, settings) for stage in stages], checkpoint)

    def run(self) -> TrainedScen:
        """Train to the end, from the checkpoint if there is one."""
        self.state.restore()
        begin = 0
        for stage, optimizer in zip(self.stages, self.optimizers, strict=True):
            if stage.name == "2" and self.state.step == begin and self.model.glob.by_mean:
                self._scale_features()
            if stage.name == "2" and stage.steps > self.batches.steps and self.state.step < begin + stage.steps:
                self.remember()  # in less than two epochs it would save nothing
            self.run_stage(stage, optimizer, begin)
            begin += stage.steps
        self._orient()
        return TrainedScen(self.model.eval().requires_grad_(False), self.state.curve)

    @torch.no_grad()
    def remember(self) -> None:
        """Keep LEN's attention and e_l of all images, which stage 2 leaves as they are, where the budget has room for them."""
        local, batches, device = self.model.local, self.batches, device_of(self.model)
        size = batches.features.shape if isinstance(batches, ResidentBatches) else (0, 0, 0)
        need = attention_bytes(*size, len(local.words), self.settings.memory_budget)
        if not need:
            return
        place, kept, done = device if need <= room_on(device) else torch.device("cpu"), None, 0
        for regions, _ in on_device(batches.scan(), device):
            parts = local.attend_and_embed(self.model.prepare(regions))
            # filled in place: to join all parts would need the memory twice
            kept = kept or tuple(part.new_empty(size[0], *part.shape[1:], device=place) for part in parts)
            for whole, part in zip(kept, parts, strict=True):
                whole[done : done + len(regions)] = part
            done += len(regions)
        self.attended, self.batches = kept, batches.numbered()

    @torch.no_grad()
    def _scale_features(self) -> None:
        """Fit the scaling of g in CLS_g to the training images, after stage 1."""
        features = []
        for regions, _ in on_device(self.batches.scan(), device_of(self.model)):
            regions = self.model.prepare(regions)
            features.append(self.model.glob.feature(self.model.local.attention(regions), regions))
        self.model.glob.scale_to(torch.cat(features))

    @torch.no_grad()
    def _orient(self) -> None:
        """Give g the sign of the mean of its regions.

        Eqs. 6-8 stay the same if SC and CLS_g both change sign, so training ends with either sign. Stage 3 does not:
        features after ReLU are mostly near 0, and so is g scaled to [0, 1]; with the other sign it is mostly near 1.
        """
        # ASSUME: g has the sign of its regions' mean; the paper says nothing of SC's sign.
        gen = self.model.glob
        if gen.by_mean:
            return
        features, pooled = [], []
        for regions, _ in on_device(islice(self.batches.epoch(0), ORIENTATION_STEPS), device_of(self.model)):
            regions = self.model.prepare(regions)
            features.append(gen.compress(self.model.local.attention(regions), regions))
            pooled.append(regions.mean(dim=1, dtype=features[-1].dtype))
        if uprightness(torch.cat(features), torch.cat(pooled)) < 0:
            gen.turn_over()

    def _stages(self) -> tuple[Stage, Stage]:
        settings, steps, gen = self.settings, self.batches.steps, self.model.glob
        everything = [weight for weight in self.model.parameters() if weight.requires_grad]
        second = gen.classify if settings.stage2_updates == "classifier" else gen
        return (
            Stage(
                "1",
                settings.stage1_steps or settings.stage1_epochs * steps,
                settings.learning_rate,
                everything,
                (self.model.local.attend,),
            ),
            Stage(
                "2",
                settings.stage2_steps or settings.stage2_epochs * steps,
                settings.stage2_learning_rate or settings.learning_rate,
                list(second.parameters()),
            ),
        )

    def losses(self, stage: Stage, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the stage's loss on one batch and its terms by name."""
        return self._first_losses(regions, labels) if stage.name == "1" else self._second_losses(regions, labels)

    def _first_losses(self, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 16: L_LCE + lambda_g L_GCE."""
        settings = self.settings
        local, global_ = self.model(regions, first_stage=True)
        terms = {
            "L_LCE": losses.class_cross_entropy(local.scores, labels, self.classes),
            "L_GCE": losses.class_cross_entropy(global_.scores, labels, self.classes),
        }
        weights = {"L_LCE": settings.local_weight, "L_GCE": settings.global_weight}
        if settings.calibration_weight:
            terms["L_cal"] = losses.self_calibration(local.scores, self.seen)
            weights["L_cal"] = settings.calibration_weight
        loss = sum(weight * terms[name] for name, weight in weights.items())
        # A term that is not minimized would stand in the curve as one that does not fall.
        return loss, {name: term for name, term in terms.items() if weights[name]}

    def _second_losses(self, regions: Tensor, beside: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 17: L_SCR, LEN frozen; `beside` are the images' numbers where LEN's output is remembered."""
        local = self.model.local
        with torch.no_grad():
            regions = self.model.prepare(regions)
            known = self._remembered(beside) if self.attended else local.attend_and_embed(regions)
            attention, scores = known[0], local.class_scores(known[1])
        global_scores = self.model.glob(attention, regions).scores
        loss = losses.semantic_consistency(scores, global_scores)
        if self.settings.stage2_reduction == "mean":
            loss = loss / scores.shape[1]
        return loss, {"L_SCR": loss}

    def _remembered(self, images: Tensor) -> list[Tensor]:
        """Attention and e_l of the images with these numbers, on their device."""
        return [moved(of_all[images.to(of_all.device)], images.device) for of_all in self.attended]


def attention_bytes(images: int, regions: int, channels: int, attributes: int, budget: float) -> int:
    """Return the bytes of attention on resident maps of `images` that stage 2 keeps, 0 where it keeps none.

    It does where attention takes no more than the maps, and `budget` GiB have room for both. What a GPU has free decides
    only where it is kept: last digits depend on whether it is.
    """
    maps, attention = 2 * images * regions * channels, 4 * images * regions * attributes
    return attention if attention <= maps and maps + attention <= budget * GIB else 0


def start_scen(
    words: Tensor,
    class_vectors: Tensor,
    channels: int,
    settings: ScenSettings,
    seed: int,
    averaging: Tensor | None = None,
) -> SCEN:
    """Return an untrained SCEN whose initial weights depend on `seed` alone; the other arguments are those of SCEN."""
    with seeded(seed):
        return SCEN(words, class_vectors, channels, settings, averaging)


def make_optimizer(stage: Stage, settings: ScenSettings) -> torch.optim.Optimizer:
    """Return the optimizer of one stage."""
    groups = stage.groups(settings.attention_rate)
    if settings.optimizer == "adam":
        return torch.optim.Adam(groups, weight_decay=settings.weight_decay, fused=True)
    return torch.optim.RMSprop(groups, weight_decay=settings.weight_decay, momentum=settings.momentum)


def train_scen(
    index: DatasetIndex,
    store: RegionStore,
    words: np.ndarray,
    settings: ScenSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedScen:
    """Return SCEN trained on the trainval images of `index`; `words` (attributes, size) are the attribute vectors."""
    batches = training_batches(index, store, settings, seed, device, "scen")
    vectors = torch.from_numpy(index.vectors)
    averaging = part_averaging(index.parts) if settings.attention_words == "part" else None
    model = start_scen(torch.tensor(words), vectors, store.size.channels, settings, seed, averaging).to(device)
    trained = ScenTrainer(model, batches, torch.from_numpy(index.seen), settings, checkpoint).run()
    warn(trained.curve.points)
    return trained
