"""What of stage 3's settings each generator reads, and on which spaces: a variant may say nothing that is not read."""

from typing import TYPE_CHECKING

from scegg_core.errors import InputError
from scegg_core.settings.methods import ON
from scegg_core.settings.places import place_of
from scegg_core.settings.tuning import POINT

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

GANS = ("ce-gzsl", "f-clswgan", "f-vaegan", "f-vaegan-d2", "free", "lisgan", "tf-vaegan")

#: Settings of CLS_g's guidance (Eqs. 13-15).
GUIDANCE = ("seen_guidance", "unseen_guidance", "guidance_classes", "seen_path")

DECODING = ("free", "tf-vaegan")

#: Settings that not all generators read, behind those that do. A new generator may be named here: one that is not reads all.
READ_BY = (
    (GANS, ("hidden_width", "critic_steps", "beta1", *GUIDANCE)),
    (GANS, ("adversarial_weight", "penalty_weight", "adaptive_penalty")),
    (("cada-vae", "f-vaegan", "f-vaegan-d2", *DECODING), ("kl_weight",)),
    (("f-vaegan", *DECODING), ("critic_path",)),
    (("f-clswgan", "lisgan"), ("classification_weight",)),
    (DECODING, ("decoder_learning_rate", "decoder_weight", "decoder_loss", "freeze_decoder")),
    (("tf-vaegan",), ("feedback_learning_rate", "feedback_strength")),  # the latter in synthesis, too
    (("cada-vae",), ("image_encoder_width", "image_decoder_width", "vector_encoder_width", "vector_decoder_width")),
    (("cada-vae",), ("cross_weight", "alignment_weight", "warm_up")),
    (("ce-gzsl",), ("embedding_learning_rate", "embedding_size", "projection_size", "comparator_width")),
    (("ce-gzsl",), ("instance_weight", "class_weight", "instance_temperature", "class_temperature", "contrast")),
    (("lisgan",), ("soul_samples", "soul_made", "soul_weight", "soul_mean_weight")),
    (("free",), ("center_weight", "center_margin", "center_share", "other_center")),
)
READERS = {setting: generators for generators, settings in READ_BY for setting in settings}
KNOWN = {generator for readers in READERS.values() for generator in readers}


def reads(generator: str, setting: str) -> bool:
    """Return whether a generator reads a setting of stage 3."""
    return generator not in KNOWN or generator in READERS.get(setting, KNOWN)


def reads_on(kind: str, generator: str, setting: str) -> bool:
    """Return whether a generator reads a setting on a space of this `kind`: without SCEN there is no CLS_g to guide it."""
    by_own_classifier = setting == "seen_path" and reads(generator, "classification_weight")
    return reads(generator, setting) and (kind == "scen" or setting not in GUIDANCE or by_own_classifier)


def check_read(config: "Configuration", generator: str, variant: str) -> None:
    """Refuse what a variant itself says of stage 3 and its generator does not read on its space.

    0, false and null may stand anywhere: what they turn off is off. A method on another space keeps what its variant says,
    and a grid over generators what some of its points read.
    """
    own = config.variant(variant)
    kind = config.space(own.space).kind
    if ON in variant or (POINT in variant and "eggn.generator" in config.point(variant).values):
        return
    said = [(stage, name) for stage in ("eggn", "synthesis") for name, value in getattr(own, stage).items() if value]
    unread = [f"{stage}.{name}" for stage, name in said if not reads_on(kind, generator, name)]
    if unread:
        where = "" if kind == "scen" else f" on a space of kind {kind}"
        raise InputError(
            f"config: {place_of('variants', variant)} has {', '.join(unread)}, which generator "
            f"{generator} does not read{where}, so that nothing would change; take {'it' if len(unread) == 1 else 'them'} out."
        )
