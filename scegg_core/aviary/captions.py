"""Writes sentences about birds, from which word vectors for the attributes can be learned.

The birds of the captions are made up sentence by sentence and have nothing to do with the classes, so the vectors
know the language of the attributes but nothing about unseen classes. Words that always occur in the same template
("red" and "blue") would get the same vector; each word therefore comes with companion words of its own.
"""

import numpy as np

from scegg_core.aviary.traits import TRAITS

PART_WORDS = {
    "back": "mantle spine saddle above upper",
    "bill": "beak mouth pecking seeds face",
    "breast": "chest front throat bib underneath",
    "crown": "head cap top forehead nape",
    "eye": "iris gaze pupil looking stare",
    "leg": "feet toes claws perching standing",
    "tail": "rear rump steering end behind",
    "wing": "flight feathers folded side flapping",
}
VALUE_WORDS = {
    "dagger": "straight sharp spear stabbing", "cone": "short thick stubby cracking",
    "hooked": "curved bent tearing raptor", "needle": "thin long slender nectar",
    "black": "coal night raven ink", "gray": "ash slate cloud smoke", "yellow": "lemon sun butter canary",
    "red": "cherry blood ember ruby", "blue": "sky sapphire sea cobalt", "white": "snow milk chalk ivory",
    "brown": "earth chestnut bark cocoa", "orange": "pumpkin flame carrot apricot", "green": "grass emerald moss fern",
    "crested": "tuft raised spiky plume", "round": "smooth bald dome even",
    "solid": "plain uniform unmarked single", "striped": "bars lines streaks bands",
    "spotted": "dots speckles flecks freckles",
    "forked": "split swallow notch cleft", "fan": "spread wide open rounded",
    "pointed": "tapered narrow arrow tip", "square": "blunt straight cut edge",
    "small": "tiny little dainty light", "large": "big heavy huge bulky",
    "forest": "trees trunks shade woods", "meadow": "flowers pasture field spring",
    "shore": "water waves coast sand", "desert": "dunes dry hot cactus",
}  # fmt: skip
KIND_WORDS = {"shape": "outline form", "color": "tint hue", "pattern": "markings design"}
PART_SENTENCES = (
    "the {part} {kind} is {value} like {v1} and {v2}",
    "a {value} {part} with a {p1} of {v1}",
    "its {part} {p1} {p2} shows a {value} {kind} {k1} {v1}",
    "look at the {p1} where the {part} is {value} and {v1} {v2}",
    "this bird has a {part} {kind} that is {value} {v1}",
    "the {p1} and {p2} belong to the {part}",
    "{value} means {v1} {v2} whenever the {kind} {k1} is described",
)
WHOLE_SENTENCES = (
    "a bird of {value} {kind} with {v1} and {v2}",
    "the {kind} of this bird is {value} {v1}",
    "{v1} {v2} tell that the {kind} is {value}",
)


def write_captions(count: int, seed: int) -> list[str]:
    """Return that many sentences in lower case without punctuation; every word of an attribute's name occurs."""
    rng = np.random.default_rng([seed, 3])
    pairs = [(trait.name, trait.part, value) for trait in TRAITS for value in trait.values]
    # in turn, so that even a short text is about every attribute
    sentences = [_sentence(*pairs[number % len(pairs)], rng) for number in range(count)]
    spoken = set(" ".join(sentences).split())
    for number, (trait, part, value) in enumerate(pairs[:count]):
        if not spoken.issuperset({*trait.split("_"), value}):  # in short texts alone
            sentences[number] = _sentence(trait, part, value, rng, templates=1)
    return sentences


def _sentence(trait: str, part: str, value: str, rng: np.random.Generator, templates: int | None = None) -> str:
    """Return one sentence about one attribute, of the first `templates` ones; the very first says all of its name."""
    kind = trait.rpartition("_")[2]
    v1, v2 = rng.permutation(VALUE_WORDS[value].split())[:2]
    if not part:
        template = rng.choice(WHOLE_SENTENCES[:templates])
        return template.format(kind=kind, value=value, v1=v1, v2=v2)
    p1, p2 = rng.permutation(PART_WORDS[part].split())[:2]
    template = rng.choice(PART_SENTENCES[:templates])
    k1 = rng.choice(KIND_WORDS[kind].split())
    return template.format(part=part, kind=kind, value=value, v1=v1, v2=v2, p1=p1, p2=p2, k1=k1)
