"""The worked examples of docs/adding.md and docs/methods.md: each diff applies, is small, passes the linter, and what it adds works."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cub_case import write_image

from scegg_core.workflow import forks
from scegg_core.workflow.code import code_digest, definitions
from tests.conftest import ROOT
from tests.workflow.conftest import Workflow

TEXT = (ROOT / "docs/adding.md").read_text(encoding="utf-8")
METHODS = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
LONGEST_METHOD = 60  # lines of the file of the minimal one
MOST_CODE_FILES = 2
#: What is loaded once for all checks.
LIBRARIES = ("torch", "pandas", "pydantic", "matplotlib.figure", "yaml", "pytest")


@dataclass(frozen=True)
class Example:
    """A diff of the page."""

    name: str
    diff: str

    @property
    def files(self) -> list[str]:
        return re.findall(r"^\+\+\+ b/(.+)$", self.diff, re.MULTILINE)

    @property
    def code(self) -> list[str]:
        return [name for name in self.files if name.startswith("scegg_core/")]


def examples() -> dict[str, Example]:
    """The diffs by the heading that they stand under; the second one under a heading is called so."""
    found: dict[str, Example] = {}
    for section in TEXT.split("\n## ")[1:]:
        heading = section.splitlines()[0].removeprefix("A ")
        for number, diff in enumerate(re.findall(r"```diff\n(.*?)```", section, re.DOTALL), start=1):
            name = heading if number == 1 else f"{heading} {number}"
            found[name] = Example(name, diff)
    return found | {"method": Example("method", *re.findall(r"```diff\n(.*?)```", METHODS, re.DOTALL))}


EXAMPLES = examples()
EVERY = pytest.mark.parametrize("name", EXAMPLES)
#: What the table of the page calls each, and the definition that it adds.
ADDED = {
    "cosine_distance": ("loss", "scegg_core.eggn.losses:cosine_distance"),
    "CycleClswgan": ("generator", "scegg_core.eggn.generators.cycle_clswgan:CycleClswgan"),
    "listed": ("data-set format", "scegg_core.data.formats.listed:load"),
    "_encoder_layers": ("backbone 2", "scegg_core.regions.adapters:_encoder_layers"),
    "draw_unseen": ("figure", "scegg_core.report.figures.unseen:draw_unseen"),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A copy of the project's files."""
    target = tmp_path_factory.mktemp("project")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture
def copy(original, tmp_path) -> Path:
    """A copy to be changed."""
    return shutil.copytree(original, tmp_path / "project")


def add(name: str, project: Path, *flags: str) -> None:
    """Apply an example's diff to a copy of the project, whether or not that lies in a repository of its own."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(project.parent)}
    command = ["git", "apply", *flags, "-"]
    done = call(command, project, environment, input=EXAMPLES[name].diff)
    assert done.returncode == 0, f"the diff of {name} does not apply: {done.stderr}"


def call(command: list[str], folder: Path, environment: dict[str, str], **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **more)


def python(project: Path, check: str, *arguments: str) -> None:
    """Run a script on the code of a copy, in a fork of a process that has loaded the large libraries."""
    (project / "check.py").write_text(check, encoding="utf-8")
    command = [*forks.command(sys.executable, LIBRARIES), "check.py", *arguments]
    done = call(command, project, {**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_minimal_method_is_short():
    assert EXAMPLES["method"].diff.partition("gaussian.py\n@@")[2].count("\n+") <= LONGEST_METHOD


def test_there_is_an_example_of_each():
    assert list(EXAMPLES) == ["loss", "generator", "data-set format", "backbone", "backbone 2", "figure", "method"]


@EVERY
def test_a_diff_applies_touches_few_files_and_passes_the_linter(name, copy):
    add(name, copy)
    assert len(EXAMPLES[name].code) <= MOST_CODE_FILES
    touched = [file for file in EXAMPLES[name].files if file.endswith(".py")]
    for command in (["check"], ["format", "--check"]) if touched else ():
        done = call([sys.executable, "-m", "ruff", *command, "--no-cache", *touched], copy, dict(os.environ))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def before(original) -> dict[str, str]:
    """The digest of what each script reaches, as it is."""
    return {path.stem: code_digest(path, original) for path in (original / "workflow_scripts").glob("*.py")}


@pytest.mark.slow
@pytest.mark.parametrize("added", ADDED)
def test_the_page_says_what_adding_and_editing_change(added, original, before):
    name, definition = ADDED[added]
    add(name, original)  # what it leaves alone is not parsed again
    try:
        scripts = sorted((original / "workflow_scripts").glob("*.py"))
        changed = [path.stem for path in scripts if code_digest(path, original) != before.get(path.stem)]
        reaching = [path.stem for path in scripts if definition in definitions(path, original)]
    finally:
        add(name, original, "--reverse")
    (row,) = re.findall(rf"^\| [^|]*`{added}` \|.*$", TEXT, re.MULTILINE)
    assert [cell.strip() for cell in row.split("|")[2:4]] == [", ".join(changed), ", ".join(reaching)]


CONFIGURED = """
import yaml
from scegg_core.settings.resolve import read_configuration
config = read_configuration(yaml.safe_load(open("config.yaml", encoding="utf-8")))
"""

LOSS = """
import torch
from scegg_core.eggn.losses import SEMANTIC_DISTANCES
distance = SEMANTIC_DISTANCES[config.eggn_of("cub", "sc-egg-cosine").decoder_loss]
decoded = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
assert float(distance(decoded, torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, -1.0]]))) == 1.0  # mean of 0, 1 and 2
"""

GENERATOR = """
from dataclasses import replace
import numpy as np, torch
from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.generators import NETWORKS
from scegg_core.eggn.train import start_eggn, train_eggn
from scegg_core.scen.space import Space
from scegg_core.settings.synthesis import SynthesisSettings
settings = replace(config.eggn_of("cub", "cycle-clswgan"), hidden_width=8, epochs=1, batch_size=4, learning_rate=1e-2)
percent = np.array([[1, 0, 2], [0, 1, 1], [2, 1, 0]], np.float32)
labels = np.array([0, 1] * 5 + [2])
index = DatasetIndex(
    ("a", "b", "c"), np.array([True, True, False]), percent, ("x", "y", "z"), ("x", "y", "z"), ("",) * 3,
    tuple(map(str, labels)), labels, ("trainval",) * 10 + ("test_unseen",), np.arange(11))
