"""What the settings refuse, at every depth, each with one sentence that names the setting by its path."""

import re
import time

import pytest
import yaml

from scegg_core.errors import InputError
from scegg_core.report.published import read_published
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.names import LARGEST_SEED
from scegg_core.settings.near import unasked
from scegg_core.settings.overrides import STAGES
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.tsne import TsneSettings
from tests.conftest import ROOT
from tests.unit.settings.test_settings import merged

VALUES = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def refused(overlay: str) -> str:
    """The sentence with which config.yaml under this overlay is refused."""
    with pytest.raises(InputError) as error:
        read_configuration(merged(VALUES, yaml.safe_load(overlay)))
    sentence = str(error.value)
    assert sentence.startswith("config: ") and sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_data_sets_of_the_same_drawing_share_its_folder():
    twin = {"format": "cub", "folder": "data/aviary", "generate": {}}
    config = read_configuration(merged(VALUES, {"datasets": {"twin": twin}}))
    assert config.generated("data/aviary") == config.datasets["twin"].generate


@pytest.mark.parametrize("beside", ["calibration_weight: 1.0", "stage1_epochs: 0"])
def test_weights_of_0_are_taken_where_stage_1_learns_something_else_or_is_left_out(beside):
    given = f"scen: {{{beside}}}\ndatasets: {{aviary: {{scen: {{{beside}}}}}}}"
    overlay = given + "\nspaces: {sc-egg: {scen: {local_weight: 0, global_weight: 0}}}"
    config = read_configuration(merged(VALUES, yaml.safe_load(overlay)))
    assert config.scen_of("cub", "sc-egg").global_weight == 0


@pytest.mark.parametrize(
    ("overlay", "path", "nearest"),
    [
        ("egn: {}", "egn", "eggn"),
        ("tsne: {class: 3}", "tsne.class", "classes"),
        ("attention: {image: {}}", "attention.image", "images"),
        ("downloads: {glove: {checksums: x}}", "downloads.glove.checksums", "checksum"),
        ("datasets: {aviary: {generate: {clases: 9}}}", "datasets.aviary.generate.clases", "classes"),
        ("datasets: {cub: {backbone: {finetune: {epoch: 5}}}}", "datasets.cub.backbone.finetune.epoch", "epochs"),
        ("datasets: {cub: {images: {on_bad: skip}}}", "datasets.cub.images.on_bad", "on_bad_image"),
        ("datasets: {awa2: {classifier: {batch_sise: 5}}}", "datasets.awa2.classifier.batch_sise", "batch_size"),
        ("variants: {my: {eggn: {epoch: 5}}}", "variants.my.eggn.epoch", "epochs"),
        ("variants: {my: {titel: x}}", "variants.my.titel", "title"),
        ("spaces: {my: {scen: {region_nrm: l2}}}", "spaces.my.scen.region_nrm", "region_norm"),
        ("tuning: {sc-egg: {grid: {eggn.epoch: [1]}}}", "tuning.sc-egg.grid.eggn.epoch", "epochs"),
        ("tuning: {sc-egg: {grid: {eggn.epochs: [1]}, seed: [0]}}", "tuning.sc-egg.seed", "seeds"),
    ],
)
def test_a_misspelt_key_is_refused_at_every_depth_also_where_no_table_uses_it(overlay, path, nearest):
    assert refused(overlay) == f"config: {path} is not a known setting (did you mean {nearest}?)."


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("eggn: {epochs: many}", "config: eggn.epochs is 'many': "),
        ("scen: {batch_size: 0}", "config: scen.batch_size is 0: should be greater than or equal to 1."),
        ("datasets: {aviary: {variants: [sc-eg]}}", "config: variants has no 'sc-eg'; known: baseline, "),
        (
            "variants: {len: {eggn: {epochs: 1}}}",
            "predict_by embedding takes no eggn, synthesis or classifier settings",
        ),
        ("run: {device: gpu}", "config: run.device is 'gpu': should be auto, cpu, cuda, or one GPU, such as cuda:0."),
    ],
)
def test_what_is_wrong_with_a_value_is_said(overlay, sentence):
    assert sentence in refused(overlay)


