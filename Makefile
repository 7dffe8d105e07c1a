# convtext: `make help` prints the commands, README.md explains them.

PYTHON ?= python3
# Empty, it would be the root of all folders.
ifeq ($(value CONVTEXT_DATA),)
override CONVTEXT_DATA := data
endif
export CONVTEXT_DATA

# What the command line gives, each as one word of the shell, whatever is in it: `make predict TOP=3` is
# `python -m pipeline predict TOP=3`. An environment may have a NAME or a MODEL of its own, which asks for nothing.
# A name with an underscore is a setting of the environment (CONVTEXT_DATA, MLFLOW_TRACKING_URI), as are these.
SETTINGS := GPU PYTHON SHELL MAKEFLAGS MAKEOVERRIDES -*-command-variables-*-
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
WORDS := $(foreach name,$(GIVEN),$(if $(findstring _,$(name)),,$(filter-out $(SETTINGS),$(name))))
quoted = '$(subst $(newline),'"$$newline"',$(subst ','\'',$(1)))'
ARGUMENTS = $(foreach name,$(WORDS),$(call quoted,$(name)=$(value $(name))))
# A recipe ends at a line feed, quoted or not: the shell has it as a variable.
define newline


endef
export newline
# Make exports what the command line gives, and expands it for that: $(shell ...) in a file's name would run.
# From here on each has its text for a value, in which nothing is left to expand.
literal = $(eval override $(1) := $$(value $(1)))$(eval export $(1))
$(foreach name,$(filter-out SHELL MAKE% -%,$(GIVEN)),$(call literal,$(name)))

# GPU=1 installs TensorFlow's CUDA build instead (Linux); export it, or give it to every command.
LOCK := $(if $(filter-out 0,$(value GPU)),requirements-gpu.lock,requirements.lock)
INSTALLED := .venv/$(LOCK)

COMMANDS := train crossval curve table tune why register rollback compare say predict options pack export dashboard send configure
.PHONY: help $(COMMANDS) benchmark benchmark-train benchmark-predict drill test test-all attack check lock clean
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

help:
	@$(or $(wildcard .venv/bin/python),$(value PYTHON)) -m pipeline --help
	@sed -n 's/^##//p' Makefile

##
##  benchmark   training speed beside plain Keras and PyTorch
##                CORPUS TEXT LABEL ENCODING
##  benchmark-train
##              the whole of train, stage by stage, beside TF-IDF and fastText
##                ROWS CLASSES LONG ROUNDS, or CORPUS TEXT LABEL ...; MODEL SET
##  benchmark-predict
##              the speed of predict beside fastText, TF-IDF and Keras
##                CORPUS MODEL SET TEXT LABEL ENCODING ROWS LONG
##  drill       commands killed, disks filled, a server stopped: what is left
##                KILLS DISKS SERVERS
##  test        ruff, mypy and the fast tests; check: without tests
##  test-all    the slow tests too: whole lines, browsers, servers, folds
##  attack      the tests of hostile data, models, servers and names, a line each
##  clean       removes data/build; downloads and tracked runs stay
##  lock        resolves the dependencies anew
##
##Every command creates .venv first if it is missing or its lock changed.
##GPU=1 installs TensorFlow's CUDA build.

$(COMMANDS): $(INSTALLED)
	@.venv/bin/python -m pipeline $@ $(ARGUMENTS)

benchmark: $(INSTALLED)
	@.venv/bin/python -m tests.benchmarks.training $(ARGUMENTS)
benchmark-train: $(INSTALLED)
	@.venv/bin/python -m tests.benchmarks.csv_to_model $(ARGUMENTS)
benchmark-predict: $(INSTALLED)
	@.venv/bin/python -m tests.benchmarks.prediction $(ARGUMENTS)
drill: $(INSTALLED)
	@.venv/bin/python -m tests.benchmarks.reliability $(ARGUMENTS)
test: check
	.venv/bin/python -m pytest -m "not slow"
test-all: check .venv/requirements-cluster.lock
	.venv/bin/python -m pytest --ignore=tests/attack
attack: $(INSTALLED)
	@.venv/bin/python -m pytest tests/attack -p tests.attack.report --numprocesses=0 -q --no-header
check: $(INSTALLED)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

clean:
	rm -rf -- $(call quoted,$(value CONVTEXT_DATA))/build

# The environment: exactly what the lock says; for the tests of clusters, Spark with an S3 server too.
$(INSTALLED): $(LOCK)
	@$(value PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "convtext needs Python 3.11 to 3.13; name one with PYTHON=python3.12" >&2; exit 2; }
	$(value PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' $(LOCK))"
	.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python $(LOCK)
	@rm -f .venv/*.lock && cp $(LOCK) $@
	@.venv/bin/python -m pipeline.compilation.compile_kernels

.venv/requirements-cluster.lock: requirements-cluster.lock $(INSTALLED)
	.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --requirements requirements-cluster.lock
	@cp requirements-cluster.lock $@

RESOLVE := .venv/bin/uv pip compile --quiet --universal --upgrade --no-header --no-annotate pyproject.toml
lock: $(INSTALLED)
	$(RESOLVE) --extra train --extra dev --output-file requirements.lock
	$(RESOLVE) --extra train --extra dev --group gpu --no-emit-package tensorflow-cpu --output-file requirements-gpu.lock
	$(RESOLVE) --extra spark --group cluster --constraint requirements.lock --output-file requirements-cluster.lock
