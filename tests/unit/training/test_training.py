"""Training loops: seeds, curves, losses that are not finite, and what the settings switch."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from trainers import KINDS, RELEASED, SEEN, Kind, Stopped, eggn_trainer, random, result, same, scen_trainer

from scegg_core.eggn.train import start_eggn
from scegg_core.errors import InputError
from scegg_core.scen import losses
from scegg_core.scen.compression import mean_compression
from scegg_core.scen.model import ChannelScale, LocalEmbeddingNetwork
from scegg_core.scen.train import attention_bytes, make_optimizer, start_scen
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.curve import Curve
from scegg_core.training.device import keep_freed_memory, seeded


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def kind(request) -> Kind:
    return request.param


def test_same_seed_same_bits_other_seed_other_weights(kind):
    first, second, other = (result(kind.make(seed=seed)) for seed in (1, 1, 2))
    assert same(first, second)
    assert not same(first, other)


@pytest.mark.slow
def test_training_leaves_the_global_random_numbers_alone(kind):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = result(kind.make())
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)
    torch.rand(5)
    assert same(result(kind.make()), first)


def test_seeded_restores_the_global_random_numbers_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(Stopped), seeded(3):
        torch.rand(1)
        raise Stopped
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_the_curve_has_every_term_of_every_epoch():
    points = scen_trainer(stage1_epochs=2, stage2_epochs=1).run().curve.points
    assert [point[:3] for point in points] == [
        ("1", 1, "L_LCE"),
        ("1", 1, "L_GCE"),
        ("1", 2, "L_LCE"),
        ("1", 2, "L_GCE"),
        ("2", 1, "L_SCR"),
    ]
    names = ["wasserstein", "penalty", "KL", "BCE", "adversarial", "L_Rec", "L_SCE", "L_UCE"]
    assert [point[:3] for point in eggn_trainer(epochs=2).run().points] == [
        ("3", epoch, name) for epoch in (1, 2) for name in names
    ]


def test_a_curves_value_is_the_mean_over_the_epochs_steps():
    curve = Curve()
    curve.add_epoch("1", 1, 0, [{"a": torch.tensor(1.0)}, {"a": torch.tensor(4.0), "b": torch.tensor(7.0)}])
    assert curve.points == [("1", 1, "a", 2.5), ("1", 1, "b", 7.0)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("kind", "step", "message"),
    [
        (KINDS["scen"], 3, "in stage 1, step 3, the term L_LCE is"),
        (KINDS["scen"], 6, "in stage 1, step 6, the term L_LCE is"),
        (KINDS["scen"], 11, "in stage 2, step 3, the term L_SCR is"),
        (KINDS["eggn"], 5, "in stage 3, step 5, the term wasserstein is"),
        (KINDS["eggn"], 8, "in stage 3, step 8, the term wasserstein is"),
    ],
)
def test_a_loss_that_is_not_finite_stops_with_stage_step_and_term(kind, step, message, bad):
    trainer = kind.make()
    whole, taken = getattr(trainer, kind.method), []

    def spoilt(*given):
        taken.append(None)
        found = whole(*given)
        terms = found[1] if isinstance(found, tuple) else found
        if len(taken) == step:
            terms[next(iter(terms))] = torch.tensor(bad)
        return found

    setattr(trainer, kind.method, spoilt)
    with pytest.raises(InputError, match=f"{message} {bad}"):
        trainer.run()


def test_regions_that_are_not_finite_are_found():
    trainer = scen_trainer()
    trainer.batches.features[0, 0, 0] = float("nan")
    with pytest.raises(InputError, match=r"in stage 1, step \d, the term L_LCE is nan"):
        trainer.run()


@pytest.mark.slow
def test_training_lowers_its_losses():
    scen = scen_trainer(stage1_epochs=30, stage2_epochs=30).run().curve.points
    eggn = eggn_trainer(epochs=20, adversarial_weight=0.0, learning_rate=1e-2).run().points
    for points, term, factor in ((scen, "L_LCE", 0.3), (scen, "L_GCE", 0.5), (scen, "L_SCR", 0.3), (eggn, "BCE", 0.99)):
        values = [value for _, _, name, value in points if name == term]
        assert values[-1] < factor * values[0], term


@pytest.mark.parametrize(
    ("settings", "steps"),
    [({}, 16), ({"stage2_epochs": 0}, 8), ({"stage1_epochs": 0}, 8), ({"stage1_steps": 3, "stage2_steps": 6}, 9)],
    ids=str,
)
def test_stages_take_the_steps_asked_for(settings, steps):
    trainer = scen_trainer(**settings)
    whole, taken = trainer.losses, []
    trainer.losses = lambda *given: (taken.append(None), whole(*given))[1]
    trainer.run()
    assert len(taken) == steps


@pytest.mark.parametrize(
    "settings",
    [{}, {"stage2_updates": "classifier"}, {"compression": "mean"}, RELEASED],
    ids=["gen", "classifier", "mean", "released"],
)
def test_stage_2_changes_what_it_is_to_train_and_nothing_else(settings):
    first, both = (scen_trainer(stage2_epochs=epochs, **settings).run().model.state_dict() for epochs in (0, 2))
    changed = {name.rsplit(".", 1)[0] for name, value in first.items() if not torch.equal(value, both[name])}
    by_mlp, by_mean = settings == {}, "compression" in settings
    classifier = {"glob.classify.1"} if by_mean else {"glob.classify"}  # 0 is the scale
    if "classifier_width" in settings:
        classifier |= {"glob.classify.3"}
    assert changed == classifier | ({"glob.compress.reduce", "glob.compress.combine"} if by_mlp else set())


@pytest.mark.parametrize("settings", [{}, RELEASED], ids=["paper", "released"])
def test_stage_2_asks_len_once_for_each_image_where_memory_has_room(settings, monkeypatch):
    asked, attend = [], LocalEmbeddingNetwork.attend_and_embed

    def counted(local, regions):
        asked.append(len(regions))
        return attend(local, regions)

    monkeypatch.setattr(LocalEmbeddingNetwork, "attend_and_embed", counted)
    trained = []
    for budget in (1.0, 1e-9):  # of 13 images: room for their attention, or not
        asked.clear()
        asked_for = {"stage1_epochs": 0, "stage2_epochs": 3, "memory_budget": budget, **settings}
        trained.append(result(scen_trainer(attributes=3, **asked_for)))
        trained_on = 3 * 4 * 4 if settings.get("sampling") else 3 * 13
        assert sum(asked) == (13 if budget == 1.0 else trained_on)
    kept, anew = (weights for weights, _ in trained)  # up to the order of sums, which goes with the batch
    assert all(torch.allclose(kept[name], anew[name], atol=1e-5) for name in kept)


@pytest.mark.parametrize(
    ("attributes", "bytes_of_budget", "kept"),
    [
        (4, 256, 128),
        (4, 255, 0),
        (5, 1 << 30, 0),
    ],  # maps have 2 × 4 × 2 × 8 = 128 bytes; of 5 attributes, attention 160
    ids=["room for both", "a byte too little", "more than the maps"],
)
def test_attention_is_kept_where_it_is_no_larger_than_the_maps_and_the_budget_has_room(
    attributes, bytes_of_budget, kept
):
    assert attention_bytes(4, 2, 8, attributes, bytes_of_budget / (1 << 30)) == kept


def test_what_stage_2_keeps_of_len_never_lies_in_memory_twice(monkeypatch):
    asked, alive, attend = [], [], LocalEmbeddingNetwork.attend_and_embed

    def watched(local, regions):
        alive.append(sum(part() is not None for part in asked))
        parts = attend(local, regions)
        asked.extend(map(weakref.ref, parts))
        return parts

    monkeypatch.setattr(LocalEmbeddingNetwork, "attend_and_embed", watched)
    trainer = scen_trainer(attributes=3)  # 13 images in batches of 4
    trainer.remember()
    assert alive == [0, 2, 2, 2]  # those of the batch before, until the next takes their place
    monkeypatch.undo()
    with torch.no_grad():
        wanted = trainer.model.local.attend_and_embed(trainer.model.prepare(trainer.batches.features))
    assert all(torch.allclose(found, right, atol=1e-6) for found, right in zip(trainer.attended, wanted, strict=True))


@pytest.mark.parametrize("room", [float("inf"), 0])
def test_what_is_kept_of_len_does_not_depend_on_a_gpus_free_memory(room, monkeypatch):
    monkeypatch.setattr("scegg_core.scen.train.room_on", lambda device: room)
    trainer = scen_trainer(attributes=3)
    trainer.remember()
    assert trainer.attended is not None


def test_mean_compression_uses_the_mlp_in_stage_1_alone():
    trainer = scen_trainer(compression="mean")
    regions = trainer.batches.features
    first, later = (trainer.model(regions, first_stage=stage)[1].feature for stage in (True, False))
    prepared = trainer.model.prepare(regions)
    attention = trainer.model.local.attention(prepared)
    torch.testing.assert_close(later, mean_compression(attention, prepared))
    torch.testing.assert_close(first, trainer.model.glob.compress(attention, prepared))


def test_mean_compression_has_a_classifier_of_its_own_in_stage_1():
    started, trained = scen_trainer(**RELEASED), scen_trainer(stage2_epochs=0, **RELEASED).run().model.state_dict()
    moved = {name for name, value in started.model.state_dict().items() if not torch.equal(value, trained[name])}
    assert {"glob.first.weight", "glob.first.bias"} <= moved
    assert not {name for name in moved if name.startswith("glob.classify") and ".0." not in name}  # 0 is the scale
    regions = started.batches.features
    _, whole = started.model(regions, first_stage=True)
    torch.testing.assert_close(whole.scores, started.model.glob.first(whole.feature))


def test_with_mean_compression_cls_g_sees_training_features_scaled_to_0_and_1():
    trained = scen_trainer(**RELEASED)
    model = trained.run().model
    feature = model(trained.batches.features)[1].feature
    scaled = model.glob.classify[0](feature)
    torch.testing.assert_close(scaled.amin(dim=0), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.amax(dim=0), torch.ones(6), atol=1e-5, rtol=0)


def test_a_constant_channel_is_not_divided_by_its_range():
    scale = ChannelScale(2)
    scale.fit(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert scale(torch.tensor([[2.0, 5.0], [5.0, 6.0]])).tolist() == [[0.5, 0.0], [2.0, 1.0]]


def test_dazles_start_attends_to_all_regions_alike():
    model = scen_trainer(initialization="dazle", initial_std=2.0).model
    assert not model.local.attend.any()
    torch.testing.assert_close(model.local.attention(random(2, 5, 6)), torch.full((2, 5, 4), 0.2))
    big = start_scen(random(4, 300), random(4, 4), 500, ScenSettings(initialization="dazle", initial_std=2.0), 0)
    assert float(big.local.embed.detach().std()) == pytest.approx(2, rel=0.01)


def test_softmax_over_seen_classes_keeps_unseen_scores_out_of_stage_1():
    for softmax, expected in (("all", True), ("seen", False)):
        trainer = scen_trainer(softmax_classes=softmax)
        loss, _ = trainer.losses(trainer._stages()[0], trainer.batches.features, trainer.batches.labels)
        (gradient,) = torch.autograd.grad(loss, trainer.model.glob.classify.bias)
        assert bool(gradient[3] != 0) == expected


def test_the_optimizer_is_the_one_asked_for():
    stage = scen_trainer(**RELEASED)._stages()[1]
    found = make_optimizer(stage, ScenSettings(**RELEASED))
    assert isinstance(found, torch.optim.RMSprop)
    assert {name: found.defaults[name] for name in ("lr", "weight_decay", "momentum")} == {
        "lr": 1e-2,
        "weight_decay": 1e-4,
        "momentum": 0.9,
    }
    assert isinstance(make_optimizer(stage, ScenSettings()), torch.optim.Adam)


def test_attention_rate_slows_w_alpha_alone():
    trainer = scen_trainer(attention_rate=0.1)
    first, second = trainer._stages()
    rates = {
        id(w): group["lr"] for group in make_optimizer(first, trainer.settings).param_groups for w in group["params"]
    }
    attend = trainer.model.local.attend
    assert rates.pop(id(attend)) == pytest.approx(first.learning_rate * 0.1)
    assert set(rates.values()) == {first.learning_rate}
    assert len(rates) == len(first.parameters) - 1
    assert not second.attention


def test_stage_2_has_its_own_learning_rate_if_given():
    assert [stage.learning_rate for stage in scen_trainer()._stages()] == [1e-2, 1e-2]
    assert [stage.learning_rate for stage in scen_trainer(stage2_learning_rate=0.5)._stages()] == [1e-2, 0.5]


def test_words_stay_as_they_are_where_they_are_not_trained():
    for train in (True, False):
        trainer = scen_trainer(train_words=train)
        before = trainer.model.local.words.detach().clone()
        assert torch.equal(trainer.run().model.local.words, before) != train


def test_calibration_is_a_term_only_where_it_has_weight():
    trainer = scen_trainer(calibration_weight=0.5)
    batch = trainer.batches.features, trainer.batches.labels
    loss, terms = trainer.losses(trainer._stages()[0], *batch)
    torch.testing.assert_close(
        loss, terms["L_LCE"] + terms["L_GCE"] + 0.5 * losses.self_calibration(trainer.model(batch[0])[0].scores, SEEN)
    )


def test_a_trained_scen_is_frozen_and_in_evaluation_mode():
    model = scen_trainer().run().model
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("generator", ["tf-vaegan", "f-vaegan", "f-clswgan"])
def test_every_generator_trains_to_finite_weights_and_leaves_unused_parts_alone(generator):
    trainer = eggn_trainer(generator=generator)
    before = start_eggn(6, 4, trainer.settings, 1).state_dict()
    trainer.run()
    after = trainer.model.state_dict()
    assert all(torch.isfinite(value).all() for value in after.values())
    used = {"generator", "critic"} | {
        "tf-vaegan": {"encoder", "decoder", "feedback"},
        "f-vaegan": {"encoder"},
        "f-clswgan": set(),
    }[generator]
    assert {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])} == used


def test_each_epoch_has_a_pass_without_and_one_with_feedback():
    trainer, seen = eggn_trainer(epochs=2), []
    whole = trainer.iterate
    trainer.iterate = lambda feedback: (seen.append(feedback), whole(feedback))[1]
    trainer.run()
    assert seen == 2 * ([False] * 3 + [True] * 3)


@pytest.mark.slow
def test_training_in_portions_is_training_at_once():
    trainer = eggn_trainer()
    for epochs in (1, 2, 3):
        trainer.run(epochs)
    assert same((trainer.model.state_dict(), trainer.state.curve.points), result(eggn_trainer()))


@pytest.mark.slow
def test_without_l_uce_the_vectors_of_unseen_classes_do_not_matter():
    trainer = eggn_trainer()
    changed = replace(trainer.draws.data, vectors=trainer.draws.data.vectors.clone())
    changed.vectors[3] += 1
    other = eggn_trainer(unseen_guidance=0.0)
    other.draws.data = changed
    assert same(result(other), result(eggn_trainer(unseen_guidance=0.0)))


def test_freed_memory_is_kept_where_the_c_library_can_do_it(monkeypatch):
    import ctypes

    assert keep_freed_memory() == hasattr(ctypes.CDLL(None), "mallopt")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # another C library
    assert not keep_freed_memory()