@pytest.mark.parametrize("stage", STAGES)
def test_every_setting_of_a_stage_can_be_overridden_and_keeps_its_range(stage):
    values = merged(VALUES, {"datasets": {"cub": {stage: {"learning_rate": -1.0}}}})
    with pytest.raises(InputError, match=rf"^config: datasets\.cub\.{stage}\.learning_rate is "):
        read_configuration(values)


def test_an_override_keeps_what_is_said_and_no_more():
    config = read_configuration(merged(VALUES, {"variants": {"my": {"eggn": {"learning_rate": 1}}}}))
    assert config.variants["my"].eggn == {"learning_rate": 1.0}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1e-4", "is the text '1e-4'; write the number as 1.0e-4."),
        ("1e4", "is the text '1e4'; write the number as 1.0e+4."),
        ("'0.5'", "is the text '0.5'; write the number as 0.5, without quotes."),
        ("fast", "is 'fast': should be a number."),
        ("true", "is true: should be a number."),
        (".nan", "is nan: should be a finite number."),
        (".inf", "is inf: should be a finite number."),
        ("null", "is null: should be a number."),
        ("[0.1]", "is [0.1]: should be a number."),
    ],
)
def test_values_are_read_as_written(value, said):
    assert refused(f"eggn: {{learning_rate: {value}}}") == f"config: eggn.learning_rate {said}"
    assert refused(f"variants: {{my: {{eggn: {{learning_rate: {value}}}}}}}").endswith(said)
    assert refused(f"tuning: {{sc-egg: {{grid: {{eggn.learning_rate: [{value}]}}}}}}").endswith(said)


@pytest.mark.parametrize("value", ["20.0", "true", "'20'", "2.5"])
def test_whole_numbers_have_no_point(value):
    assert refused(f"eggn: {{epochs: {value}}}").startswith("config: eggn.epochs is ")


@pytest.mark.parametrize(
    ("setting", "value", "number"),
    [
        ("epochs", "1.0e3", "1000"), ("epochs", "1.50e1", "15"), ("epochs", "1E3", "1000"), ("epochs", "1e20", None),
        ("epochs", "1e99999999999", None), ("epochs", "1.5e0", None), ("epochs", "1e-3", None),
        ("epochs", "'20'", "20, without quotes"), ("epochs", "'20.0'", "20, without quotes"),
        ("epochs", "'1,000'", "1000"), ("epochs", "'2,5'", None), ("epochs", "'٣'", None),
        ("learning_rate", "1.0e3", "1.0e+3"), ("learning_rate", "'0,5'", "0.5"), ("learning_rate", "'-0,5'", "-0.5"),
        ("learning_rate", "'0,001'", "0.001"), ("learning_rate", "'1,5e-4'", "1.5e-4"),
        ("learning_rate", "'1,000'", "1000, or as 1.000"),
    ],
)  # fmt: skip
def test_the_number_that_a_text_is_meant_as(setting, value, number):
    text = value.strip("'")
    what = "whole number" if setting == "epochs" else "number"
    said = (
        f"is '{text}': should be a {what}."
        if number is None
        else f"is the text '{text}'; write the number as {number}."
    )
    assert refused(f"eggn: {{{setting}: {value}}}") == f"config: eggn.{setting} {said}"


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("datasets: {Aviary: {seeds: [0]}}", "datasets has aviary and Aviary, which differ in case alone and would be one folder on some disks; write aviary if you mean that one, or choose another name."),
        ("variants: {Baseline: {eggn: {epochs: 3}}}", "variants has baseline and Baseline, which differ in case alone and would be one folder on some disks; write baseline if you mean that one, or choose another name."),
        ("datasets: {aviery: {seeds: [0]}}", "datasets.aviery has no format and folder, and no features; did you mean aviary?"),
        ("datasets: {birds: {seeds: [0]}}", "datasets.birds has no format: set format and folder, or features in place of pictures."),
        ("tables: {summary: [Aviary]}", "datasets has no 'Aviary'; known: aviary, awa2, cub, sun (did you mean aviary?)."),
        ("variants: {sc_egg: {eggn: {epochs: 3}}}", "variants has sc-egg and sc_egg, which differ in - and _ alone; write both alike if you mean one, or choose another name."),
        ("spaces: {Sc_Egg: {scen: {local_scale: 3.0}}}", "spaces has Sc_Egg and sc-egg, which differ in - and _ alone; write both alike if you mean one, or choose another name."),
        ("EGGN: {epochs: 3}", "EGGN is not a known setting (did you mean eggn?)."),
    ],
)  # fmt: skip
def test_names_that_are_nearly_known_ones(overlay, sentence):
    with pytest.raises(InputError) as error:
        read_configuration(merged(VALUES, yaml.safe_load(overlay)))
    assert str(error.value) == f"config: {sentence}"


