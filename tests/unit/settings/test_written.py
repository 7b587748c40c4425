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
        ("a.yaml", "a: 1\nb: {c: &x [1, *x]}\n", "has in line 2 a part that contains itself (by *); write it out."),
        ("a.yaml", "a: {b: 1\n", "cannot be read as YAML in line 2 ("),
        (
            "a.yaml",
            "a:\n\tb: 1\n",
            "cannot be read as YAML in line 2 (found character that cannot start any token); correct",
        ),
        ("a.yaml", "a: 1\n---\na: 2\n", "cannot be read as YAML in line 2 (but found another document); correct it"),
        (
            "a.yaml",
            "a: !x 1\n",
            "cannot be read as YAML in line 1 (could not determine a constructor for the tag '!x'); correct",
        ),
        (
            "a.yaml",
            "a: 2024-13-45\n",
            "cannot be read as YAML (month must be in 1..12); correct it, or put it in quotes.",
        ),
        ("a.yaml", f"a: {'9' * 5000}\n", "cannot be read as YAML (Exceeds the limit (4300 digits) for integer string"),
        (
            "a.json",
            f'{{"a": {"9" * 5000}}}',
            "cannot be read as YAML (Exceeds the limit (4300 digits) for integer string",
        ),
        (
            "a.yaml",
            "a:\n  b: {c: -0,05, d: 1}\n",
            "has c: -0,05 in line 2, and a comma ends a value; write -0.05, or [-0, 05] where a list is meant.",
        ),
        (
            "a.yaml",
            "a: {b: 1,000}\n",
            "has b: 1,000 in line 1, and a comma ends a value; write 1000 or 1.000, or [1, 000] where a list is meant.",
        ),
        ("a.yaml", "a: 1\nb: *x\n", "cannot be read as YAML in line 2 (found undefined alias); correct it"),
        ("a.yaml", "[a, b]: 1\n", "cannot be read as YAML in line 1 (found unhashable key); correct it"),
        ("a.yaml", "", "holds no sections such as eggn: {epochs: 100}; correct it."),
        ("a.yaml", "# nothing\n", "holds no sections such as eggn: {epochs: 100}; correct it."),
        ("a.yaml", "- a\n", "holds no sections such as eggn: {epochs: 100}; correct it."),
        ("a.yaml", f"a: {'[' * 5000}", "has in line 1 more than 50 sections or lists in each other."),
        ("a.yaml", "a: 1\nb:\n" + "- " * 100000, "has in line 3 more than 50 sections or lists in each other."),
        ("a.json", '{"a":' * 100000, "has in line 1 more than 50 sections or lists in each other."),
    ],
    ids=lambda value: value[:40],
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
        "a: {b: 1}\nc: {b: 1}\n",
        "a: [0, -3, +5, 1_000, 0x1f, 0.5, 1.0e-3, '010', \"1:30\", 08, no]\n",
        "a: {b: 1, 2: 3}\nb: {c: 1, d}\n",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("eggn={epochs: 3, epochs: 4}", "has the key epochs twice in one section, in lines 1 and 1; keep one."),
        ("eggn={epochs: 010}", "has 010 in line 1, which YAML reads as 8; write 8, or '010' in quotes if it is text."),
        (
            "eggn={learning_rate: 0,5}",
            "has learning_rate: 0,5 in line 1, and a comma ends a value; write 0.5, or [0, 5] where a list is meant.",
        ),
        ("eggn=&x {epochs: *x}", "has in line 1 a part that contains itself (by *); write it out."),
    ],
)
def test_mappings_of_the_command_line_are_checked_as_files_are(given, said):
    with pytest.raises(InputError) as error:
        typed({}, [given])
    assert str(error.value) == f"config: --config eggn {said}"


def test_a_file_that_is_no_text_or_not_there_is_one_sentence(tmp_path):
    (tmp_path / "a.yaml").write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.yaml is not UTF-8 in line 2; save it as UTF-8\.$"):
        check_written([tmp_path / "a.yaml"])
    with pytest.raises(
        InputError, match=r"none\.yaml cannot be read \(No such file or directory\); put the file there\.$"
    ):
        check_written([tmp_path / "none.yaml"])
