"""f-VAEGAN-D2 (Xian et al., CVPR 2019), its inductive form: the VAE reconstructs, and the GAN judges features of the prior.

`f-vaegan` is what TF-VAEGAN's code makes of it: there E's z serves both.
"""

from collections.abc import Iterator

from torch import Tensor

from scegg_core.eggn import losses
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.generators.base import Made, Term
from scegg_core.eggn.generators.f_vaegan import FVaegan


class FVaeganD2(FVaegan):
    """L_VAE + gamma L_WGAN; D1 sees G(z, a) of z ~ N(0, I), in its own steps and in G's.

    D2, which sees unlabelled images of the unseen classes, belongs to its transductive setting and is left out: images of
    the unseen classes are test images here.
    """

    def z_for_critic(self, batch: Batch) -> Tensor:
        """Return the z (batch, latent) of the critic's features: the prior's."""
        return self.draws.normal(len(batch.labels))

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield L_VAE's two terms of reconstructed features (Eq. 10), and G's part of L_WGAN (Eq. 11)."""
        settings, vector = self.settings, made.batch.vector
        kl = losses.kl_to_standard_normal(made.latent.mean, made.latent.log_variance)
        yield Term("KL", settings.kl_weight, kl)
        # log p(x | z, a) as a cross-entropy of features in [0, 1], as in the code that is built on the paper
        yield Term("BCE", 1.0, losses.reconstruction(made.logits, made.batch.feature))
        score = self.model.critic(self.model.generator(self.draws.normal(len(vector)), vector), vector)
        yield Term("adversarial", settings.adversarial_weight, -score.mean())
