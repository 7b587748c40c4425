"""Settings of EGGN, stage 3. Defaults are the paper's, and TF-VAEGAN's where the paper points to it."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.names import file_names
from scegg_core.settings.numbers import Count, CountFrom0, Rate, Scale, Weight, Width

GENERATORS = file_names(Path(__file__).parents[1] / "eggn" / "generators", "base")


@settings
class EggnSettings:
    """Embedding guided generative network, stage 3 (paper section 3.2, Eqs. 9-15, 18), on TF-VAEGAN."""

    generator: Literal[GENERATORS] = Field(
        "tf-vaegan", description="the method that makes features; each is a file of scegg_core/eggn/generators"
    )
    hidden_width: Width = Field(4096, description="hidden width of E, G, D, Dec and F; TF-VAEGAN's")
    latent_size: Width | None = Field(None, description="size of z; null: the number of attributes, as TF-VAEGAN")
    epochs: Count = Field(
        200, description="epochs, each one pass without and one with feedback; the paper: at most 200"
    )
    batch_size: Count = Field(64, description="images per step")
    sampling: Literal["random", "class_balanced"] = Field(
        "random", description="images of a batch: drawn alike, or every class once before any comes twice"
    )
    critic_steps: int = Field(5, ge=1, le=1000, description="critic steps per generator step; TF-VAEGAN's")
    learning_rate: Rate = Field(1e-4, description="Adam learning rate of E, G and D")
    feedback_learning_rate: Rate = Field(1e-5, description="Adam learning rate of F; TF-VAEGAN's")
    decoder_learning_rate: Rate = Field(1e-4, description="Adam learning rate of Dec; TF-VAEGAN's")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first beta of all but E, which keeps 0.9; TF-VAEGAN's")
    adversarial_weight: Weight = Field(10.0, description="lambda_w of Eq. 9")
    penalty_weight: Weight = Field(10.0, description="lambda of Eq. 11 at the start; TF-VAEGAN's")
    # ASSUME: lambda is adapted, as in TF-VAEGAN.
    adaptive_penalty: bool = Field(
        True, description="whether lambda follows the mean penalty by a factor of 1.1; as TF-VAEGAN"
    )
    decoder_weight: Weight = Field(0.01, description="lambda_r of Eq. 9")
    decoder_loss: Literal["l1", "weighted_l1"] = Field(
        "l1", description="Eq. 12 as written, or TF-VAEGAN's weighted form"
    )
    freeze_decoder: bool = Field(False, description="whether Dec is fixed in the generator's step; TF-VAEGAN's")
    kl_weight: Weight = Field(1.0, description="weight of the KL term in Eq. 10")
    seen_guidance: Weight = Field(0.1, description="lambda_s of Eq. 13")
    unseen_guidance: Weight = Field(0.1, description="lambda_u of Eq. 13")
    # ASSUME: all classes, as Eqs. 14 and 15 are written.
    guidance_classes: Literal["all", "seen_unseen"] = Field(
        "all",
        description="softmax of Eqs. 14 and 15 over all classes, or over seen and over unseen ones; all as written",
    )
    # ASSUME: synthetic seen features come from E's z, as in the released code.
    seen_path: Literal["reconstruction", "synthesis"] = Field(
        "reconstruction",
        description="where synthetic seen features in Eq. 14 come from: z of E (released code), or z of the prior",
    )
    # ASSUME: the critic's synthetic features come from E's z, as in TF-VAEGAN (its encoded_noise).
    critic_path: Literal["reconstruction", "synthesis"] = Field(
        "reconstruction",
        description="where the critic's synthetic features come from: z of E (TF-VAEGAN), or z of the prior",
    )
    # ASSUME: TF-VAEGAN's for CUB, since the paper points there; config.yaml has SUN's and AWA2's.
    feedback_strength: Weight = Field(1.0, description="weight of F's correction while training; TF-VAEGAN's for CUB")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="number type of the products of stage 3 (autocast); weights and Adam stay float32"
    )
    cuda_graphs: bool = Field(
        False,
        description="on CUDA: replay each iteration as one CUDA graph, which saves the time of launching kernels; not yet tried on a GPU",
    )
    classification_weight: Weight = Field(
        0.0,
        description="f-CLSWGAN's loss of a softmax classifier trained on real seen features, in place of L_EGS",
    )
    # CADA-VAE; its four networks are VAEs of features and of class vectors
    image_encoder_width: Width = Field(1560, description="CADA-VAE: hidden width of the encoder of features")
    image_decoder_width: Width = Field(1660, description="CADA-VAE: hidden width of the decoder of features")
    vector_encoder_width: Width = Field(1450, description="CADA-VAE: hidden width of the encoder of class vectors")
    vector_decoder_width: Width = Field(665, description="CADA-VAE: hidden width of the decoder of class vectors")
    cross_weight: Weight = Field(2.37, description="CADA-VAE: gamma, weight of cross-alignment when it is warmed up")
    alignment_weight: Weight = Field(
        8.13, description="CADA-VAE: delta, weight of distribution alignment when it is warmed up"
    )
    warm_up: Weight = Field(
        1.0, description="CADA-VAE: length of the warm-up of its weights over the published one, 93 passes; 0: none"
    )
    # CE-GZSL
    embedding_learning_rate: Rate = Field(
        1e-4, description="CE-GZSL: Adam learning rate of E, H and the comparator; ten times as much kills E's ReLUs"
    )
    embedding_size: Width = Field(
        2048, description="CE-GZSL: size of the embedding h = E(g), which its classifier sees"
    )
    projection_size: Width = Field(512, description="CE-GZSL: size of the projection H(h), of unit length")
    comparator_width: Width = Field(2048, description="CE-GZSL: hidden width of the comparator of h and class vectors")
    instance_weight: Weight = Field(0.001, description="CE-GZSL: weight of the instance-level loss in G's step")
    class_weight: Weight = Field(0.001, description="CE-GZSL: weight of the class-level loss in G's step")
    instance_temperature: Scale = Field(0.1, description="CE-GZSL: tau_e, temperature of the instance-level loss")
    class_temperature: Scale = Field(0.1, description="CE-GZSL: tau_s, temperature of the class-level loss")
    # ASSUME: features of other classes alone, as the loss is written.
    contrast: Literal["other_classes", "all_others"] = Field(
        "other_classes",
        description="CE-GZSL: what a positive is held against: features of other classes (the paper), or all others of the batch (its code)",
    )
    # LisGAN
    soul_samples: Count = Field(3, description="LisGAN: soul samples of a seen class, K")
    soul_made: Count = Field(20, description="LisGAN: features made of each seen class in a step, for L_R2")
    soul_weight: Weight = Field(0.001, description="LisGAN: weight of L_R1, of made features")
    soul_mean_weight: Weight = Field(0.01, description="LisGAN: weight of L_R2, of the mean of a class's made features")
    # FREE; the weight of its L_R is decoder_weight, the learning rate of FR decoder_learning_rate
    center_weight: Weight = Field(0.5, description="FREE: weight of L_SAMC")
    center_margin: Weight = Field(200.0, description="FREE: Delta, margin of L_SAMC")
    center_share: float = Field(
        0.8, ge=0, le=1, description="FREE: gamma, share of the own centre's distance in L_SAMC"
    )
    other_center: Literal["random", "nearest"] = Field(
        "random", description="FREE: the other centre of L_SAMC: any (fine-grained classes), or the nearest one"
    )
    # ASSUME: at most 20, since each one kept takes 54 M numbers at CUB's widths.
    snapshots: CountFrom0 = Field(
        20, description="at most so many epochs are compared where one is selected, evenly spaced; else 0"
    )
