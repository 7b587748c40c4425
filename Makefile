# make install | demo | resume | check | test | lint | schema | benchmark | results-page | rulegraph. Needs Python 3.11 or newer and nothing
# else (rulegraph also Graphviz).
#   PYTHON=python3.12         another interpreter
#   TORCH_INDEX=URL           an extra index for torch, e.g. the CPU or a CUDA index of download.pytorch.org
#   EXTRAS=timm               also networks of timm as backbones (docs/backbones.md)
#   EXTRAS=slurm              also clusters with SLURM (docs/slurm.md); done without asking where sbatch is found
#   CORES=8                   cores of the demo
PYTHON ?= python3
CORES ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count())')
SCHEDULER := $(if $(shell command -v sbatch 2> /dev/null),slurm)
KNOWN := $(sort $(patsubst envs/requirements-%.txt,%,$(wildcard envs/requirements-*.txt)))
ifneq ($(filter-out $(KNOWN),$(EXTRAS)),)
$(error EXTRAS names $(filter-out $(KNOWN),$(EXTRAS)), but the extras are $(KNOWN))
endif
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ifdef TORCH_INDEX
PIP += --extra-index-url $(TORCH_INDEX)
endif

.PHONY: install install-dev demo check test test-unit test-finished test-runs lint schema benchmark results-page rulegraph resume

install: $(VENV)/installed $(addprefix $(VENV)/installed-,$(EXTRAS) $(SCHEDULER))
install-dev: $(VENV)/installed-dev

$(VENV)/bin/python:
	@$(PYTHON) envs/check_python.py
	@$(PYTHON) -m venv $(VENV)

# torch comes first and alone: torchvision then accepts the build that is there, also a CPU-only one.
$(VENV)/installed: envs/requirements.txt pyproject.toml $(VENV)/bin/python
	@echo "installing the packages pinned in envs/requirements.txt into $(VENV) …"
	@$(PIP) "$$(grep '^torch==' envs/requirements.txt)"
	@$(PIP) -r envs/requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@
	@echo "installed; activate it with: source $(VENV)/bin/activate"

# dev, and what EXTRAS names; the pins of requirements.txt hold in each of them.
$(VENV)/installed-dev: envs/requirements-timm.txt envs/requirements-slurm.txt
$(VENV)/installed-%: envs/requirements-%.txt $(VENV)/installed
	@$(PIP) -r envs/requirements-$*.txt
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/python resume.py --cores $(CORES)
	@$(BIN)/snakemake --quiet all --report report.html --report-stylesheet report/style.css
	@echo; cat results/aviary/table.md
	@echo "page     results/aviary/page.html: all of it to look at, and to describe a class on; open it in a browser"
	@echo "report   report.html: all tables and pictures; open it in a browser"
	@echo "tables   results/aviary/table.csv (one row per variant), results/aviary/seeds.csv (one row per run)"
	@echo "pictures results/aviary/tsne.png, results/aviary/attention/overview.png, results/aviary/tradeoff.png, ..."

# After kill -9, a power cut or a lost connection: the last run's own command again, or that of RUN="--cores 8 results/…".
resume: $(VENV)/installed
	@$(BIN)/python resume.py $(RUN)

# Between two edits, little more than a minute: style and all unit tests but those marked slow, in two halves at a time.
check: $(VENV)/installed-dev lint
	@$(MAKE) --no-print-directory --jobs=2 --keep-going check-half check-rest

HALF := $(addprefix tests/unit/,training scen eggn classify using settings dazle evaluate report words fetch benchmarks)
check-half: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m "not slow" $(HALF)

check-rest: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m "not slow" tests/unit $(addprefix --ignore=,$(HALF))

# Everything, in three parts at a time: runs wait often for what they start, while the others keep the cores busy.
test: $(VENV)/installed-dev lint
	@$(MAKE) --no-print-directory --jobs=3 --keep-going test-finished test-unit test-runs

test-finished: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m finished tests/workflow

test-unit: $(VENV)/installed-dev
	@$(BIN)/python -m pytest tests/unit

test-runs: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m "not finished" tests/workflow

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile rules

schema: $(VENV)/installed
	@$(BIN)/python -m scegg_core schema > schemas/config.schema.yaml
	@$(BIN)/python -m scegg_core config-page > docs/config.md

benchmark: $(VENV)/installed
	@$(BIN)/python -m benchmarks --page docs/benchmarks.md

# The tables of docs/results/ into docs/results.md and the README.
results-page: $(VENV)/installed
	@$(BIN)/python -m benchmarks.results_page

# The README's picture of the demo's rules, without indirect arrows, and the text that it is drawn from.
rulegraph: $(VENV)/installed
	@$(BIN)/snakemake --cores 1 --forceall --nolock --rulegraph dot 2> /dev/null | tred > docs/images/rulegraph.dot
	@dot -Tpng -Gdpi=120 docs/images/rulegraph.dot > docs/images/rulegraph.png
