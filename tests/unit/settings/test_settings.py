"""Settings: one definition of each, refused when misspelt or out of range, layered as documented."""

import re
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from scegg_core.errors import InputError
from scegg_core.settings.downloads import Download
from scegg_core.settings.networks import torchvision_networks
from scegg_core.settings.overrides import STAGES
from scegg_core.settings.page import page_text
from scegg_core.settings.plan import plan_of
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.schema import schema, schema_text
from tests.conftest import ROOT


@pytest.fixture
def values() -> dict:
    """What config.yaml says."""
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def merged(values: dict, *layers: dict) -> dict:
    """The values with the layers laid over them, as the workflow lays config files over each other."""
    for layer in layers:
        values = dict(values)
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = merged(values[key], value) if both else value
    return values


def test_the_overlays_in_the_table_of_the_readme_are_settings(values):
    methods = yaml.safe_load((ROOT / "resources/methods.yaml").read_text())
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    overlays = [text for row in rows for text in re.findall(r"`(\w+: \{.*?\})`", row)]
    assert len(overlays) == 5
    for text in overlays:
        read_configuration(merged(methods, values, yaml.safe_load(text)))


def test_schema_and_reference_page_are_made_from_the_classes():
    assert (ROOT / "schemas/config.schema.yaml").read_text(encoding="utf-8") == schema_text(), "run: make schema"
    assert (ROOT / "docs/config.md").read_text(encoding="utf-8") == page_text(), "run: make schema"


def test_the_reference_page_has_every_key_of_every_class():
    page = page_text()
    for name, definition in schema()["$defs"].items():
        for key in definition["properties"]:
            assert f"| `{key}` |" in page, f"{name}.{key}"
    assert "| `kl_weight` | number ≥ 0, ≤ 1000000 | 1.0 | weight of the KL term in Eq. 10 |" in page
    assert "| `feedback_learning_rate` | number > 0, ≤ 10 | 1.0e-5 | Adam learning rate of F; TF-VAEGAN's |" in page


@pytest.mark.parametrize("section", STAGES)
def test_config_leaves_the_stages_at_the_defaults_of_their_classes(values, section):
    assert getattr(read_configuration(values), section) == STAGES[section]()


def test_config_is_what_a_user_edits():
    assert len((ROOT / "config.yaml").read_text(encoding="utf-8").splitlines()) <= 200


def test_config_validates_against_the_schema(values):
    from snakemake.utils import validate

    validate(values, str(ROOT / "schemas/config.schema.yaml"), set_default=False)


def test_overlays_are_valid(values, monkeypatch, tmp_path):
    monkeypatch.setenv("SCEGG_REAL_DATA", str(tmp_path))
    overlays = [*sorted((ROOT / "overlays").glob("*.yaml")), *(ROOT / "tests").rglob("*.yaml")]
    for overlay in overlays:
        given = values
        for layer in overlays:
            if overlay.stem.startswith(layer.stem):  # cub100_on_g lies over cub100
                given = merged(given, yaml.safe_load(layer.read_text()))
        read_configuration(given)


#: The command in an overlay's first lines: the files that are laid over config.yaml, the data set, and what is asked of it.
COMMAND = re.compile(r"--configfile ((?:\S+ )+)(?:\\\n# +)?-- results/(\S+)/(\w+)\.csv")


def test_variants_and_spaces_of_an_overlay_are_used_by_its_own_commands(values, monkeypatch, tmp_path):
    monkeypatch.setenv("SCEGG_REAL_DATA", str(tmp_path))
    overlays = sorted((ROOT / "overlays").rglob("*.yaml"))
    for overlay in overlays:
        text = overlay.read_text(encoding="utf-8")
        commands = COMMAND.findall(text)
        assert commands, overlay
        for files, name, _ in commands:
            files = ["resources/methods.yaml", *files.split()]
            config = read_configuration(merged(values, *(yaml.safe_load((ROOT / file).read_text()) for file in files)))
            asked = {*config.dataset(name).variants, *config.tunings_of(name), *(config.tables.methods or ())}
            own = yaml.safe_load(text)
            assert own.get("variants", {}).keys() <= asked, overlay
            assert own.get("spaces", {}).keys() <= {config.variant(variant).space for variant in asked}, overlay


