# A target that no rule makes is answered with the nearest that one does (targets.py), not with the engine's message; a new
# variant or space that nothing asks for is named where it is called nearly as one that is asked for.
import yaml
from snakemake import workflow as engine

import targets
from scegg_core.settings.near import unasked


def presets():
    """Return the names of variants and spaces of the project's own config files, which nobody has to ask for."""
    own = [yaml.safe_load(Path(file).read_text(encoding="utf-8")) for file in PROJECT_FILES]
    return {name for values in own for section in ("variants", "spaces") for name in values.get(section) or ()}


targets.judge_first(engine.DAG, lambda asked: unasked(CONFIG, presets(), asked))
