"""The kinds of artifacts: their schema versions, and the columns of tables. docs/architecture.md says what each holds.

Version 2 of whatever follows g: g points the way of its regions, see `train_scen.ScenTrainer`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """A documented kind of artifact: its name, schema version and, of a table, columns (name → pandas/Arrow type)."""

    name: str
    version: int
    columns: dict[str, str] = field(default_factory=dict)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("classes", 1, {"name": "string", "seen": "bool", "percent": "list<float>", "vector": "list<float>"}),
        Kind("images", 2, {"path": "string", "label": "int32", "split": "string", "row": "int32"}),
        Kind("test_labels", 1, {"image": "int32", "label": "int32"}),
        Kind("attributes", 1, {"name": "string", "words": "string", "part": "string"}),
        Kind(
            "attribute_vectors",
            1,
            {"attribute": "string", "used": "string", "unknown": "string", "vector": "list<float>"},
        ),
        Kind("regions", 1, {"image": "int32", "regions": "binary"}),
        Kind("features", 2, {"image": "int32", "feature": "list<float>"}),
        Kind("semantics", 1, {"image": "int32", "semantic": "list<float>"}),
        Kind("synthetic", 2, {"label": "int32", "feature": "list<float>"}),
        Kind("predictions", 1, {"image": "int32", "label": "int32", "predicted": "int32", "scores": "list<float>"}),
        Kind("curve", 1, {"stage": "string", "epoch": "int32", "term": "string", "value": "double"}),
        *(Kind(name, 2) for name in ("scen", "scaler", "eggn", "snapshot", "classifier")),
    )
}
