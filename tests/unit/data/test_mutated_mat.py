"""Damaged .mat files: a sentence or a sound index, never a traceback, a signal or a library's warning."""

import io
import warnings

import numpy as np
import pytest
from cub_case import att_splits, make_cub, res101
from mutations import each_mutated
from scipy.io import savemat

from scegg_core.data.index import index_dataset
from scegg_core.errors import InputError


def mat_bytes(content: dict, compressed: bool) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, content, do_compression=compressed)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_refused_or_give_a_sound_index(tmp_path, compressed):
    settings = make_cub(tmp_path)
    files = {"att_splits.mat": att_splits(), "res101.mat": res101()}
    whole = {name: mat_bytes(content, compressed) for name, content in files.items()}
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, data in each_mutated(whole, 200):
            for file, content in (whole | {name: data}).items():
                (tmp_path / "xlsa17" / file).write_bytes(content)
            try:
                index = index_dataset(settings)
            except InputError as error:
                assert "\n" not in str(error)
                refused += 1
            else:
                assert np.isfinite(index.vectors).all()
                assert len(index.paths) == len(index.labels) == 16
    assert refused > 50
