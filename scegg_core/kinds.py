"""The kinds of tables: their schema versions and columns. docs/architecture.md says what each holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A documented kind of table: its name, schema version and columns (name → pandas/Arrow type in words)."""

    name: str
    version: int
    columns: dict[str, str]


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
        Kind("features", 1, {"image": "int32", "feature": "list<float>"}),
        Kind("semantics", 1, {"image": "int32", "semantic": "list<float>"}),
        Kind("synthetic", 1, {"label": "int32", "feature": "list<float>"}),
        Kind("predictions", 1, {"image": "int32", "label": "int32", "predicted": "int32", "scores": "list<float>"}),
        Kind("curve", 1, {"stage": "string", "epoch": "int32", "term": "string", "value": "double"}),
    )
}
