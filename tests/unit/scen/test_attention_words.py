"""The two settings of LEN's attribute vectors that the paper does not have: centred vectors, attention by body part."""

import torch

from scegg_core.artifacts.files import Provenance
from scegg_core.scen.files import read_scen, write_scen
from scegg_core.scen.model import normalized_words, part_averaging
from scegg_core.scen.train import start_scen
from scegg_core.settings.scen import ScenSettings

PARTS = ("wing", "", "wing", "")


def started(averaging=None, **settings):
    generator = torch.Generator().manual_seed(0)
    words, vectors = torch.randn(4, 3, generator=generator), torch.rand(5, 4, generator=generator)
    return start_scen(words, vectors, 6, ScenSettings(**settings), 0, averaging)


def test_words_of_each_norm():
    words = torch.tensor([[3.0, 0.0], [0.0, 5.0]])
    assert torch.equal(normalized_words(words, "none"), words)
    assert torch.equal(normalized_words(words, "l2"), torch.eye(2))
    half = 0.5**0.5
    assert torch.allclose(normalized_words(words, "centered"), torch.tensor([[half, -half], [-half, half]]))


def test_an_attribute_shares_with_those_of_its_part_and_one_without_part_with_none():
    assert part_averaging(PARTS).tolist() == [[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 1]]


def test_attributes_of_a_part_look_at_the_same_regions_but_read_different_things():
    regions = torch.randn(2, 7, 6, generator=torch.Generator().manual_seed(1))
    own, shared = started(), started(part_averaging(PARTS))
    local = shared.local(regions)
    assert torch.equal(local.attention[..., 0], local.attention[..., 2])
    assert not torch.allclose(local.attention[..., 1], local.attention[..., 3])
    assert not torch.allclose(local.semantic[:, 0], local.semantic[:, 2])
    # Eq. 1 with the mean of the part's vectors in place of the attribute's own
    scores = regions @ (own.local.words[[0, 2]].mean(dim=0) @ own.local.attend).detach()
    assert torch.allclose(local.attention[..., 0], scores.softmax(dim=1))
    assert torch.allclose(local.attention[..., 1], own.local(regions).attention[..., 1])
    assert torch.equal(shared.local.attention(regions), local.attention)


def test_a_stored_scen_keeps_its_sharing(tmp_path):
    regions = torch.randn(2, 7, 6, generator=torch.Generator().manual_seed(1))
    for averaging in (None, part_averaging(PARTS)):
        scen = started(averaging, word_norm="centered", attention_words="part" if averaging is not None else "own")
        write_scen(tmp_path / "scen.safetensors", scen, ScenSettings(), Provenance("train_scen"))
        assert torch.equal(read_scen(tmp_path / "scen.safetensors")(regions)[0].semantic, scen(regions)[0].semantic)
