"""Config files as they are written: keys twice and ambiguous numbers are refused, the command line is read as YAML."""

import pytest
import yaml

from scegg_core.errors import InputError
from scegg_core.settings.written import check_written, typed
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.yaml",
            "eggn: {epochs: 3}\neggn: {epochs: 4}\n",
            "has the key eggn twice in one section, in lines 1 and 2; keep one.",
        ),
        (
            "a.yaml",
            "eggn: {epochs: 3, epochs: 4}\n",
            "has the key epochs twice in one section, in lines 1 and 1; keep one.",
        ),
        ("a.yaml", "a: &x {b: 1, 'b': 2}\nc: *x\n", "has the key b twice in one section, in lines 1 and 1; keep one."),
        ("a.yaml", "a: [1, {b: 1,\n  b: 2}]\n", "has the key b twice in one section, in lines 1 and 2; keep one."),
        ("a.json", '{"a": {"b": 1, "c": 2, "b": 3}}', "has the key b twice in one section; keep one."),
        (
            "a.yaml",
            "eggn:\n  epochs: 010\n",
            "has 010 in line 2, which YAML reads as 8; write 8, or '010' in quotes if it is text.",
        ),
        (
            "a.yaml",
            "a: 1:30\n",
            "has 1:30 in line 1, which YAML reads as 90; write 90, or '1:30' in quotes if it is text.",
        ),
        (
            "a.yaml",
            "a: [1:30.5]\n",
            "has 1:30.5 in line 1, which YAML reads as 90.5; write 90.5, or '1:30.5' in quotes",
        ),
    ],
)
def test_what_yaml_takes_otherwise_than_it_was_meant_is_refused(tmp_path, name, text, said):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        check_written([file])
    assert str(error.value).startswith(f"config: {file} {said}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: {b: 1}\nc: {b: 1}\n",
        "a: [0, -3, +5, 1_000, 0x1f, 0.5, 1.0e-3, '010', \"1:30\", 08, no]\n",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
        "a: &x [*x]\n",
        '{"a": [1, 2], "b": {"a": 3}}',
    ],
)
def test_what_is_meant_as_yaml_reads_it_is_let_through(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    check_written([tmp_path / "a.yaml"])


def test_the_config_files_of_the_project_are_let_through():
    check_written(
        [ROOT / "config.yaml", *sorted((ROOT / "overlays").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]
    )


def test_mappings_of_the_command_line_are_read_as_yaml():
    engine = {"eggn": {"epochs": "3", "batch_size": 8}, "run": {"deterministic": "false"}, "x": "2", "y": "a: b: c"}
    given = ["eggn={epochs: 3}", "run={'deterministic': false}", "x=2", "y=a: b: c"]
    assert typed(engine, given) == {
        "eggn": {"epochs": 3, "batch_size": 8}, "run": {"deterministic": False}, "x": "2", "y": "a: b: c",
    }  # fmt: skip
    assert typed(engine, None) is engine
    assert yaml.safe_load("{epochs: 3}") == {"epochs": 3}
