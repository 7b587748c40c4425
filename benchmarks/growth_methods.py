"""The work of the other methods that has classes in it, at the sizes of `growth_classes.py`; `growth.py` measures it.

Each generator trains on 20,000 features of 256 channels in batches of 64, with networks of width 256 and without a guide, which
`growth_classes.py` has; DAZLE on regions; a backbone on small pictures, at least one of each seen class.
"""

from pathlib import Path

import torch

from benchmarks.growth_classes import (
    ATTRIBUTES,
    CHANNELS,
    CPU,
    TRAINING,
    Prepare,
    Work,
    made_up_classes,
    on_regions,
)
from scegg_core.classify.train import training_inputs
from scegg_core.dazle.embed import embed_by_dazle
from scegg_core.dazle.train import train_dazle
from scegg_core.eggn.data import seen_features
from scegg_core.eggn.generators import GENERATORS
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.regions.train import start, train_backbone
from scegg_core.regions.training_images import KeptImages
from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

WIDTH, SIDE = 256, 16  # of networks; of pictures, in pixels


def dazle(classes: int, folder: Path) -> Work:
    """Two steps of DAZLE on batches of 64 images of 7 × 7 × 2,048, and 128 images embedded."""
    index, store, words = on_regions(classes, folder)

    def work() -> None:
        trained = train_dazle(index, store, words, DazleSettings(epochs=1, batch_size=64), 0, CPU)
        embed_by_dazle(store, index.in_split("trainval"), trained.model, CPU)

    return work


def generator(name: str) -> Prepare:
    """A step of a generator without feedback and one with it, eight features of each unseen class, and what the final
    classifier sees of these and of the real ones."""
    widths = {"hidden_width": WIDTH, "embedding_size": WIDTH, "comparator_width": WIDTH, "projection_size": WIDTH // 4}
    settings = EggnSettings(generator=name, **widths)

    def prepare(classes: int, folder: Path) -> Work:
        index = made_up_classes(classes)
        data = seen_features(index, torch.rand(len(index.paths), CHANNELS, generator=torch.Generator().manual_seed(0)))

        def work() -> None:
            trainer = EggnTrainer(start_eggn(CHANNELS, ATTRIBUTES, settings, 0), data, None, settings, 0)
            for feedback in (False, True):
                trainer.iterate(feedback)
            networks = trainer.model.eval().requires_grad_(False)
            made = synthesize_unseen(index, networks, SynthesisSettings(per_class=8), 0, CPU)
            training_inputs(data.features, made.features, networks, ClassifierSettings(input="transformed"), 0, CPU)

        return work

    return prepare


def backbone(classes: int, folder: Path) -> Work:
    """An epoch of a backbone (ResNet-18 up to its first stage) on 20,000 pictures of 16 pixels, head over seen classes."""
    index = made_up_classes(classes)
    tuning = FinetuneSettings(epochs=1, batch_size=256, head="class", shift=0)
    settings = BackboneSettings(
        network="resnet18", weights="train", features_up_to="layer1", image_size=SIDE, finetune=tuning
    )
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (TRAINING, 3, SIDE, SIDE), generator=random, dtype=torch.uint8)
    labels = torch.from_numpy(index.labels[:TRAINING]).long()
    return lambda: train_backbone(start(settings, None), KeptImages(pictures), labels, settings, 0, CPU)


#: Title and preparation of each.
METHODS: dict[str, tuple[str, Prepare]] = {
    "dazle": ("two steps of DAZLE, 128 images embedded", dazle),
    **{name: (f"two steps of {name}, and its features", generator(name)) for name in GENERATORS},
    "backbone": ("an epoch of a backbone on classes", backbone),
}