features = torch.rand(11, 6, generator=torch.Generator().manual_seed(0))
eggn, curve = train_eggn(Space(index, features, None, None), settings, 0, torch.device("cpu"))
assert {"adversarial", "L_Rec", "L_Rec real", "L_SCE"} <= {name for _, _, name, _ in curve.points}
start = start_eggn(6, 3, settings, 0)
for network in (lambda model: model.decoder, lambda model: model.generator, lambda model: model.critic):
    assert not torch.equal(network(eggn).hidden.weight, network(start).hidden.weight)
assert torch.equal(eggn.encoder.hidden.weight, start.encoder.hidden.weight)
assert type(eggn) is NETWORKS["cycle-clswgan"]
made = eggn.synthesize(torch.zeros(2, 3), torch.from_numpy(index.vectors[:2]), SynthesisSettings())
assert made.shape == (2, 6) and 0 <= made.min() and made.max() <= 1
"""

METHOD = """
from dataclasses import replace
import torch
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.settings.synthesis import SynthesisSettings
settings = replace(config.eggn_of("cub", "gaussian"), epochs=200, batch_size=400, learning_rate=0.03)
draw = torch.Generator().manual_seed(0)
vectors = torch.eye(3)
means = torch.tensor([[0.3, 0.7], [0.6, 0.2]])
labels = torch.arange(400) % 2
features = means[labels] + 0.05 * torch.randn(400, 2, generator=draw)
data = SeenFeatures(features, labels, vectors, torch.tensor([True, True, False]))
model = start_eggn(2, 3, settings, 0)
EggnTrainer(model, data, None, settings, 0).run()
for label in range(2):
    z = torch.randn(20000, 2, generator=draw)
    made = model.synthesize(z, vectors[label].expand(20000, 3), SynthesisSettings()).detach()
    assert torch.allclose(made.mean(dim=0), features[labels == label].mean(dim=0), atol=0.02), made.mean(dim=0)
    assert torch.allclose(made.std(dim=0), features[labels == label].std(dim=0), atol=0.01), made.std(dim=0)
"""

FORMAT = """
import sys
import pytest
from scegg_core.data.index import index_dataset
from scegg_core.errors import InputError
from scegg_core.settings.datasets import DatasetSettings
settings = DatasetSettings(format="listed", folder=sys.argv[1])
index = index_dataset(settings)
assert index.classes == ("zebra", "horse") and index.seen.tolist() == [False, True]
assert index.paths == ("a/1.png", "b/2.png", "a/3.png") and index.labels.tolist() == [1, 1, 0]
assert index.split == ("trainval", "test_seen", "test_unseen") and index.percent.tolist() == [[1, 1], [0.5, -1]]
with pytest.raises(InputError, match="images.csv has no column split"):
    index_dataset(DatasetSettings(format="listed", folder=sys.argv[1] + "/wrong"))