NEW = """
spaces: {backbon: {kind: backbone}, sc-egg2: {}}
variants: {baselin: {space: sc-egg2}, bird: {space: backbone}, dazl: {title: D}}
"""


@pytest.mark.parametrize(
    ("asking", "targets", "names"),
    [
        ("{}", [], ["variants.baselin baseline", "spaces.backbon backbone"]),
        ("{}", ["results/aviary/variants/baselin/seed0/metrics.json"], ["spaces.backbon backbone"]),
        (
            "datasets: {cub: {variants: [baselin~budget, dazle]}}",
            [],
            ["variants.dazl dazle", "spaces.backbon backbone"],
        ),
        ("tables: {spaces: [backbone, backbon], methods: [baselin]}", [], []),
        ("tsne: {variants: [baselin+backbon]}", [], []),
    ],
)
def test_new_names_that_nothing_asks_for_and_that_are_nearly_one_asked_for_are_named(asking, targets, names):
    config = read_configuration(merged(merged(VALUES, yaml.safe_load(NEW)), yaml.safe_load(asking)))
    said = list(unasked(config, {*VALUES["variants"], *VALUES["spaces"]}, targets))
    sentence = "config: no row and no target asks for {}; did you mean {}?"
    assert said == [sentence.format(*pair.split()) for pair in names]


def test_a_method_on_a_space_in_a_picture_has_runs_of_its_own():
    config = read_configuration(merged(VALUES, {"tsne": {"variants": ["f-clswgan+paper", "baseline"]}}))
    assert config.with_points()["f-clswgan+paper"].space == "paper"


def test_the_number_that_a_refusal_proposes_is_one_to_yaml():
    for text in ("1e-4", "1E4", "-3e2", "2.5e3"):
        with pytest.raises(InputError) as error:
            parse_section(EggnSettings, {"beta1": text})
        proposed = re.search(r"write the number as (\S+?)\.?$", str(error.value))[1]
        assert yaml.safe_load(proposed) == float(text)


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("datasets: {cub: {seeds: [1, 1]}}", "config: datasets.cub.seeds names 1 twice."),
        ("variants: {len: {seeds: [3, 3]}}", "config: variants.len.seeds names 3 twice."),
        ("tuning: {sc-egg: {grid: {eggn.epochs: [1]}, seeds: [2, 2]}}", "config: tuning.sc-egg.seeds names 2 twice."),
        ("tuning: {sc-egg: {grid: {eggn.epochs: [1, 1]}}}", "config: tuning.sc-egg.grid.eggn.epochs names 1 twice."),
        ("datasets: {cub: {variants: [len, len]}}", "config: datasets.cub.variants names 'len' twice."),
        ("tables: {summary: [cub, cub]}", "config: tables.summary names 'cub' twice."),
        ("datasets: {cub: {seeds: [-1]}}", "config: datasets.cub.seeds.0 is -1: should be greater than or equal to 0."),
        ("variants: {len: {seeds: []}}", "config: variants.len.seeds is []: should not be empty."),
        (
            "datasets: {cub: {published: CBU}}",
            "config: datasets.cub.published is 'CBU': should be 'CUB', 'SUN', 'AWA2', 'CUB, fine-tuned', 'SUN, fine-tuned' or 'AWA2, fine-tuned'.",
        ),
    ],
)
def test_nothing_is_named_twice_and_seeds_are_in_range(overlay, sentence):
    assert refused(overlay) == sentence


