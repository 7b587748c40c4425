"""The benchmarks: the plain transcription computes what we do, every part runs, and the report says what was measured."""

import copy

import numpy as np
import pytest
import torch
from agreement import assert_equal
from eggn_case import PASSES, Case, Shape
from torch.nn import functional

from benchmarks import __main__ as command
from benchmarks import pipeline
from benchmarks.measure import Machine, Spread, peak_bytes, products, ratios, take_turns
from benchmarks.plain_eggn import PlainEggnSteps
from benchmarks.plain_scen import PlainScen
from benchmarks.report import BEGIN, END, Compared, put_into, report
from benchmarks.shapes import QUICK
from benchmarks.steps import make_inputs, scen_steps
from scegg_core.regions.backbone import build_backbone
from scegg_core.scen.train import start_scen
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.scen import ScenSettings


def test_plain_scen_is_scen():
    inputs = make_inputs(QUICK[0], torch.device("cpu"))
    model = start_scen(inputs.words, inputs.vectors, QUICK[0].channels, ScenSettings(), seed=0)
    local, whole = model(inputs.regions)
    for ours, plain in zip((local.scores, whole.scores, whole.feature), PlainScen(model.state_dict())(inputs.regions), strict=True):  # fmt: skip
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["stage 1", "stage 2", "LEN's output kept"])
def test_plain_steps_change_scen_as_ours_do(number):
    inputs = make_inputs(QUICK[0], torch.device("cpu"))
    step = scen_steps(QUICK[0], inputs)[number]
    ours, plain = (
        [cell.cell_contents for cell in work.__closure__] + list(work.__defaults__ or ())
        for work in step.works.values()
    )
    trainer = next(part for part in ours if hasattr(part, "model"))
    slow = next(part for part in plain if hasattr(part, "__self__")).__self__
    for work in step.works.values():
        work()
    pairs = {"local.attend": "attend", "local.words": "words", "glob.compress.reduce.weight": "reduce.weight"}
    pairs |= {"glob.compress.combine.weight": "combine.weight", "glob.classify.weight": "classify.weight"}
    mine, theirs = trainer.model.state_dict(), slow.model.state_dict()
    for name, other in pairs.items():
        torch.testing.assert_close(mine[name], theirs[other], rtol=0, atol=2e-5, msg=name)


@PASSES
def test_plain_critic_and_generator_terms_are_ours(feedback):
    case = Case(Shape(), feedback_strength=1.0)
    plain = PlainEggnSteps(copy.deepcopy(case.model), lambda batch: None, None, case.data.vectors[3:])
    assert_equal(plain._distance(case.feature, case.vector), case.trainer.generator.distance(case.model.decoder(case.feature).vector, case.vector))  # fmt: skip
    z = case.random(case.shape.batch, case.shape.latent)
    assert_equal(
        plain._make(z, case.vector, feedback), case.trainer.generator.logits(z, case.vector, feedback).sigmoid()
    )
    torch.manual_seed(0)
    found = plain._penalty(case.feature, case.feature.flip(0), case.vector)
    torch.manual_seed(0)
    tau = torch.rand(case.shape.batch, 1).double()
    slope = case.model.critic.compare(case.feature, case.feature.flip(0), case.vector, tau).slope
    assert_equal(found, (slope - 1).square().mean())


def test_works_take_turns_and_the_first_round_only_warms_up():
    done = []
    seconds = take_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2, lambda name: done.append(f"before {name}"))  # fmt: skip
    assert done == 3 * ["before a", "a", "before b", "b"]
    assert [len(taken) for taken in seconds.values()] == [2, 2]


