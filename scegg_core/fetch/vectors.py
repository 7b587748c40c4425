"""Fetching a model of gensim-data: only its data file, never the loading code that comes with it."""

from pathlib import Path

from scegg_core.errors import InputError
from scegg_core.words.files import gensim_folder, local_gensim_file

#: Checksums to give to people who fetch a model by hand.
GENSIM_SHA256 = {"glove-wiki-gigaword-300": "0a7aebbe49097dc6e5ffff7a25e9aa20181a6e862050ca68bd2f36e056739e00"}


def fetch_gensim(name: str) -> Path:
    """Return the local file of gensim-data's model `name`, downloaded where it is not there yet.

    Raises InputError where the model is unknown or its host cannot be reached.
    """
    local = local_gensim_file(name)
    if local is not None:
        return local
    try:
        import gensim.downloader

        return Path(gensim.downloader.load(name, return_path=True))
    except Exception as error:  # urllib, ssl, checksum and unknown-name errors alike
        address = f"https://github.com/piskvorky/gensim-data/releases/download/{name}/{name}.gz"
        known = f" (sha256 {GENSIM_SHA256[name]})" if name in GENSIM_SHA256 else ""
        reason = str(error)[:80] or type(error).__name__
        raise InputError(
            f"the gensim-data model {name!r} is neither here nor to be had ({reason}); fetch {address}{known} "
            f"elsewhere and put it at {gensim_folder() / name / name}.gz, or take another source of vectors."
        ) from None