"""

NETWORK = """
from dataclasses import replace
from scegg_core.regions.backbone import random_backbone_size
size = random_backbone_size(replace(config.dataset("sun").backbone, weights="random", image_size=64))
assert (size.channels, size.height, size.width) == (768, 2, 2)
"""

TRANSFORMER = """
import torch
from scegg_core.regions.adapters import feature_extractor
from scegg_core.regions.backbone import map_size, Backbone
given = config.dataset("sun").backbone
torch.manual_seed(0)
cut = feature_extractor(given.network, given.features_up_to, 32).eval()
torch.manual_seed(0)
whole = feature_extractor(given.network, None, 32).eval()
layer = []
whole.encoder.layers.encoder_layer_9.register_forward_hook(lambda module, taken, made: layer.append(made))
images = torch.rand(2, 3, 32, 32)
with torch.no_grad():
    found = cut(images)
    whole(images)
    expected = whole.encoder.ln(layer[0])
assert found.shape == (2, 768, 2, 2)
assert torch.allclose(found[1, :, 1, 0], expected[1, 1 + 2], atol=1e-5)
assert cut.state_dict().keys() < whole.state_dict().keys()
assert map_size(Backbone(cut), 32).regions == 4
"""

FIGURE = """
import sys
from types import SimpleNamespace
import numpy as np
from scegg_core.classify.predictions import Predictions
from scegg_core.report.figures.unseen import draw_unseen, unseen_accuracies
from scegg_core.report.runs import VariantRuns
from scegg_core.report.style import save
index = SimpleNamespace(classes=("001.Crow", "002.Gull", "003.Wren"), seen=np.array([True, False, False]))
labels = np.array([0, 1, 1, 2])
runs = tuple(
    Predictions(np.arange(4), labels, np.eye(3)[list(predicted)], np.arange(3))
    for predicted in ((0, 1, 2, 2), (0, 1, 1, 0)))
found = unseen_accuracies(iter([VariantRuns("one", "One", runs), VariantRuns("two", "Two", runs[:1])]), index)
assert found[0].percent.tolist() == [[50, 100], [100, 0]]
figure = draw_unseen(found, index, "Birds")
assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["Wren", "Gull"]  # the best one on top
save(figure, sys.argv[1])
save(draw_unseen([], index), sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("loss", CONFIGURED + LOSS),
        ("generator", CONFIGURED + GENERATOR),
        ("method", CONFIGURED + METHOD),
        ("backbone", CONFIGURED + NETWORK),
        ("backbone 2", CONFIGURED + TRANSFORMER),
    ],
    ids=["loss", "generator", "method", "backbone", "backbone 2"],
)
def test_what_is_added_works(name, check, copy):
    add(name, copy)
    python(copy, check)


@pytest.mark.slow
def test_the_format_reads_a_data_set(copy, tmp_path):
    add("data-set format", copy)
    for folder in (tmp_path / "data", tmp_path / "data/wrong"):
        folder.mkdir()
        (folder / "attributes.csv").write_text("class,four legs,striped\nzebra,1,1\nhorse,0.5,\n")
    for name in ("a/1", "b/2", "a/3"):
        write_image(tmp_path / f"data/{name}.png")
    rows = "a/1.png,horse,trainval\nb/2.png,horse,test_seen\na/3.png,zebra,test_unseen\n"
    (tmp_path / "data/images.csv").write_text("path,class,split\n" + rows)
    (tmp_path / "data/wrong/images.csv").write_text("path,class\na/1.png,horse\n")
    python(copy, FORMAT, str(tmp_path / "data"))


@pytest.mark.slow
def test_the_figure_is_drawn_and_its_rule_is_asked_for(copy, tmp_path):
    add("figure", copy)
    python(copy, FIGURE, str(tmp_path / "unseen.png"))
    assert (tmp_path / "unseen.png").stat().st_size > 1000
    (tmp_path / "work").mkdir()
    tiny = copy / "tests/workflow/tiny.yaml"
    assert "plot_unseen" in Workflow(copy, tmp_path / "work").dry("report_aviary", overlays=(tiny,))


LAWS = """
import sys
import pytest
sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_all_of_them_together_keep_the_laws_of_the_house(copy):
    for name in EXAMPLES:
        if name != "backbone":  # the other one changes the same data set's network
            add(name, copy)
    generators = (
        "registry_and_files_name_the_same_generators",
        "the_generator_of_the_settings_is_the_one_that_trains",
        "only_networks_that_take_part_have_an_optimizer_and_each_is_trained",
    )
    python(
        copy,
        LAWS,
        "tests/unit/test_rooms.py",
        "tests/unit/data/test_index.py::test_registry_and_files_name_the_same_formats",
        *(f"tests/unit/eggn/test_generators.py::test_{name}" for name in generators),
    )
