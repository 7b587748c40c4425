"""Which settings of stage 3 change what a generator learns: those that settings/readers.py says it reads, and no others."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trainers import SMALL, random

from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.generators import GENERATORS
from scegg_core.eggn.train import train_eggn
from scegg_core.errors import InputError
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.readers import GUIDANCE, KNOWN, READERS, reads, reads_on
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import seeded

CPU = torch.device("cpu")
#: Small ones, and such that each part of a loss counts from the first step.
USUAL = EggnSettings(
    **{**SMALL, "hidden_width": 8, "latent_size": 3, "batch_size": 9, "epochs": 1, "critic_steps": 1, "learning_rate": 1e-2},
    **{"decoder_learning_rate": 1e-2, "feedback_learning_rate": 1e-2, "embedding_learning_rate": 1e-2, "warm_up": 0.03},
    **{"soul_samples": 2, "soul_made": 2, "center_margin": 1.0, "center_share": 0.5},
)  # fmt: skip
#: Another value of each setting that is not a number or a flag.
OTHER = {
    "sampling": "class_balanced",
    "decoder_loss": "weighted_l1",
    "guidance_classes": "seen_unseen",
    "seen_path": "synthesis",
    "critic_path": "synthesis",
    "precision": "bfloat16",
    "contrast": "all_others",
    "other_center": "nearest",
    "classification_weight": 0.5,
}
#: What does not say what is learned: the generator itself, how a GPU is asked, how many epochs are kept.
LEFT_OUT = ("generator", "cuda_graphs", "snapshots")
SETTINGS = [name for name in asdict(USUAL) if name not in LEFT_OUT]


def space(kind: str) -> Space:
    """9 images of three seen classes, and an unseen one."""
    index = DatasetIndex(
        classes=tuple("abcd"),
        seen=np.array([True, True, True, False]),
        percent=(100 * random(4, 4, seed=3).sigmoid()).numpy(),
        attributes=tuple("wxyz"),
        words=tuple("wxyz"),
        parts=("",) * 4,
        paths=tuple(f"{number}.jpg" for number in range(9)),
        labels=np.arange(9, dtype=np.int32) % 3,
        split=("trainval",) * 9,
        rows=np.arange(9, dtype=np.int32),
    )
    with seeded(9):
        scen = SimpleNamespace(glob=SimpleNamespace(classify=torch.nn.Linear(6, 4)))
    scaler = MinMaxScaler(torch.zeros(6), torch.ones(6))
    return Space(index, random(9, 6, seed=2).sigmoid(), scaler, scen if kind == "scen" else None)


def learned(kind: str, settings: EggnSettings) -> dict[str, torch.Tensor]:
    return train_eggn(space(kind), settings, 1, CPU)[0].state_dict()


def other(name: str, value):
    """A value of a setting that is not `value`."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2


def changes(kind: str, settings: EggnSettings, before: dict[str, torch.Tensor], name: str) -> bool:
    """Whether another value of a setting changes what is learned; where it is refused it does not."""
    try:
        after = learned(kind, replace(settings, **{name: other(name, getattr(settings, name))}))
    except InputError:
        return False
    return any(before[key].shape != after[key].shape or not torch.equal(before[key], after[key]) for key in before)


KNOWN_ONES = pytest.mark.parametrize("generator", sorted(KNOWN))


def test_every_generator_and_setting_that_is_named_is_there():
    assert set(GENERATORS) >= KNOWN
    assert set(READERS) < set(SETTINGS)


def of(generator: str, **further) -> EggnSettings:
    """The usual settings of a generator, guided where it can be."""
    guided = {} if reads(generator, "seen_guidance") else {"seen_guidance": 0.0, "unseen_guidance": 0.0}
    return replace(USUAL, generator=generator, **guided, **further)


@pytest.mark.slow
@KNOWN_ONES
def test_settings_that_a_generator_reads_change_what_it_learns_and_others_do_not(generator):
    settings = of(generator)
    before = learned("scen", settings)
    found = {name for name in SETTINGS if changes("scen", settings, before, name)}
    assert found == {name for name in SETTINGS if reads(generator, name)}


@KNOWN_ONES
def test_without_scen_guidance_changes_nothing_but_beside_a_classifier_of_the_generators_own(generator):
    own = 0.5 if reads(generator, "classification_weight") else 0.0
    settings = of(generator, classification_weight=own)
    before = learned("backbone", settings)
    found = {name for name in GUIDANCE if changes("backbone", settings, before, name)}
    assert (
        found
        == {name for name in GUIDANCE if reads_on("backbone", generator, name)}
        == ({"seen_path"} if own else set())
    )


@KNOWN_ONES
def test_feedback_while_synthesizing_is_read_by_who_has_it(generator):
    model, _ = train_eggn(space("scen"), of(generator), 1, CPU)
    one, half = (
        model.synthesize(random(5, model.latent), random(5, 4, seed=1), SynthesisSettings(feedback_strength=strength))
        for strength in (1.0, 0.5)
    )
    assert torch.equal(one, half) is not reads(generator, "feedback_strength")
