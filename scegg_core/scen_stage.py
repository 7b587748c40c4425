"""Stages 1 and 2 on a data set: its training images' regions into a trained SCEN."""

import numpy as np
import torch

from scegg_core.batches import region_batches
from scegg_core.data.tables import DatasetIndex
from scegg_core.models.scen import part_shares
from scegg_core.regions import RegionStore
from scegg_core.settings.scen import ScenSettings
from scegg_core.train_scen import ScenTrainer, TrainedScen, start_scen
from scegg_core.training import Checkpoint


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
    training = index.in_split("trainval")
    batches = region_batches(
        store,
        index.rows[training],
        index.labels[training],
        settings.batch_size,
        seed,
        settings.memory_budget,
        settings.sampling == "class_balanced",
        device,
    )
    vectors = torch.from_numpy(index.vectors)
    share = part_shares(index.parts) if settings.attention_words == "part" else None
    model = start_scen(torch.tensor(words), vectors, store.size.channels, settings, seed, share).to(device)
    return ScenTrainer(model, batches, torch.from_numpy(index.seen), settings, checkpoint).run()
