"""What arrays and columns beside features are called, in small letters, that say which image, label or split a row is of."""

LABELS, SPLITS = ("label", "labels", "class", "target", "targets"), ("split", "splits")

NAMES = {
    "image": ("image", "images", "path", "paths", "file", "files", "filename", "filenames", "image_files"),
    "label": (*LABELS, "y", "y_true", "label_id", "label_ids", "class_id", "class_ids"),
    "split": SPLITS,
}
MEANING = {name: what for what, names in NAMES.items() for name in names}

#: What says which rows are of which splits, by flags or by their numbers.
PLACES = {f"{split}_loc": (split,) for split in ("trainval", "test_seen", "test_unseen")}
PLACES |= dict.fromkeys(("train", "trainval", "is_train"), ("trainval",))
PLACES |= dict.fromkeys(("test", "is_test"), ("test_seen", "test_unseen"))
