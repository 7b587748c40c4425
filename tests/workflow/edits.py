"""Edits of well-known definitions and the rules that each re-runs; docs/architecture.md shows the same table."""

from dataclasses import dataclass, field
from pathlib import Path

TABLES = {"tabulate", "summarize", "count_classes"}
EVALUATION = {"score", "plot_tradeoff", "plot_confusion", "build_page"} | TABLES
ANSWERS = {"predict"} | EVALUATION
CLASSIFIER = {"train_classifier"} | ANSWERS
SYNTHESIS = {"synthesize", "plot_tsne"} | CLASSIFIER
GENERATOR = {"train_eggn", "plot_curves"} | SYNTHESIS
SPACES = {"train_scen", "embed_images", "predict_by_embedding", "plot_attention", "score_attention"} | GENERATOR
REGIONS = {"extract_regions", "pool_images", "predict_closed_form"} | SPACES


@dataclass(frozen=True)
class Edit:
    """An edit: in each of `changes` (file, old, new) the old text is replaced; '' for old adds the new one at the end.

    `what` is how the docs call it. `first` are the rules whose own code it changes, as the table in the docs names them; `rules` also those that
    follow because they use what those make.
    """

    what: str
    changes: tuple[tuple[str, str, str], ...]
    first: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)

    def make(self, project: Path) -> dict[Path, str]:
        """Make the edit in the folder `project`; return the files and what they were before."""
        before: dict[Path, str] = {}
        for name, old, new in self.changes:
            file = project / name
            text = file.read_text(encoding="utf-8")
            assert old in text, f"{name} has no {old!r} any more"
            before.setdefault(file, text)
            file.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")
        return before


def undo(before: dict[Path, str]) -> None:
    """Put the files back as they were."""
    for file, text in before.items():
        file.write_text(text, encoding="utf-8")


def one(what: str, file: str, old: str, new: str, first: set[str] | None = None, rules: set[str] | None = None) -> Edit:
    """Return an edit of one file."""
    return Edit(what, ((file, old, new),), first or set(), rules or set())


NOISE = """def _noise(seed: int, label: int, count: int, size: int) -> Tensor:
    own = (seed * 1_000_003 + label) % 2**64  # what torch takes as a seed
    return torch.randn(count, size, generator=torch.Generator().manual_seed(own))
"""
EDITS = (
    one(
        "`regions/extraction.py` `_forward`: region extraction",
        "scegg_core/regions/extraction.py",
        "def _forward(backbone: Backbone, batch: torch.Tensor, settings: BackboneSettings) -> torch.Tensor:\n",
        "def _forward(backbone: Backbone, batch: torch.Tensor, settings: BackboneSettings) -> torch.Tensor:\n    batch = batch + 0\n",
        {"extract_regions"},
        REGIONS,
    ),
    one(
        "`scen/losses.py` `semantic_consistency`: SCEN's loss, Eq. 8",
        "scegg_core/scen/losses.py",
        "(local_scores - global_scores).square()",
        "(global_scores - local_scores).square()",
        {"train_scen"},
        SPACES,
    ),
    one(
        "`eggn/losses.py` `gradient_penalty`: the critic's loss, Eq. 11",
        "scegg_core/eggn/losses.py",
        "(lengths - 1).square()",
        "(1 - lengths).square()",
        {"train_eggn"},
        GENERATOR,
    ),
    one(
        "`eggn/synthesis.py` `ROWS`: synthesis",
        "scegg_core/eggn/synthesis.py",
        "ROWS = 4096",
        "ROWS = 4095",
        {"synthesize", "score_epochs"},
        SYNTHESIS,
    ),
    one(
        "`classify/train.py` `train_final`: the final classifier",
        "scegg_core/classify/train.py",
        "    real, labels = None, synthetic.labels\n",
        "    labels, real = synthetic.labels, None\n",
        {"train_classifier", "score_epochs"},
        CLASSIFIER,
    ),
    one(
        "`evaluate/metrics.py` `harmonic_mean`: a metric",
        "scegg_core/evaluate/metrics.py",
        "return 2 * seen * unseen",
        "return 2 * unseen * seen",
        {"score", "score_epochs", "predict_closed_form", "plot_tradeoff", "build_page"},
        {"predict_closed_form"} | EVALUATION - {"plot_confusion"},
    ),
    one(
        "`report/tables.py` `result_table`: a table",
        "scegg_core/report/tables.py",
        'def result_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":\n',
        'def result_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":\n    results = list(results)\n',
        {"tabulate"},
        {"tabulate", "build_page"},
    ),
    one(
        "`report/figures/tsne.py` `_entry`: the t-SNE figure",
        "scegg_core/report/figures/tsne.py",
        'marker: str = "", colour="none"',
        'marker: str = "o", colour="none"',
        {"plot_tsne", "build_page"},
        {"plot_tsne", "build_page"},
    ),
    one("a docstring", "scegg_core/eggn/losses.py", "Return the mean of (length - 1)^2", "Return mean (length - 1)^2"),
    one(
        "`description=` of a setting",
        "scegg_core/settings/backbone.py",
        "square input size in pixels; a multiple",
        "side of the square input in pixels; a multiple",
    ),
    one("a function that nothing uses", "scegg_core/eggn/losses.py", "", "\n\ndef unused(x):\n    return x\n"),
    Edit(
        "a function moved to another module",
        (
            ("scegg_core/eggn/synthesis.py", NOISE, ""),
            (
                "scegg_core/eggn/synthesis.py",
                "from scegg_core.eggn.data import",
                "from scegg_core.eggn.model import _noise\nfrom scegg_core.eggn.data import",
            ),
            ("scegg_core/eggn/model.py", "", "\n\n" + NOISE),
        ),
    ),
)
