"""Mutations of files for property tests: flipped, cut, repeated, inserted and zeroed bytes, from a seed."""

import os
import random
from collections.abc import Iterator

#: How many cases a property test tries; the environment sets it for long runs.
CASES = int(os.environ.get("SCEGG_CASES", "0"))


def cases(default: int) -> range:
    """Return the seeds of a property test's cases."""
    return range(CASES or default)


def mutated(whole: bytes, seed: int) -> bytes:
    """Return `whole` after one to three mutations."""
    draw, data = random.Random(seed), bytearray(whole)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        _mutate(data, draw)
    return bytes(data)


def _mutate(data: bytearray, draw: random.Random) -> None:
    at, length = draw.randrange(len(data) + 1), draw.choice((1, 1, 2, 4, 8, 64))
    piece = data[at : at + length]
    kind = draw.choice(("flip", "flip", "flip", "cut", "end", "repeat", "insert", "set", "move"))
    if kind == "flip" and piece:
        data[at] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del data[at : at + length]
    elif kind == "end":
        del data[at:]
    elif kind == "repeat":
        data[at:at] = piece * draw.choice((1, 1, 3))
    elif kind == "insert":
        data[at:at] = draw.randbytes(length)
    elif kind == "set":
        data[at : at + length] = draw.choice((b"\0", b"\xff", b" ", b"9", b"-")) * len(piece)
    elif kind == "move":
        del data[at : at + length]
        place = draw.randrange(len(data) + 1)
        data[place:place] = piece


def each_mutated(whole: dict[str, bytes], default: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, mutated bytes) of the files `whole`, in turn, for every case."""
    for seed in cases(default):
        name = list(whole)[seed % len(whole)]
        yield name, mutated(whole[name], seed)
