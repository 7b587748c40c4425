"""What stands behind --configfile and --config in a command: the sentence for what is no overlay and no setting."""

import os
from collections.abc import Iterator

import pytest

from scegg_core.errors import InputError
from scegg_core.settings.overlays import check_command, refuse_unreadable


def doublings(line: str) -> Iterator[str]:
    """Nine lines, each of which names the one before nine times: 9^9 values where they are written out."""
    yield "a0: &a0 {x: 1}\n"
    for level in range(1, 10):
        yield f"a{level}: &a{level} {line.format(', '.join(9 * [f'*a{level - 1}']))}\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("--configfile nope.yaml -- all", "config: there is no nope.yaml (--configfile); correct its path."),
        (
            "--configfile=overlays/cub10.yaml",
            "there is no overlays/cub10.yaml (--configfile); did you mean overlays/cub100.yaml?",
        ),
        ("-n --configfile overlays -- all", "config: overlays cannot be read (Is a directory)"),
        (
            "--configfile overlays/cub100.yaml results/cub100/table.csv",
            "config: results/cub100/table.csv stands behind --configfile, which takes every name up to --; write "
            "--configfile overlays/cub100.yaml -- results/cub100/table.csv",
        ),
        ("--configfile overlays/cub100.yaml made.csv --cores 2", "config: made.csv stands behind --configfile"),
        ("--configfile overlays/cub100.yaml check_cub100", "config: check_cub100 stands behind --configfile"),
        (
            "--configfile overlays/cub100.yaml broken.yaml -- all",
            "config: broken.yaml cannot be read as YAML in line 2 (",
        ),
        (
            "--configfile tab.yaml",
            "config: tab.yaml cannot be read as YAML in line 1 (found character '\\t' that cannot start",
        ),
        (
            "--configfile question.yaml",
            "config: question.yaml cannot be read as YAML in line 1 (expected ',' or '}', but got '?')",
        ),
        ("--configfile utf16.yaml", "config: utf16.yaml is not UTF-8 in line 1; save it as UTF-8."),
        ("--configfile list.json", "config: list.json holds no sections such as eggn: {epochs: 100}; correct it."),
        (
            "--config results/x/table.csv",
            "config: results/x/table.csv stands behind --config, which takes every word up to --;",
        ),
        (
            "-C seed=1 all",
            "config: all stands behind --config, which takes every word up to --; write --config key=value -- all",
        ),
        ("--config eggn.epochs=3 -- all", "is not of the form key=value; write --config 'eggn={epochs: 3}'"),
        ("--config eggn:", "config: --config eggn: is not of the form key=value; write --config 'eggn={epochs: 100}'"),
        (
            "--configfile a.yaml --configfile overlays/cub100.yaml -- all",
            "config: --configfile is given twice, and what stands behind the first would be passed over; write it once: "
            "--configfile a.yaml overlays/cub100.yaml --",
        ),
        (
            "--configfiles=a.yaml --configfile overlays/cub100.yaml",
            "write it once: --configfile a.yaml overlays/cub100.yaml --",
        ),
        ("--config seed=1 -n -Cother=2", "write it once: --config seed=1 other=2 --"),
        ("-Cseed", "config: seed stands behind --config, which takes every word up to --;"),
        ("--config eggn={} seed=1 eggn={a:1}", "config: --config gives eggn twice, and the last would stand alone;"),
        (
            "--config eggn=" + 60 * "[",
            "config: --config eggn has in line 1 more than 50 sections or lists in each other.",
        ),
        (
            "--configfile fifo.yaml",
            "config: fifo.yaml is a pipe or a device, not a file; put the settings into a file.",
        ),
        (
            "--configfile laughs.yaml",
            "config: laughs.yaml has up to line 6 more than 100000 values, each * written out;",
        ),
        (
            "--configfile merged.yaml",
            "config: merged.yaml has up to line 6 more than 100000 values, each * written out;",
        ),
        ("-nC seed=1 all", "config: all stands behind --config, which takes every word up to --;"),
        ("-nC seed=1 -C eggn=2", "config: --config is given twice"),
        ("--configfile=", "config: --configfile= names no file; write --configfile my.yaml --"),
        ("--config é=2", "config: --config é=2 is not of the form key=value"),
        ("--config 1a=2", "config: --config 1a=2 is not of the form key=value; write --config 'eggn={epochs: 100}'"),
    ],
)
def test_what_is_no_overlay_and_no_setting_is_refused(command, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "overlays").mkdir()
    (tmp_path / "overlays/cub100.yaml").write_text("eggn: {epochs: 1}\n", encoding="utf-8")
    (tmp_path / "made.csv").write_text("a: 1\n", encoding="utf-8")  # a target that is there, and YAML
    (tmp_path / "broken.yaml").write_text("eggn: [1\n", encoding="utf-8")
    (tmp_path / "tab.yaml").write_text("eggn: {\tepochs: 1}\n", encoding="utf-8")
    (tmp_path / "question.yaml").write_text("eggn: {epochs: 1? 2}\n", encoding="utf-8")
    (tmp_path / "utf16.yaml").write_bytes("eggn: {epochs: 1}".encode("utf-16"))
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "laughs.yaml").write_text("".join(doublings("[{}]")), encoding="utf-8")
    (tmp_path / "merged.yaml").write_text("".join(doublings("{{<<: [{}]}}")), encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError) as error:
        check_command(command.split())
    assert said in str(error.value)
    with pytest.raises(SystemExit) as end:
        refuse_unreadable(command.split())
    assert str(end.value) == f"SC-EGG: {error.value}"


@pytest.mark.parametrize(
    "command",
    [
        ["--cores", "2", "results/x/table.csv"],
        ["--configfile", "a.yaml", "b.JSON", "--", "results/x/table.csv"],
        ["--configfile", "a.yaml", "b.JSON", "--config", "eggn={epochs: 3}", "seed=1", "--", "nope.yaml"],
        ["--configfile=a.yaml", "results/x/table.csv", "-Cseed=1", "results/y/table.csv"],
        ["--config", "seed=1", "--", "--config", "seed=2"],
    ],
)
def test_a_command_with_overlays_and_settings_passes(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("eggn: {epochs: 1}\n", encoding="utf-8")
    (tmp_path / "b.JSON").write_text('{\t"eggn": {"epochs": 2}}', encoding="utf-8")  # YAML would refuse the tab
    check_command(command)
