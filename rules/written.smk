# The project's own config files, which people edit: what is wrong in them is said before Snakemake reads them.
import sys

from scegg_core.errors import InputError
from scegg_core.settings.written import check_written

PROJECT_FILES = [f"{workflow.basedir}/{name}" for name in ("resources/methods.yaml", "config.yaml")]

try:
    check_written(PROJECT_FILES)
except InputError as error:
    sys.exit(f"SC-EGG: {error}")
