"""Sizes that the benchmarks run at: the paper's three data sets, and tiny ones that try the code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Sizes of one data set's training steps."""

    name: str
    regions: int
    attributes: int
    classes: int
    unseen: int
    test_images: int
    per_class: int  # synthetic features of an unseen class
    training_images: int
    channels: int = 2048
    batch: int = 64
    words: int = 300
    width: int = 4096
    repeats: bool = False  # whether all but stages 1 and 2 is the same at a size before
    methods: bool = False  # whether the methods of docs/methods.md are measured at it

    @property
    def title(self) -> str:
        """Return the name with the grid's number of regions."""
        return f"{self.name}, R = {self.regions}"


PAPER = (
    Shape("CUB", 196, 312, 200, 50, test_images=4731, per_class=300, training_images=7057, methods=True),
    Shape("CUB", 49, 312, 200, 50, test_images=4731, per_class=300, training_images=7057, repeats=True),
    Shape("SUN", 196, 102, 717, 72, test_images=4020, per_class=400, training_images=10320),
    Shape("AWA2", 196, 85, 50, 10, test_images=13795, per_class=1800, training_images=23527),
)
QUICK = (
    Shape(
        "tiny",
        9,
        12,
        6,
        2,
        test_images=40,
        per_class=5,
        training_images=60,
        channels=32,
        batch=8,
        words=5,
        width=16,
        methods=True,
    ),
)
