"""f-VAEGAN (f-VAEGAN-D2 of Xian et al., CVPR 2019, inductive): G is also the decoder of a variational autoencoder."""

from collections.abc import Iterator

from scegg_core.eggn import losses
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.generators.base import AdamSettings, FeatureGenerator, Made, Term
from scegg_core.eggn.model import Latent
from scegg_core.settings.eggn import EggnSettings


class FVaegan(FeatureGenerator):
    """L_VAE (Eq. 10) and L_WGAN (Eq. 11); z of real features comes from E."""

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how E, G and D are trained; E keeps Adam's own first beta, as in TF-VAEGAN."""
        return {"encoder": AdamSettings(settings.learning_rate, 0.9), **super().optimizers(settings)}

    def trained(self, feedback: bool) -> list[str]:
        """Return E and G."""
        return ["encoder", *super().trained(feedback)]

    def encode(self, batch: Batch) -> Latent:
        """Return what E says of real features."""
        return self.model.encoder(batch.feature, batch.vector)

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield L_VAE's two terms (Eq. 10), then those of the GAN."""
        kl = losses.kl_to_standard_normal(made.latent.mean, made.latent.log_variance)
        yield Term("KL", self.settings.kl_weight, kl)
        yield Term("BCE", 1.0, losses.reconstruction(made.logits, made.batch.feature))
        yield from super().terms(made)