def test_variant_wins_over_data_set_over_section(values):
    values["eggn"] = {"epochs": 1, "batch_size": 2, "critic_steps": 3}
    values["datasets"]["cub"]["eggn"] = {"batch_size": 20, "critic_steps": 30}
    values["variants"]["sc-egg"]["eggn"] = {"critic_steps": 300}
    found = read_configuration(values).eggn_of("cub", "sc-egg")
    assert (found.epochs, found.batch_size, found.critic_steps) == (1, 20, 300)


def test_ablations_differ_from_the_full_method_in_one_setting(values):
    config = read_configuration(values)
    full = asdict(config.scen_of("cub", "sc-egg"))
    changed = {
        name: {k for k, v in asdict(config.scen_of("cub", name)).items() if v != full[k]}
        for name in ("wo-lce", "wo-gce", "wo-scr")
    }
    assert changed == {"wo-lce": {"local_weight"}, "wo-gce": {"global_weight"}, "wo-scr": {"stage2_epochs"}}
    assert config.variant("wo-egs").space == "sc-egg"
    assert config.eggn_of("cub", "wo-egs").seen_guidance == config.eggn_of("cub", "wo-egs").unseen_guidance == 0


#: What the authors' script really runs, by stage.
RELEASED = {
    "scen": {
        "optimizer": "rmsprop", "learning_rate": 1e-4, "weight_decay": 1e-4, "momentum": 0.9,
        "stage1_steps": 2000, "stage2_steps": 4000, "stage2_learning_rate": None, "compression": "mean",
        "classifier_width": 1024, "stage2_updates": "classifier", "stage2_reduction": "mean",
        "softmax_classes": "seen", "sampling": "class_balanced", "local_scale": 1.0, "initialization": "dazle",
        "initial_std": 1.0, "batch_size": 64,
    },
    "eggn": {
        "learning_rate": 1e-3, "epochs": 50, "feedback_strength": 0.0, "seen_guidance": 1.0, "unseen_guidance": 1e-3,
        "seen_path": "reconstruction", "decoder_loss": "weighted_l1", "sampling": "class_balanced", "batch_size": 64,
        "adversarial_weight": 1.0, "decoder_weight": 0.01, "freeze_decoder": False, "decoder_learning_rate": 1e-4,
        "feedback_learning_rate": 1e-4,
    },
    "synthesis": {"per_class": 400, "feedback_strength": 0.0},
    "classifier": {"input": "transformed", "epochs": 25, "learning_rate": 5e-4, "batch_size": 400},
}  # fmt: skip
#: What the paper's text says.
TEXT = {"learning_rate": 1e-4, "batch_size": 64, "epochs": 200, "adversarial_weight": 10.0, "decoder_weight": 0.01}
TEXT |= {"seen_guidance": 0.1, "unseen_guidance": 0.1, "decoder_loss": "l1", "guidance_classes": "all"}


@pytest.mark.parametrize("dataset", ["aviary", "cub", "sun", "awa2"])
def test_released_code_has_all_its_departures_on_every_data_set(values, dataset):
    config = read_configuration(values)
    found = {stage: getattr(config, f"{stage}_of")(dataset, "released-code") for stage in RELEASED}
    assert {
        stage: {name: getattr(found[stage], name) for name in given} for stage, given in RELEASED.items()
    } == RELEASED
    assert found["classifier"].batch_size == found["synthesis"].per_class