def test_seeds_go_up_to_one_that_torch_and_numpy_know_and_that_the_workflow_has_a_wildcard_for():
    assert LARGEST_SEED < 2**63
    wildcard = re.search(r'seed=r"(.*?)"', (ROOT / "rules/common.smk").read_text("utf-8"))[1]
    for seed in (0, 1, 10**17, 10**18, LARGEST_SEED):
        assert read_configuration(merged(VALUES, {"datasets": {"cub": {"seeds": [seed]}}}))
        assert re.fullmatch(wildcard, str(seed))
    for seed in (LARGEST_SEED + 1, 2**63, 2**64):
        assert refused(f"datasets: {{cub: {{seeds: [{seed}]}}}}").endswith(f"less than or equal to {LARGEST_SEED}.")
        assert not re.fullmatch(wildcard, str(seed))


BAD_NAMES = ["a|b", "a/b", "*", "{x}", "a b", "..", ".a", "-a", "a" * 65, "a@1", "é", "", "a\n"]


@pytest.mark.parametrize("section", ["variants", "spaces", "datasets", "downloads", "extensions"])
@pytest.mark.parametrize("name", [*BAD_NAMES, "validation", "none"])
def test_names_that_are_no_single_folder_and_wildcard_are_refused(section, name):
    entry = {
        "datasets": {"format": "cub", "folder": "x"},
        "downloads": {"url": "x", "file": "y"},
        "extensions": "x.csv",
    }
    shown = name if name.isprintable() and name else repr(name)
    with pytest.raises(InputError, match=rf"^config: {section}\.{re.escape(shown)} cannot be used as a name"):
        read_configuration(merged(VALUES, {section: {name: entry.get(section, {})}}))


