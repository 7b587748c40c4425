"""The list of settings that differ from the defaults."""

import yaml

from scegg_core.settings.changed import changed_settings
from scegg_core.settings.resolve import read_configuration
from tests.conftest import ROOT


def changed(dataset: str, **sections) -> dict[str, tuple[str, str]]:
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    for name, own in sections.items():
        values[name] = values.get(name, {}) | own
    return {name: (value, default) for name, value, default in changed_settings(read_configuration(values), dataset)}


def test_a_data_set_at_the_defaults_names_its_words_alone():
    assert changed("cub") == {
        "attribute_vectors.download": ("glove", "null"),
        "attribute_vectors.names": ("cub", "plain"),
    }


def test_settings_of_a_data_set_and_of_its_section_stand_beside_their_defaults():
    found = changed("aviary", eggn={"kl_weight": 2.0})
    assert found["eggn.epochs"] == ("32", "200")
    assert found["eggn.kl_weight"] == ("2.0", "1.0")
    assert found["backbone.finetune.image_size"] == ("48", "null")
    assert found["seeds"] == ("0, 1, 2", "0, 1, 2, 3, 4")


def test_what_a_variant_and_its_space_change_stands_under_their_names():
    own = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]["cub"]
    found = changed("cub", datasets={"cub": own | {"variants": ["sc-egg-plus"]}})
    assert found["variant sc-egg-plus: classifier.input"] == ("transformed", "dense")
    assert found["space sc-egg-plus: scen.local_scale"] == ("30.0", "1.0")


def test_no_path_of_this_machine_is_named():
    own = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]["cub"]
    found = changed("cub", datasets={"cub": own | {"backbone": {"network": "resnet50", "weights": "/home/me/w.pt"}}})
    assert found["backbone.weights"] == ("w.pt", "IMAGENET1K_V1")
    assert not [value for values in found.values() for value in values if "/" in value]
