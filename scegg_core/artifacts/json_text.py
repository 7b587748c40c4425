"""Reading JSON that may come from anywhere."""

import json


def parse_json(text: str | bytes) -> object:
    """Return what the JSON `text` holds; raises ValueError for whatever cannot be read, however it is damaged."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