def test_names_that_yaml_reads_as_something_else_are_refused():
    assert refused("variants: {on: {}}") == "config: variants has the key true; put it in quotes."
    assert refused("variants: {2024: {}}") == "config: variants has the key 2024; put it in quotes."


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("tsne: {classes: 1, per_class: 1}", "config: tsne does not fit together: 3 points are too few for t-SNE"),
        ("tsne: {perplexity: 0.001}", "config: tsne.perplexity is 0.001: should be greater than or equal to 1"),
        ("tsne: {seed: 4294967296}", "config: tsne.seed is 4294967296: should be less than or equal to 4294967295"),
        ("variants: {v: {space: nowhere}}", "config: spaces has no 'nowhere'"),
        ("variants: {v: {space: backbone, predict_by: embedding}}", "config: variants.v predicts by embedding, but"),
        (
            "spaces: {s: {kind: backbone, scen: {local_scale: 2.0}}}",
            "config: spaces.s does not fit together: a space of",
        ),
        (
            "datasets: {cub: {folder: ~nobody_here/x}}",
            "config: datasets.cub.folder is '~nobody_here/x': the home folder",
        ),
        (
            "datasets: {cub: {folder: elsewhere, generate: {}}}",
            "config: datasets.cub does not fit together: a generated",
        ),
        ("eggn: {classification_weight: 0.1}", "has f-CLSWGAN's loss (classification_weight 0.1) beside L_EGS"),
        (
            "datasets: {cub: {variants: [mine]}}\nvariants: {mine: {eggn: {generator: f-vaegan}, classifier: {input: transformed}}}",
            "has input transformed, which needs a trained Dec",
        ),
        (
            "datasets: {cub: {variants: [mine]}}\nvariants: {mine: {space: backbone, eggn: {generator: cada-vae}, classifier: {input: dense}}}",
            "has input dense, but eggn's generator cada-vae makes features of a space of its own; set input: transformed.",
        ),
        (
            "datasets: {cub: {variants: [mine]}}\nvariants: {mine: {eggn: {generator: cada-vae}, classifier: {input: transformed}}}",
            "has L_EGS, which cannot guide generator cada-vae; set seen_guidance and unseen_guidance to 0.",
        ),
        (
            "tsne: {variants: [mine]}\nvariants: {mine: {space: backbone, eggn: {generator: cada-vae}, classifier: {input: transformed}}}",
            "config: tsne.variants names 'mine', whose generator cada-vae makes latent features, which cannot be drawn",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(overlay, said):
    assert said in refused(overlay)


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            "tables: {oracle: true}\nvariants: {sc-egg: {selection: validation}}",
            "config: tables.oracle needs all epochs, but variants.sc-egg has selection: validation, which ends its training",
        ),
        (
            "eggn: {snapshots: 0}\nvariants: {sc-egg: {selection: validation}}",
            "variants.sc-egg) has snapshots 0, but epochs are compared (selection: validation, or tables.oracle)",
        ),
        ("eggn: {snapshots: 0}\ntables: {oracle: true}", "has snapshots 0, but epochs are compared"),
        (
            "variants: {baseline: {eggn: {classification_weight: 0.1}}}",
            "has classification_weight 0.1, but generator tf-vaegan has no classification loss of its own; set it to 0.",
        ),
        (
            "datasets: {aviary: {title: CUB}}\ntables: {summary: [cub, aviary]}",
            "config: datasets.cub.title is 'CUB' as that of another one in tables.summary; change it.",
        ),
        (
            "variants: {len: {title: SC-EGG}}",
            "config: variants.sc-egg and variants.len are both called 'SC-EGG', and both are rows of aviary; give one",
        ),
        (
            "variants: {baseline: {eggn: {seen_guidance: 5.0, unseen_guidance: 0.0, guidance_classes: all}}}",
            "config: variants.baseline has eggn.seen_guidance, eggn.guidance_classes, which generator tf-vaegan does not read on a "
            "space of kind backbone, so that nothing would change; take them out.",
        ),
        (
            "datasets: {cub: {variants: [f-clswgan]}}\nvariants: {f-clswgan: {synthesis: {feedback_strength: 0.5}}}",
            "config: variants.f-clswgan has synthesis.feedback_strength, which generator f-clswgan does not read on a space of kind",
        ),
        (
            "datasets: {cub: {variants: [mine], eggn: {generator: f-vaegan}}}\nvariants: {mine: {eggn: {decoder_loss: l1}}}",
            "config: variants.mine has eggn.decoder_loss, which generator f-vaegan does not read, so that nothing would change;",
        ),
        (
            "variants: {f-clswgan: {eggn: {kl_weight: 2.0}}}",  # of a variant that no row has
            "config: variants.f-clswgan has eggn.kl_weight, which generator f-clswgan does not read on a space of kind backbone,",
        ),
        (
            "tuning: {baseline: {grid: {eggn.unseen_guidance: [0.0, 0.1]}}}",
            "config: tuning.baseline.grid has eggn.unseen_guidance, which generator tf-vaegan does not read on a space of kind",
        ),
        (
            "variants: {mine: {title: SC-EGG}}\ndatasets: {awa2: {variants: [mine]}}\ntables: {summary: [aviary, awa2]}",
            "config: variants.sc-egg and variants.mine are both called 'SC-EGG', and both are rows of tables.summary; give one",
        ),
        ("variants: {len: {title: ''}}", "config: variants.len.title is '': should be a line of text, or null."),
        (
            r'variants: {len: {title: "a\nb"}}',
            r"config: variants.len.title is 'a\nb': should be a line of text, or null.",
        ),
        ("tables: {summary: []}", "config: tables.summary is []: should not be empty."),
        (
            "datasets: {cub: {unseen_classes: [a]}}",
            "format cub reads the unseen classes from splits, so it takes no unseen_classes.",
        ),
        (
            "datasets: {a: {format: folder, folder: x, splits: y}}",
            "format folder does not read splits: put splits.csv into its folder; leave splits out.",
        ),
        (
            "datasets: {a: {format: folder, folder: x, attributes: y.txt}}",
            "format folder does not read attributes: the header of attributes.csv names the attributes; leave attributes out.",
        ),
        (
            "datasets: {cub: {image_root: x}}",
            "format cub does not read image_root: its paths are cut where its own layout says; leave image_root out.",
        ),
        (
            "datasets: {aviary: {attribute_vectors: {path: x.txt}}}",
            "source captions reads captions.txt in the data set's folder, so it takes no path or download.",
        ),
        (
            "scen: {local_weight: 0, global_weight: 0}",
            "config: scen (with datasets.aviary and spaces.sc-egg) has weights 0 for L_LCE, L_GCE and L_cal, so stage 1 would",
        ),
        (
            "datasets: {aviary: {scen: {global_weight: 0, stage1_epochs: 0, stage1_steps: 5}, variants: [wo-lce]}}",
            "config: scen (with datasets.aviary and spaces.wo-lce) has weights 0 for L_LCE, L_GCE and L_cal, so stage 1 would",
        ),
        (
            "tuning: {sc-egg: {grid: {scen.local_weight: [0, 1], scen.global_weight: [0, 1]}}}",
            "config: scen (with datasets.aviary and tuning.sc-egg.grid) has weights 0 for L_LCE, L_GCE and L_cal, so stage 1",
        ),
        (
            "datasets: {twin: {format: cub, folder: data/aviary/, generate: {seed: 3}}}",
            "config: datasets.aviary and datasets.twin are both generated into data/aviary, but their settings in generate",
        ),
        ("datasets: {aviary: {folder: data/../x}}", "a generated data set has format cub and a folder below data/."),
        (
            "datasets: {cub: {folder: ''}}",
            "config: datasets.cub.folder is '': should be a path: not empty, and without",
        ),
        ("extensions: {x: $NOT_SET_HERE/x}", "config: extensions.x is '$NOT_SET_HERE/x': the environment variable in"),
        (
            "downloads: {x: {url: 'ftp://a/b', file: b}}",
            "config: downloads.x.url is 'ftp://a/b': should be an address that begins with http:// or https://.",
        ),
        (
            "downloads: {x: {url: 'http://a/b', file: 1/b, unpack_to: d}, y: {url: 'http://a/c', file: 2/b, unpack_to: ./d}}",
            "config: downloads.x and downloads.y are both called b and unpacked into d, where each would take the place of "
            "the other; give one another file name.",
        ),
        (
            "downloads: {x: {url: 'http://a/b', file: b, checksum: 'md5:zz'}}",
            "config: downloads.x.checksum is 'md5:zz': should be md5: and 32, or sha256: and 64 of 0-9 and a-f, or null.",
        ),
    ],
)
def test_what_would_be_left_out_unsaid_or_end_a_run_late_is_refused(overlay, said):
    assert said in refused(overlay)


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        (
            "variants: {len: {title: no}}",
            "config: variants.len.title is false: should be text, in quotes: on, off, yes and no are true and false to YAML.",
        ),
        (
            "variants: {len: {title: 2024-01-01 10:00:00}}",
            "config: variants.len.title is read as datetime.datetime(2024, 1, 1, 10, 0); write it as text, in quotes.",
        ),
        (
            "variants: {len: {title: !!binary aGk=}}",
            "config: variants.len.title is read as b'hi'; write it as text, in quotes.",
        ),
        ("variants: {len: null}", "config: variants.len is null: should be a section with settings."),
        ("eggn: {epochs: 08}", "config: eggn.epochs is the text '08'; write the number as 8, without quotes."),
        ("'': 1", "config: '' is not a known setting; known: run, scen, "),
        ("eggn: {x: 1}", "config: eggn.x is not a known setting; docs/config.md lists the "),
        (r'"eg\ngn": 1', r"config: 'eg\ngn' is not a known setting (did you mean eggn?)."),
        (f"eggn: {{epochs: {'x' * 300}}}", f"config: eggn.epochs is '{'x' * 99}…: should be a whole number."),
        (
            "datasets: {cub: {seeds: [a, b, c, d, e, f, g]}}",
            "config: datasets.cub.seeds.0 is 'a': should be a whole number; ",
        ),
    ],
)
def test_specials_of_yaml_are_named_as_they_were_written(overlay, sentence):
    assert refused(overlay).startswith(sentence)


