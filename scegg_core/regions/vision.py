"""torchvision, importable also where its compiled operators do not fit the installed torch (CPU-only installs)."""

import torch

_kept_alive: list[torch.library.Library] = []


def import_torchvision():
    """Return the torchvision module.

    torchvision's wheel on PyPI is a CUDA build; beside a CPU-only torch its operators are missing and the import
    stops at the registration of `nms`. Declaring the two missing schemas is enough for models and transforms.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept_alive.append(library)  # the schemas vanish with the object
        import torchvision
    return torchvision
