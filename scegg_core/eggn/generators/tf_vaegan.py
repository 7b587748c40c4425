"""TF-VAEGAN (Narayan et al., ECCV 2020), the paper's choice: f-VAEGAN with a semantic decoder Dec and feedback F."""

from collections.abc import Iterator

import torch
from torch import Tensor

from scegg_core.eggn import losses
from scegg_core.eggn.draws import Batch, Draws
from scegg_core.eggn.generators.base import AdamSettings, Made, Term, Update
from scegg_core.eggn.generators.f_vaegan import FVaegan
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import EGGN
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings


class TfVaeganNetworks(EGGN):
    """All five networks; synthesis has feedback."""

    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return synthetic features (batch, channels), corrected once by F."""
        return self.generate(z, vector, settings.feedback_strength)


class TfVaegan(FVaegan):
    """L_VAE, L_WGAN and L_Rec (Eq. 12); each epoch's second half trains F, which corrects G's hidden layer."""

    has_feedback = True

    def __init__(self, model: EGGN, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        self.distance = losses.SEMANTIC_DISTANCES[settings.decoder_loss]

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how all five networks are trained."""
        return super().optimizers(settings) | {
            "decoder": AdamSettings(settings.decoder_learning_rate, settings.beta1),
            "feedback": AdamSettings(settings.feedback_learning_rate, settings.beta1),
        }

    def trained(self, feedback: bool) -> list[str]:
        """Return E, G, Dec unless it is fixed, and F in the pass with feedback."""
        decoder = ["decoder"] if self.settings.decoder_weight > 0 and not self.settings.freeze_decoder else []
        return [*super().trained(feedback), *decoder, *(["feedback"] if feedback else [])]

    def features_for_critic(self, batch: Batch, feedback: bool) -> Tensor:
        """Train Dec on the critic's batches, then return G's features, in the pass with feedback corrected by F."""
        with torch.no_grad():
            hidden = self.model.generator.embed(self.z_for_critic(batch), batch.vector)
            fake = self.model.generator.logits(hidden).sigmoid()
        decoded = self._decoder_steps(batch, fake, feedback)
        if not feedback:
            return fake
        with torch.no_grad():
            hidden = hidden + self.settings.feedback_strength * self.model.feedback(torch.cat(decoded))
            return self.model.generator.logits(hidden).sigmoid()

    def _decoder_steps(self, batch: Batch, fake: Tensor, feedback: bool) -> list[Tensor]:
        """Train Dec on each batch of real features (Eq. 12); with feedback return its hidden layers of the fake ones,
        each as after that batch's step."""
        hidden = []
        parts = (tensor.split(self.settings.batch_size) for tensor in (batch.feature, batch.vector, fake))
        for real, vector, made in zip(*parts, strict=True):
            distance = self.distance(self.model.decoder(real).vector, vector)
            self.update(self.settings.decoder_weight * distance, ["decoder"])
            if feedback:
                with torch.no_grad():
                    hidden.append(self.model.decoder.embed(made))
        return hidden

    def logits(self, z: Tensor, vector: Tensor, feedback: bool) -> Tensor:
        """Return G's output before the sigmoid (batch, channels), in the pass with or without feedback."""
        hidden = self.model.generator.embed(z, vector)
        logits = self.model.generator.logits(hidden)
        if not feedback:
            return logits
        correction = self.model.correction(logits.sigmoid())
        return self.model.generator.logits(hidden + self.settings.feedback_strength * correction)

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield f-VAEGAN's terms and L_Rec of the made features (Eq. 12)."""
        yield from super().terms(made)
        if self.settings.decoder_weight > 0:
            distance = self.distance(self.model.decoder(made.feature).vector, made.batch.vector)
            yield Term("L_Rec", self.settings.decoder_weight, distance)