def test_many_problems_are_counted():
    assert refused("datasets: {cub: {seeds: [a, b, c, d, e, f, g]}}").endswith(
        "seeds.4 is 'e': should be a whole number; and 2 more."
    )


def test_the_fewest_points_of_t_sne_are_enough_for_it():
    TsneSettings(classes=1, per_class=2)
    TsneSettings(classes=2, per_class=1)


@pytest.mark.parametrize(
    "overlay",
    [
        "datasets: {cub: {variants: [baseline], eggn: {seen_guidance: 5.0, decoder_loss: l1, generator: f-vaegan}}}",
        "datasets: {cub: {variants: [paper+backbone, f-clswgan]}}\nvariants: {f-clswgan: {eggn: {seen_path: synthesis}}}",
        "variants: {baseline: {eggn: {generator: f-vaegan, freeze_decoder: false, seen_guidance: 0, latent_size: null}}}",
    ],
    ids=["of a data set", "of another space", "nothing"],
)
def test_what_is_not_read_may_be_said_of_all_rows_and_where_it_turns_off_what_is_off(overlay):
    config = read_configuration(merged(VALUES, yaml.safe_load(overlay)))
    assert [config.eggn_of(name, row) for name in ("cub", "aviary") for row in config.dataset(name).variants[:1]]


