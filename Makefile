# Thin: makes the environment, then calls the tools that a person may call too. `make` alone says
# what there is.
#
#   VARIANT=cpu|cuda   which pins of torch: envs/cpu.txt or envs/cuda.txt
#   PYTHON=python3     the Python that makes .venv (3.11 is what is tested; 3.12 and 3.13 resolve)
#   CORES=all          what snakemake may use; results do not depend on it
#   JOBS=2             tests at a time; those that share a finished study follow one by one
#   SAMPLE_JOBS=3      the same in make test-sample
#
# The package index is the one that pip is set to. With the public one, torch on Linux is a CUDA
# build of some gigabytes in both variants; a CPU build is a matter of pointing pip at an index that
# has one (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL).

VARIANT ?= cpu
PYTHON ?= python3
CORES ?= all
JOBS ?= 2
# One more in the sample: its tests of SLURM wait more than they compute.
SAMPLE_JOBS ?= 3

BIN := .venv/bin
LAYERS := workflow train analysis
TESTS := tests/unit tests/workflow tests/real_data tests/ingestion tests/statistics tests/training tests/faults tests/rerun \
	tests/end_to_end tests/slurm $(wildcard tests/recipes tests/commands)
# Half an hour of both cores: fine-tuning on real radiographs.
RADIOGRAPHS := tests/real_data/test_fine_tuning.py
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs -n $(JOBS) --dist loadfile --durations=20 --ignore=$(RADIOGRAPHS)
LOCKS := $(LAYERS:%=envs/%.txt)
STAMP := .venv/made-$(VARIANT)
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install --no-compile
# Bytecode is made by all cores, and of no package's tests. Not left to the first import: where
# PYTHONDONTWRITEBYTECODE is set every job would compile what it imports again.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/(tests?|testing)/' .venv/lib || true

.PHONY: help env demo figures published test test-sample test-long unit radiographs check-envs lock accept reference clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:
	@echo "make demo        the phantom study of config.yaml, from raw images to results/<study>/report.html"
	@echo "make figures     only the figures of config.yaml, from the predictions that are there"
	@echo "make published   the re-analysis of published predictions (needs KNEEOA_REAL_DATA, see README.md)"
	@echo "make test        formats, types, lint, the everyday tests, before a commit: a quarter of an hour at most"
	@echo "make test-sample a sample of the long suite, as CI runs it after make test (SLURM and real data where they are found)"
	@echo "make test-long   the long suite whole: about forty minutes"
	@echo "make unit        the unit tests alone, in minutes"
	@echo "make radiographs a network from ImageNet weights learns real radiographs (KNEEOA_REAL_DATA); half an hour"
	@echo "make env         only the environment in .venv (VARIANT=cpu or cuda)"
	@echo "make check-envs  resolve the pinned environments anew, CUDA too, from metadata alone"
	@echo "make lock        pin again after an edit of envs/*.in"
	@echo "make accept      prove that an edit of the code changes no result, so that finished studies stay finished"
	@echo "make reference   write docs/configuration.md and docs/reruns.md anew"
	@echo "make clean       remove results, logs and caches; keep .venv"

env: $(STAMP)

demo: $(STAMP)
	$(BIN)/snakemake --cores $(CORES)

figures: $(STAMP)
	$(BIN)/snakemake --cores $(CORES) figures

published: $(STAMP)
	$(BIN)/snakemake --cores $(CORES) --configfile workflow/studies/published.yaml

# Every check runs, whatever the ones before it came to; the tests are the last, and their closing
# lines name the checks that failed.
test: .venv/made-test
	@failed=; \
	check() { echo "== $$*"; $(BIN)/"$$@" || failed="$$failed$${failed:+, }$$*"; }; \
	check ruff check .; \
	check ruff format --check --quiet .; \
	check snakefmt --check Snakefile workflow; \
	check mypy; \
	check snakemake --lint; \
	KNEEOA_FAILED="$$failed" $(PYTEST) -m "not slow" $(TESTS) && [ -z "$$failed" ]

test-sample: JOBS := $(SAMPLE_JOBS)
test-sample: .venv/made-test
	$(PYTEST) -m "slow and not long" $(TESTS)

test-long: .venv/made-test
	KNEEOA_LONG=1 $(PYTEST) -m slow $(TESTS)

unit: .venv/made-test
	$(PYTEST) -m "not slow" tests/unit

radiographs: .venv/made-test
	$(BIN)/python -m pytest -rs -s $(RADIOGRAPHS)

check-envs: .venv/made-test
	$(BIN)/python envs/lock.py check

lock: .venv/made-test
	$(BIN)/python envs/lock.py lock

accept: $(STAMP)
	$(BIN)/python workflow/accept.py --cores $(CORES)

reference: $(STAMP)
	PYTHONPATH=workflow/lib $(BIN)/python -m kneeoa.config.reference > docs/configuration.md
	PYTHONPATH=workflow/lib:. $(BIN)/python -m tests.rerun.table > docs/reruns.md

clean:
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp is written last, so that an interrupted install goes on next time; another variant starts
# over, as pip would keep the torch that is there.
$(STAMP): envs/$(VARIANT).txt $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "kneeoa needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`; try make PYTHON=python3.11"; exit 1; }
	@for other in .venv/made-c*; do [ ! -e "$$other" ] || [ "$$other" = "$@" ] || rm -rf .venv; done
	@rm -f .venv/made-*
	@echo "Making .venv ($(VARIANT)): a few minutes the first time"
	@$(PYTHON) -m venv .venv
	@echo "  torch"
	@$(INSTALL) --requirement envs/$(VARIANT).txt --constraint envs/train.txt
	@echo "  $(LAYERS)"
	@$(INSTALL) $(LOCKS:%=--requirement %) --constraint envs/$(VARIANT).txt
	@$(BIN)/python -m pip check
	@$(COMPILE)
	@touch $@

.venv/made-test: $(STAMP) envs/test.txt envs/samples.txt envs/cuda.txt
	@echo "  test"
	@$(INSTALL) --requirement envs/test.txt --constraint envs/$(VARIANT).txt
	@# The CPU variant's tests compile and interpret the GPU kernels, by the Triton that the CUDA variant has.
	@grep '^triton==' envs/cuda.txt > .venv/triton.txt && $(INSTALL) --no-deps --requirement .venv/triton.txt
	@$(BIN)/python -m pip check
	@$(INSTALL) --no-deps --upgrade --target .venv/samples --requirement envs/samples.txt
	@touch $@