def test_ratios_are_taken_round_by_round():
    assert ratios([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == Spread(2.0, 1.0, 3.0)


def test_products_are_counted_in_gradients_of_gradients_too():
    left, right = torch.rand(3, 4, requires_grad=True), torch.rand(4, 5)
    assert products(lambda: left @ right) == 2 * 3 * 4 * 5

    def twice() -> None:
        (slope,) = torch.autograd.grad((left @ right).square().sum(), left, create_graph=True)
        torch.autograd.grad(slope.sum(), left)

    assert products(twice) == 4 * 2 * 3 * 4 * 5


@pytest.mark.skipif(torch.cuda.is_available(), reason="counts memory of the CPU's allocator")
def test_peak_is_what_is_held_at_a_time():
    kept = []
    mib = lambda: torch.empty(1 << 20, dtype=torch.uint8)  # noqa: E731

    def work() -> None:
        kept[:] = [mib(), mib()]
        kept.pop()
        functional.relu(mib().float())

    assert 8 << 20 <= peak_bytes(work) - (1 << 20) <= 11 << 20


def test_the_report_compares_and_names_the_floor(tmp_path):
    step = Compared("CUB", "step", {"ours": [1.0, 2.0], "plain": [3.0, 8.0]}, {"ours": 10**9, "plain": 3 * 10**9}, 10**9, {"ours": 1 << 20, "plain": 4 << 20})  # fmt: skip
    text = report(Machine(flops=2e9, bandwidth=1e9), ["a machine"], [step], [])
    assert "| CUB | step | plain | 1.500 (1.000 to 2.000) | 5.500 (3.000 to 8.000) | **3.50 (3.00 to 4.00)** |" in text
    assert "| CUB | step | 1.0 | 3.0 | 0.500 | 1.000 | 67% |" in text
    assert "| CUB | step | 1.0 | 4.0 | 0.25 |" in text
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_into(page, text)
    assert "old" not in page.read_text()
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith(f"{END}\nafter\n")


@pytest.mark.slow
def test_the_plain_extraction_gives_our_features(tmp_path):
    settings = BackboneSettings(network="resnet18", weights="random", image_size=64, batch_size=2)
    paths = pipeline.photographs(tmp_path, 3)
    works = pipeline.extraction_works(build_backbone(settings, None), paths, settings, torch.device("cpu"))
    ours, *others = (np.concatenate(work()) for work in works.values())
    assert ours.shape == (3, 4, 512)
    assert np.abs(ours[0] - ours[1]).max() > 0
    for other in others:
        np.testing.assert_allclose(ours, other, rtol=1e-2, atol=1e-3)


@pytest.mark.slow
def test_extraction_is_measured_against_its_references_in_every_round():
    ours, plain, network = pipeline.extraction_rows(2, 3, 32)
    assert ours.over_ours == ""
    for row, name in ((plain, "one after the other"), (network, "network alone")):
        median, low, high = (float(word.strip("()")) for word in row.over_ours.split() if word != "to")
        assert row.name == f"{ours.name}, {name}"
        assert 0 <= low <= median <= high
    text = report(Machine(1.0, 1.0), [], [], [ours, plain])
    assert "| work | seconds | rate | times ours |" in text
    assert f"| {plain.seconds.show(3)} | {plain.rate} | {plain.over_ours} |" in text


@pytest.mark.slow
def test_every_part_runs(capsys):
    threads = torch.get_num_threads()
    command.main(["--quick", "--rounds", "1"])
    torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    for name in (
        "stage 1 step",
        "stage 2 step",
        "stage 3 iteration with feedback",
        "CE-GZSL step",
        "read",
        "one after the other",
        "network alone",
        "AUSUC",
    ):
        assert name in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rounds", "0"], "has to be a whole number from 1 to 1000000000, got '0'"),
        (["--threads", "-1"], "has to be a whole number from 1 to 1024, got '-1'"),
        (["--sizes", "nothing"], "--sizes 'nothing' is in no name of a size: "),
        (["--page", "{folder}/none.md"], "none.md cannot be read"),
        (["--page", "{folder}/own.md"], "own.md does not hold the marks"),
    ],
)
def test_arguments_are_judged_before_minutes_of_measuring(tmp_path, capsys, arguments, sentence):
    (tmp_path / "own.md").write_text("text")
    with pytest.raises(SystemExit) as end:
        command.main([argument.format(folder=tmp_path) for argument in arguments])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
