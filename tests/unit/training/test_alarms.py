"""Warnings of training curves: what each is for, and that healthy runs have none."""

import pytest

from scegg_core.training.alarms import alarms, warn

UPRIGHT_KL, INVERTED_KL = [1.54, 0.83, 1.19, 2.1, 2.03], [2.27, 0.33, 0.14, 0.64, 0.64]


def curve(stage: str, term: str, values: list[float]) -> list[tuple[str, int, str, float]]:
    return [(stage, epoch, term, value) for epoch, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("stage", "term", "values"),
    [
        ("3", "penalty", [80.0, 2.2, 1.0, 1.0]),  # the first epoch may be anything
        ("3", "KL", UPRIGHT_KL),
        ("1", "L_GCE", [3.70, 3.69, 3.40, 2.9, 2.4, 2.0]),
        ("2", "L_SCR", [5000.0, 2000.0, 1000.0]),
        ("1", "L_GCE", [0.01]),
        ("3", "adversarial", [1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_a_healthy_curve_has_no_alarm(stage, term, values):
    assert alarms(curve(stage, term, values)) == []


@pytest.mark.parametrize(
    ("stage", "term", "values", "sentence"),
    [
        ("3", "penalty", [1.0, 75.2, 3.0], "stage 3, penalty rose to 75.2 in epoch 2, above 10: the critic ran away"),
        ("3", "KL", INVERTED_KL, "stage 3, KL ended at 0.64, below 1: the generator hardly uses its latent variable"),
        (
            "1",
            "L_GCE",
            [4.29, 4.29, 4.28, 4.1, 3.0],
            "stage 1, L_GCE stood still: 4.29 in epoch 1, 4.28 in epoch 3 of 5",
        ),
    ],
)
def test_a_run_that_went_wrong_says_so(stage, term, values, sentence, capsys):
    healthy = curve("3", "BCE", [70.0, 60.0, 60.0])
    assert [alarm.sentence for alarm in alarms([*healthy, *curve(stage, term, values)])] == [sentence]
    warn(curve(stage, term, values))
    assert capsys.readouterr().err == f"warning: {sentence}\n"