@pytest.mark.slow
def test_of_names_that_differ_in_case_the_one_that_says_more_is_meant_whatever_comes_first():
    values = {"datasets": {"Aviary": {"seeds": [0]}, **VALUES["datasets"]}}
    with pytest.raises(InputError, match="has Aviary and aviary, .*; write aviary if you mean that one"):
        read_configuration(VALUES | values)


def test_large_grids_are_read_in_linear_time_and_huge_ones_refused():
    grid = {"eggn.epochs": list(range(1, 51)), "scen.local_scale": [float(scale) for scale in range(1, 21)]}
    start = time.process_time()
    config = read_configuration(merged(VALUES, {"tuning": {"sc-egg": {"grid": grid}}}))
    points = config.points_of("sc-egg")
    assert len(points) == 1000
    assert {config.variant(point).space for point in points} == {f"sc-egg@{number}" for number in range(1, 21)}
    assert [config.generator_of("cub/validation", point) for point in points] == points
    assert time.process_time() - start < 20  # a quadratic search took minutes
    grid["eggn.latent_size"] = list(range(1, 12))
    with pytest.raises(
        InputError, match=r"^config: tuning\.sc-egg\.grid has 11000 points, each of which is trained; at"
    ):
        read_configuration(merged(VALUES, {"tuning": {"sc-egg": {"grid": grid}}}))


def test_data_sets_of_the_published_tables_are_those_that_can_be_named():
    tables = ("table1", "finetuned", "ablation")
    printed = {row.dataset for row in read_published(*(ROOT / f"resources/published_{name}.csv" for name in tables))}
    for name in printed:
        assert DatasetSettings(format="cub", folder="x", published=name).published == name
    assert printed == {name + kind for name in ("CUB", "SUN", "AWA2") for kind in ("", ", fine-tuned")}


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        ({"training": {"crop": 48}}, "backbone.training is called finetune now, with cut_out: true and image_size in"),
        ({"seeds": "own"}, "seeds: own needs a backbone that is trained here; give finetune, or set seeds: shared"),
        ({"shared_seed": 1}, "shared_seed is of a backbone that is trained here once for all seeds; leave it out"),
        ({"shared_seed": 1, "weights": "train", "seeds": "own"}, "shared_seed is of a backbone that is trained here"),
        ({"finetune": {"epochs": 2, "averaged_epochs": 3}}, "averaged_epochs is 3, but there are 2 epochs; lower it"),
        ({"seeds": "own", "weights": "random", "finetune": {}}, "seeds: own needs a backbone that is trained here"),
        ({"weights": "train", "finetune": {"layers": ["layer4"]}}, "with weights: train all layers are trained; leave"),
        ({"finetune": {"layers": []}}, "backbone.finetune.layers is []: should not be empty"),
        (
            {"finetune": {"smallest_crop": 0}},
            "backbone.finetune.smallest_crop is 0: should be greater than or equal to",
        ),
    ],
)
def test_a_training_of_a_backbone_that_cannot_be_is_refused(backbone, said):
    with pytest.raises(InputError) as refused:
        parse_section(DatasetSettings, {"format": "folder", "folder": "x", "backbone": backbone}, "datasets.mine")
    assert said in str(refused.value) and str(refused.value).count("\n") == 0
