"""Stage 3's iteration against the same steps taken plainly, one after the other, with the transcription's gradients."""

import copy

import pytest
import reference
import torch
from agreement import assert_equal
from eggn_case import PASSES, Case, Shape


class PlainIteration:
    """The steps as the text says them: each of the critic's batches in turn, then E, G, F and Dec."""

    def __init__(self, case: Case):
        self.case, self.penalty_weight = case, 10.0
        adam = lambda part, rate=1e-4, beta=0.5: torch.optim.Adam(case.of(part), rate, betas=(beta, 0.999))  # noqa: E731
        self.optimizers = {part: adam(part) for part in ("generator", "critic", "decoder")}
        self.optimizers |= {"encoder": adam("encoder", beta=0.9), "feedback": adam("feedback", 1e-5)}

    def run(self, feedback: bool, generator_state: torch.Tensor) -> float:
        """Take all steps with the numbers that follow `generator_state`; return the mean penalty."""
        twin = self.case.trainer.random.set_state(generator_state)
        penalty = self.critic_steps(feedback, twin)
        self.penalty_weight *= 1.1 if penalty > 1.05 else 1 / 1.1 if penalty < 1.001 else 1
        self.generator_step(feedback, twin)
        return penalty

    def critic_steps(self, feedback: bool, twin: torch.Generator) -> float:
        case, w, size = self.case, self.case.weights, self.case.shape.batch
        count, penalties = case.settings.critic_steps * size, []
        rows = torch.randint(len(case.data.features), (count,), generator=twin)
        noise = torch.randn(count, case.model.latent, generator=twin, dtype=torch.float64)
        tau = torch.rand(count, 1, generator=twin, dtype=torch.float64)
        for part in torch.arange(count).split(size):
            g, a = case.data.features[rows[part]], case.data.vectors[case.data.labels[rows[part]]]
            self.step(0.01 * reference.decoding(w, g, a), "decoder")
            samples = zip(g, a, noise[part], strict=True)
            made = torch.stack([reference.vae(w, *sample, case.strength(feedback))[2] for sample in samples]).detach()
            between = zip(g, made, a, tau[part], strict=True)
            penalties.append(float(reference.mean([reference.penalty(w, *sample) for sample in between]).detach()))
            self.step(-10 * reference.wgan(w, g, made, a, tau[part], self.penalty_weight), "critic")
        return sum(penalties) / len(penalties)

    def generator_step(self, feedback: bool, twin: torch.Generator) -> None:
        case, data = self.case, self.case.data
        rows = torch.randint(len(data.features), (case.shape.batch,), generator=twin)
        case.feature, case.labels = data.features[rows], data.labels[rows]
        case.vector = data.vectors[case.labels]
        plain = case.plain(case.draws(), feedback)
        loss = plain["KL"] + plain["BCE"] + 10 * plain["adversarial"] + 0.01 * plain["L_Rec"] + plain["L_EGS"]
        self.step(loss, "encoder", "generator", "decoder", *(["feedback"] if feedback else []))

    def step(self, loss: torch.Tensor, *parts: str) -> None:
        self.case.model.zero_grad()
        loss.backward()
        for part in parts:
            self.optimizers[part].step()


@PASSES
@pytest.mark.parametrize("seed", [1, 2])
def test_two_iterations_equal_their_steps_taken_one_by_one(feedback, seed):
    ours, plain = (Case(Shape(), critic_steps=3) for _ in range(2))
    ours.trainer.random.manual_seed(seed)
    start, steps = copy.deepcopy(plain.weights), PlainIteration(plain)
    for _ in range(2):
        state = ours.trainer.random.get_state()
        penalty = ours.trainer.iterate(feedback)["penalty"]
        assert_equal(penalty, torch.tensor(steps.run(feedback, state), dtype=torch.float64))
    assert float(ours.trainer.generator.penalty_weight) == pytest.approx(steps.penalty_weight, rel=1e-12)
    for name, weight in plain.weights.items():
        moved = ours.weights[name] - start[name]  # Adam blows up rounding where a gradient is zero, to about 1e-10
        torch.testing.assert_close(moved, weight - start[name], rtol=0, atol=2e-10, msg=name)
