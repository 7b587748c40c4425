"""What an adapter costs: python -m benchmarks.adapters [--network NAME …]

A backbone takes uint8 images, normalizes them and gives regions; the network itself, as its library makes it, takes
normalized images and gives scores. The two take turns on one thread; times are processor time, which other work on the
machine changes little. A ratio is that of the fastest rounds.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn

from scegg_core.regions.adapters import adapter_of
from scegg_core.regions.backbone import build_backbone
from scegg_core.regions.timm_networks import filled, import_timm
from scegg_core.regions.vision import import_torchvision
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.using.options import count

#: A small network of each family of torchvision, and of ten of timm's.
NETWORKS = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "maxvit_t"),
    *("mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5"),
    *("squeezenet1_1", "swin_t", "swin_v2_t", "vgg11", "vit_b_32"),
    *("timm/vit_tiny_patch16_224", "timm/eva02_tiny_patch14_224", "timm/deit_tiny_patch16_224"),
    *("timm/swin_tiny_patch4_window7_224", "timm/mvitv2_tiny", "timm/convnext_atto", "timm/tf_efficientnet_lite0"),
    *("timm/resnet18", "timm/mambaout_femto", "timm/gmlp_ti16_224"),
)


def whole_network(settings: BackboneSettings) -> nn.Module:
    """Return the network as its library makes it, with its classifier, in evaluation mode."""
    if settings.of_timm:
        return import_timm().create_model(settings.network.removeprefix("timm/")).eval()
    import_torchvision()
    from torchvision import models

    return models.get_model(settings.network, **adapter_of(settings.network).options(settings.image_size)).eval()


@torch.inference_mode()
def costs(network: str, batch: int, rounds: int) -> tuple[float, float]:
    """Return the processor seconds that a batch takes at 224 pixels in the backbone, and in the network itself."""
    settings = filled(BackboneSettings(network=network, weights="random", image_size=224))
    backbone, whole = build_backbone(settings, None), whole_network(settings)
    pixels = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8)
    scaled = (pixels.float() - backbone.mean) / backbone.std
    works: tuple[Callable, Callable] = (lambda: backbone(pixels), lambda: whole(scaled))
    taken = [[_seconds(work) for work in works] for _ in range(rounds + 1)][1:]
    return min(ours for ours, _ in taken), min(bare for _, bare in taken)


def _seconds(work: Callable) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main(arguments: list[str] | None = None) -> None:
    """Print a line per network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adapters", description=__doc__)
    parser.add_argument("--network", nargs="+", default=NETWORKS, help="names as in backbone.network")
    parser.add_argument("--batch", type=count(), default=4)
    parser.add_argument("--rounds", type=count(), default=5)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print("| network | backbone, ms an image | network itself | ratio |\n|---|---|---|---|")
    for network in given.network:
        ours, bare = costs(network, given.batch, given.rounds)
        per_image = 1000 / given.batch
        print(f"| {network} | {ours * per_image:.1f} | {bare * per_image:.1f} | {ours / bare:.2f} |", flush=True)


if __name__ == "__main__":
    main()
