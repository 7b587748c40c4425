"""All kinds of artifacts: their schema versions, and the columns of tables. docs/architecture.md says what each holds.

Version 2 of whatever follows g: g points the way of its regions, see `scen.train.ScenTrainer`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """A documented kind of artifact: its name, schema version and, of a table, columns (name → pandas/Arrow type)."""

    name: str
    version: int
    columns: dict[str, str] = field(default_factory=dict)


TABLES = (
    Kind("classes", 1, {"name": "string", "seen": "bool", "percent": "list<float>", "vector": "list<float>"}),
    Kind("images", 2, {"path": "string", "label": "int32", "split": "string", "row": "int32"}),
    Kind("test_labels", 1, {"image": "int32", "label": "int32"}),
    Kind("attributes", 1, {"name": "string", "words": "string", "part": "string"}),
    Kind(
        "attribute_vectors", 1, {"attribute": "string", "used": "string", "unknown": "string", "vector": "list<float>"}
    ),
    Kind("regions", 1, {"image": "int32", "regions": "binary"}),
    Kind("features", 2, {"image": "int32", "feature": "list<float>"}),
    Kind("semantics", 1, {"image": "int32", "semantic": "list<float>"}),
    Kind("synthetic", 2, {"label": "int32", "feature": "list<float>"}),
    Kind("predictions", 1, {"image": "int32", "label": "int32", "predicted": "int32", "scores": "list<float>"}),
    Kind("curve", 1, {"stage": "string", "epoch": "int32", "term": "string", "value": "double"}),
    Kind("curves", 1, {"seed": "int32", "stage": "string", "epoch": "int32", "term": "string", "value": "double"}),
    Kind(
        "epochs",
        2,
        {
            **{"epoch": "int32", "acc": "double", "u": "double", "s": "double", "h": "double", "ausuc": "double"},
            "constant": "double",
        },
    ),
    Kind(
        "outcomes",
        1,
        {
            **{"image": "int32", "label": "int32", "seen": "bool", "right_czsl": "bool", "right_gzsl": "bool"},
            **{"right_own": "bool", "flip": "double"},
        },
    ),
)

#: Safetensors files.
TENSORS = (
    Kind("backbone", 1),
    Kind("scen", 2),
    Kind("dazle", 1),
    Kind("scaler", 2),
    Kind("eggn", 2),
    Kind("snapshot", 2),
    Kind("classifier", 2),
    Kind("class_attributes", 1),  # of exported models
)

#: JSON files.
RECORDS = (Kind("metrics", 2), Kind("exported_model", 2), Kind("exchange", 1))

KINDS = {kind.name: kind for kind in (*TABLES, *TENSORS, *RECORDS)}