@pytest.mark.parametrize("dataset", ["aviary", "cub", "sun", "awa2", "cub100"])
def test_paper_has_the_texts_values_on_every_data_set(values, dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("SCEGG_REAL_DATA", str(tmp_path))
    overlay = yaml.safe_load((ROOT / "overlays/cub100.yaml").read_text())
    config = read_configuration(merged(values, overlay))
    assert config.scen_of(dataset, "paper") == STAGES["scen"]()
    found = config.eggn_of(dataset, "paper")
    assert {name: getattr(found, name) for name in TEXT} == TEXT
    assert config.classifier_of(dataset, "paper").input == "dense"


def test_on_cub_the_full_method_is_the_papers(values):
    config = read_configuration(values)
    assert config.scen_of("cub", config.variant("sc-egg").space) == config.scen_of("cub", "paper")
    assert config.eggn_of("cub", "sc-egg") == config.eggn_of("cub", "paper")


def test_departures_found_on_validation_stay_out_of_the_papers_settings(values):
    config = read_configuration(values)
    full, plus = (asdict(config.scen_of("cub", name)) for name in ("sc-egg", "sc-egg-plus"))
    changed = {name for name, value in plus.items() if value != full[name]}
    assert changed == {"region_norm", "compression_start", "attention_rate", "softmax_classes", "local_scale"}
    guide = {"seen_guidance": 0.1, "unseen_guidance": 0.1}
    rest = {"sampling": "random", "adversarial_weight": 10.0, "feedback_strength": 1.0}
    assert replace(config.eggn_of("cub", "sc-egg-plus"), **guide, **rest) == config.eggn_of("cub", "sc-egg")
    assert config.synthesis_of("cub", "sc-egg-plus").feedback_strength == 0
    assert config.classifier_of("cub", "sc-egg").input == config.classifier_of("cub", "paper").input == "dense"
    assert config.classifier_of("cub", "sc-egg-plus").input == "transformed"


def test_what_validation_on_cub100_chose_is_sc_egg_plus(values, monkeypatch, tmp_path):
    monkeypatch.setenv("SCEGG_REAL_DATA", str(tmp_path))
    for name in ("cub100", "cub100_released_stage3"):
        values = merged(values, yaml.safe_load((ROOT / f"overlays/{name}.yaml").read_text()))
    config = read_configuration(values)
    row, plus = (
        (
            config.scen_of("cub100", config.variant(name).space),
            replace(config.eggn_of("cub100", name), feedback_learning_rate=1.0),  # of no use without feedback
            config.synthesis_of("cub100", name),
            config.classifier_of("cub100", name),
        )
        for name in ("sc-egg", "sc-egg-plus")
    )
    assert row == plus


def test_benchmarks_have_five_seeds(values):
    config = read_configuration(values)
    for name in ("cub", "sun", "awa2"):
        assert config.dataset(name).seeds == (0, 1, 2, 3, 4)
        assert [seed for variant, seed in config.runs(name) if variant == "sc-egg"] == [0, 1, 2, 3, 4]


def test_validation_split_has_its_data_sets_settings(values):
    config = read_configuration(values)
    assert config.scen_of("cub/validation", "sc-egg") == config.scen_of("cub", "sc-egg")


@pytest.mark.parametrize(
    ("section", "change", "sentence"),
    [
        ("eggn", {"epochs": 0}, "config: eggn.epochs is 0: should be greater than or equal to 1."),
        (
            "eggn",
            {"generator": "gan"},
            "config: eggn.generator is 'gan': should be 'cada-vae', 'ce-gzsl', 'f-clswgan', 'f-vaegan', 'f-vaegan-d2', 'free', 'lisgan' or 'tf-vaegan'.",
        ),
        (
            "scen",
            {"learning_rat": 1},
            "config: scen.learning_rat is not a known setting (did you mean learning_rate?).",
        ),
        ("run", {"deterministic": "perhaps"}, "config: run.deterministic is 'perhaps': "),
        ("tsne", {"variants": []}, "config: tsne.variants is []: "),
        ("run", {"device": "gpu"}, "config: run.device is 'gpu': should be auto, cpu, cuda, or one GPU, "),
        ("run", {"device": "cuda:"}, "config: run.device is 'cuda:': should be auto, cpu, cuda, or one GPU, "),
        (
            "datasets",
            {"x": {"format": "cub"}},
            "config: datasets.x has no folder: set format and folder, or features in place of pictures.",
        ),
    ],
)
def test_bad_values_get_a_sentence(values, section, change, sentence):
    values[section] = {**values.get(section, {}), **change}
    with pytest.raises(InputError, match="^" + re.escape(sentence)):
        read_configuration(values)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_devices_that_torch_knows_are_taken(values, device):
    values["run"] = {"device": device}
    assert read_configuration(values).run.device == device


def test_networks_are_those_of_torchvision():
    from scegg_core.regions.vision import import_torchvision

    import_torchvision()
    from torchvision import models

    assert torchvision_networks() >= set(models.list_models(module=models))


def test_timm_has_one_pin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (pinned,) = project["optional-dependencies"]["timm"]
    assert pinned in (ROOT / "envs/requirements-timm.txt").read_text().splitlines()


def test_pins_of_conda_and_pip_are_the_same():
    conda = yaml.safe_load((ROOT / "envs/scegg.yaml").read_text())
    lists = ("requirements.txt", "requirements-slurm.txt")
    assert {"pip": [f"-r {name}" for name in lists]} in conda["dependencies"]
    lines = [line for name in lists for line in (ROOT / "envs" / name).read_text().splitlines()]
    assert all("==" in line for line in lines if line and line[0] not in "#-")


def test_core_never_names_the_workflow_engine():
    named = [path for path in Path(ROOT / "scegg_core").rglob("*.py") if "snakemake" in path.read_text().lower()]
    assert named == []


TUNED = {"weights": "mine.pth", "finetune": {"epochs": 2}}


@pytest.mark.parametrize(
    ("backbone", "trained", "folders"),
    [({"weights": "mine.pth"}, False, (1, 0)), (TUNED, True, (1, 1)), ({**TUNED, "seeds": "own"}, True, (2, 2))],
)
def test_a_row_that_draws_nothing_has_one_seed_unless_each_has_its_own_backbone(values, backbone, trained, folders):
    own = {"backbone": backbone, "seeds": [4, 7], "variants": ["prototype", "baseline"]}
    config = read_configuration(merged(values, {"datasets": {"cub": own}}))
    assert config.dataset("cub").backbone.trained is trained
    assert config.seeds_of("cub", "baseline") == (4, 7)
    assert config.seeds_of("cub", "prototype") == ((4, 7) if folders[0] == 2 else (4,))
    assert tuple(plan_of(config, "cub")["extractions"]) == folders
    assert config.table_part("cub", {})["shared_backbone"] is (folders == (1, 1))


def test_a_network_that_is_random_for_good_is_never_trained(values):
    backbone = merged(values, {"datasets": {"aviary": {"backbone": {"weights": "random"}}}})
    assert not read_configuration(backbone).dataset("aviary").backbone.trained


def test_what_no_download_brings_is_the_users_own():
    """The folder of fetched pictures holds what arrives, the splits lie in what arrives; the rest is one's own."""
    pictures = Download(url="http://a/b.tgz", file="data/archives/b.tgz", unpack_to="data/cub", provides=("images",))
    whole = Download(url="http://a/c.zip", file="data/archives/c.zip", unpack_to="data/whole")
    places = ("data/cub", "data/cub/images/1.jpg", "data/whole/splits", "data/archives/b.tgz")
    own = ("my/attributes.txt", "data/cub/attribute_parts.csv", "data/cubs")
    brought = [place for place in (*places, *own) if pictures.brings(place) or whole.brings(place)]
    assert tuple(brought) == places


@pytest.mark.parametrize("path", ["mine.txt", "data/archives/glove.6B.300d.txt", "glove-wiki-gigaword-300"])
def test_word_vectors_that_no_download_brings_are_ones_own(values, path):
    """An overlay that sets `path` alone leaves the download, which would be fetched and watched in the file's place."""
    own = {"datasets": {"cub": {"attribute_vectors": {"path": path}}}}
    cub = read_configuration(merged(values, own)).dataset("cub")
    assert (cub.vectors.path, cub.vectors.download) == (path, None)
    assert cub.all_downloads == ("cub_images", "xlsa17")


@pytest.mark.parametrize("folder", ["", "./", f"{Path.cwd()}/"])
def test_word_vectors_that_a_download_brings_are_fetched(values, folder):
    own = {"datasets": {"cub": {"attribute_vectors": {"path": f"{folder}data/archives/glove.6B.zip"}}}}
    cub = read_configuration(merged(values, own)).dataset("cub")
    assert cub.all_downloads == ("cub_images", "xlsa17", "glove")
