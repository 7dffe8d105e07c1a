# convtext: `make help` prints the commands, README.md explains them.

# What is asked for comes from the command line alone: an environment may have a NAME or a MODEL of its own, and
# gives GPU, MIRROR, CONVTEXT_DATA, PYTHON, JOBS and MLflow's.
$(foreach name,CORPUS MODEL TEXT LABEL TEST ENCODING SET NAME FORCE RUNS INPUT OUTPUT TOP PROBABILITIES ABSTAIN \
  EVIDENCE SHARES HARMLESS FORM THREADS PORT ROWS LONG RUN CROSSVAL,$(eval $(name) :=))
FOLDS := 10
REPEATS := 1
BUDGET := 10m
JOBS ?= $(shell .venv/bin/python -c 'from pipeline.cores import cores; print(cores())')
PYTHON ?= python3
# Empty, it would be the root of all folders.
ifeq ($(value CONVTEXT_DATA),)
override CONVTEXT_DATA := data
endif
export CONVTEXT_DATA

# GPU=1 installs TensorFlow's CUDA build instead (Linux); export it, or give it to every command.
LOCK := $(if $(GPU),requirements-gpu.lock,requirements.lock)
INSTALLED := .venv/$(LOCK)
VERB := .venv/bin/python -m pipeline

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.PHONY: help train crossval table tune why register rollback compare predict dashboard send benchmark \
  benchmark-predict test check lock clean

help:
	@sed -n 's/^##//p' Makefile

##make train      a classifier from a labelled corpus; ends with its folder
##    CORPUS=docstrings      a corpus of conf/corpora, or a CSV:
##    CORPUS=reviews.csv TEXT=review LABEL=stars [TEST=held_out.csv]
##    CORPUS=pictures/       a folder of images for each class, or an npz of
##    CORPUS=pictures.npz    `images` and `labels` [TEST=held_out.npz]
##    MODEL=convtext         a model of conf/models; for images image_cnn
##    SET="train.epochs=3"   any option of their files
##    ENCODING=windows-1252  of the CSV, if it is not UTF-8
##    MIRROR=folder          where downloads are taken from instead
##make crossval   the model beside its opponents, on the same folds; goes on
##                where it was interrupted
##    [FOLDS=10 REPEATS=1 CORPUS=... MODEL=... SET=...]
##make table      every corpus x every model by `make crossval`, beside the
##                published figures
##    [CORPORA="mr trec" MODELS="kim-rand kim-static"]
##make tune       a search for better options of the model, judged on the
##                validation part; writes conf/models/<corpus>-tuned.yaml
##    BUDGET=10m, counted once the corpus is prepared
##    [NAME=better CORPUS=... MODEL=... SET=...]
##make why        what convolutions are good for: the model beside dense
##                networks, as the test rows are moved
##    [CORPUS=digits MODEL=... SET=...]
##make register   the run beside the corpus's champion, on the same test rows:
##                if it is better, it takes its place
##    [CORPUS=... MODEL=... FORCE="the reason"]
##make rollback   the champion before it is the champion again [CORPUS=...]
##make compare    two runs side by side: options, metrics, rows on which they
##                differ
##    RUNS="a b" by id, its first digits, name or folder [OUTPUT=rows.csv]
##make predict    the classifier's labels for a CSV, .csv.gz, .parquet,
##                - (stdin), or a folder of images
##    INPUT=new.csv [OUTPUT=labelled.csv.gz] [CORPUS=... MODEL=...]
##    without MODEL by the champion, if the corpus has one
##    [TEXT=review ENCODING=windows-1252]
##    TOP=3 labels, PROBABILITIES=1 of every class, ABSTAIN=0.8 below it,
##    SHARES=1 of unknown words, EVIDENCE=1 n-grams and what they add,
##    HARMLESS=1 no cell begins a formula, FORM=float32, THREADS=8
##make dashboard  the runs in MLflow, on 127.0.0.1 [PORT=5000]
##make send       the runs that a tracking server did not take, to where
##                MLFLOW_TRACKING_URI says now
##make test       ruff, mypy and pytest
##make benchmark  training speed beside plain Keras and PyTorch, on CORPUS
##make benchmark-predict  the speed of predict beside fastText, TF-IDF, Keras
##    [CORPUS=mr MODEL=... ROWS="10000 100000 1000000" LONG=1]
##make clean      removes data/build; downloads and tracked runs stay
##make lock       resolves the dependencies anew
##
##Every command creates .venv first if it is missing or its lock changed.
##GPU=1 installs TensorFlow's CUDA build.

# A value from the command line as one word of the shell, whatever is in it.
quoted = '$(subst ','\'',$(value $(1)))'
# Of CORPORA and MODELS, none (CORPORA=) is something else than nothing said.
if_given = $(if $(filter command,$(origin $(1))),$(2)=$(call quoted,$(1)))
# With `=`, as a value may begin with `-`.
option = $(if $(value $(1)),$(2)=$(call quoted,$(1)))

CONFIGURE = $(VERB) configure --corpus=$(call quoted,CORPUS) --model=$(call quoted,MODEL) \
  $(call option,TEXT,--text) $(call option,LABEL,--label) $(call option,TEST,--test) \
  $(call option,ENCODING,--encoding) $(call option,SET,--set)
# An inner make with these arguments, which says what went wrong, but not that it stops. A stage that was killed
# says nothing itself; what can be done about it beside that is the second argument.
INNER = { said=$$($(MAKE) --silent --no-print-directory $(1) 3>&2 2>&1 >&4); code=$$?; } 4>&1; \
  [ $$code = 0 ] || { echo "$$said" | awk '/\] Killed$$/ || / Error 137$$/ { $$0 = "$(KILLED)$(2)" } \
  !/ Error [0-9]+$$/ && !/Waiting for unfinished/ && !said[$$0]++' >&2; exit $$code; }
KILLED := convtext: a stage was killed, most likely as memory ran out: the same command goes on where it was

# The baseline is fitted beside the network's preparation: they need nothing of each other.
train: $(INSTALLED)
	@run=$$($(CONFIGURE)) || exit $$?; \
	$(call INNER,--jobs=2 RUN="$$run" "$$run/metrics.json"); \
	echo "$$run"

# Folds run side by side, each on one thread: two networks at once are done sooner than one on two threads.
FEWER := ; JOBS=1 needs less, as one fold at a time runs
crossval: $(INSTALLED)
	@jobs="$(JOBS)"; case "$$jobs" in ""|0*|*[!0-9]*) \
	  echo "convtext: JOBS=$$jobs: expected a whole number from 1" >&2; exit 2;; esac; \
	said=$$($(CONFIGURE) --folds=$(call quoted,FOLDS) --repeats=$(call quoted,REPEATS)) || exit $$?; set -- $$said; \
	place=$$1; first=$$2; shift 2; \
	$(call INNER,--jobs="$$jobs" RUN="$${first%/*/*}/all/-" "$${first%/*/*}/all/rows.parquet" "$$@"); \
	$(call INNER,RUN="$$first" "$${first%/*}/rows.parquet"); \
	$(call INNER,--jobs="$$jobs" CROSSVAL="$$place" "$$place/crossval.json",$(if $(filter 1,$(JOBS)),,$(FEWER))); \
	cat "$$place/summary.txt"; echo "$$place"

table: $(INSTALLED)
	@pairs=$$($(VERB) table --pairs $(call if_given,CORPORA,--corpora) $(call if_given,MODELS,--models)) || exit $$?; \
	for pair in $$pairs; do \
	  $(MAKE) --silent --no-print-directory crossval CORPUS="$${pair%:*}" MODEL="$${pair##*:}" || \
	    missing="$$missing $$pair"; \
	done; \
	$(VERB) table $(call if_given,CORPORA,--corpora) $(call if_given,MODELS,--models) || exit $$?; \
	[ -z "$$missing" ] || { echo "convtext: not in the table:$$missing" >&2; exit 2; }

tune: $(INSTALLED)
	@search=$$($(CONFIGURE) --budget=$(call quoted,BUDGET) $(call option,NAME,--name)) || exit $$?; \
	$(call INNER,RUN="$${search%/tune/*}" inputs); \
	$(VERB) tune "$$search"

why: $(INSTALLED)
	@run=$$($(CONFIGURE)) || exit $$?; \
	$(call INNER,RUN="$$run" inputs); \
	$(VERB) why "$$run"

register: $(INSTALLED)
	@$(VERB) register --corpus=$(call quoted,CORPUS) --model=$(call quoted,MODEL) $(call option,FORCE,--force)

rollback: $(INSTALLED)
	@$(VERB) rollback --corpus=$(call quoted,CORPUS)

compare: $(INSTALLED)
	@$(VERB) compare --runs=$(call quoted,RUNS) $(call option,OUTPUT,--output)

predict: $(INSTALLED)
	@$(VERB) predict --corpus=$(call quoted,CORPUS) --model=$(call quoted,MODEL) --input=$(call quoted,INPUT) \
	  $(call option,OUTPUT,--output) $(call option,TEXT,--text) $(call option,ENCODING,--encoding) \
	  $(call option,TOP,--top) $(call option,PROBABILITIES,--probabilities) $(call option,ABSTAIN,--abstain) \
	  $(call option,EVIDENCE,--evidence) $(call option,SHARES,--shares) $(call option,HARMLESS,--harmless) \
	  $(call option,FORM,--form) $(call option,THREADS,--threads)

dashboard: $(INSTALLED)
	@$(VERB) dashboard $(call option,PORT,--port)

send: $(INSTALLED)
	@$(VERB) send

benchmark: $(INSTALLED)
	@run=$$($(VERB) configure --corpus=$(call quoted,CORPUS) --model kim-multichannel \
	  $(call option,TEXT,--text) $(call option,LABEL,--label) $(call option,ENCODING,--encoding)) && \
	$(MAKE) --silent --no-print-directory RUN="$$run" "$${run%/*}/sequences.npz" 3>&2 && \
	.venv/bin/python -m tests.benchmarks.training "$${run%/*}" "$(CONVTEXT_DATA)/benchmarks"

benchmark-predict: $(INSTALLED)
	@run=$$($(CONFIGURE)) || exit $$?; \
	$(call INNER,--jobs=2 RUN="$$run" "$$run/model/manifest.json"); \
	.venv/bin/python -m tests.benchmarks.prediction "$$run" "$(CONVTEXT_DATA)/benchmarks" \
	  $(call option,CORPUS,--corpus) $(call option,MODEL,--model) $(call option,ROWS,--rows) $(call option,LONG,--long)

test: check
	.venv/bin/python -m pytest

check: $(INSTALLED)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

clean:
	rm -rf "$(CONVTEXT_DATA)/build"

# The environment: exactly what the lock says.

$(INSTALLED): $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "convtext needs Python 3.11 to 3.13; name one with PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' $(LOCK))"
	.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python $(LOCK)
	@rm -f .venv/*.lock && cp $(LOCK) $@

lock: $(INSTALLED)
	.venv/bin/uv pip compile --quiet --universal --upgrade --no-header --no-annotate \
	  --extra dev pyproject.toml --output-file requirements.lock
	.venv/bin/uv pip compile --quiet --universal --upgrade --no-header --no-annotate \
	  --extra dev --group gpu --no-emit-package tensorflow-cpu pyproject.toml --output-file requirements-gpu.lock

# The graph, for one RUN = data/build/<corpus>/<model>: each file, what it is made from, and the code that
# makes it. `make train` writes the options first, each file only where it changed. A test compares the
# code lists with what each stage imports.

# A stage speaks to the terminal on descriptor 3; what the inner make says on 2 is shown without its "Error 2".
STAGE = exec $(VERB) $(1) 2>&3
code = $(patsubst %,pipeline/%.py,$(1))

everywhere := __init__ terminal __main__ checkout errors options verb_options config/loading config/conf_folders config/yaml_core config/arguments config/assignments config/complaints images/folder artifacts files csv_line inputs cores \
  models/__init__

ifdef RUN
DIR := $(patsubst %/,%,$(dir $(RUN)))
# Images are neither tokenized nor embedded: `configure` writes no options for it.
SEQUENCES := $(if $(wildcard $(DIR)/tokenize.json),$(DIR)/sequences.npz)
VECTORS := $(if $(wildcard $(RUN)/embed.json),$(RUN)/vectors.npz)
# Its opponents are chosen by the network's own criterion, as options.Train has it.
CRITERION := $(if $(shell grep -s '"class_weights": "balanced"' "$(RUN)/train.json"),macro_f1,accuracy)
NGRAMS := $(if $(shell grep -s '"ngrams": true' "$(RUN)/train.json"),$(DIR)/ngrams_$(CRITERION).npz)

IS_FOLD := $(if $(filter-out all,$(notdir $(DIR))),$(filter folds folds-%,$(notdir $(patsubst %/,%,$(dir $(DIR))))))

ifdef IS_FOLD
# Which fold tests each row: of reviews-03of10-seed1, all/of10-seed1.npz. An official test part is not cut.
NAMED := $(subst -, ,$(subst of, of,$(notdir $(DIR))))
CUT := $(wildcard $(dir $(DIR))all/$(lastword $(filter of%,$(NAMED)))-$(lastword $(NAMED)).npz)

$(DIR)/rows.parquet: $(DIR)/prepare.json $(dir $(DIR))all/rows.parquet $(CUT) \
  $(call code,$(everywhere) commands/make_fold corpus/folds corpus/split corpus/equality corpus/data_report corpus/near_copies)
	$(call STAGE,make_fold $(DIR))
else
$(DIR)/rows.parquet: $(DIR)/prepare.json $(LOCK) \
  $(call code,$(everywhere) stages/prepare corpus/sources tables/rows tables/blocks tables/faults tables/scanner tables/opening tables/stream \
  compiled corpus/download corpus/docstrings corpus/split corpus/equality corpus/data_report corpus/near_copies images/sources images/npz images/folder images/file networks/backend)
	$(call STAGE,prepare $(DIR))

$(DIR)/of%.npz: $(DIR)/of%.json $(DIR)/rows.parquet $(call code,$(everywhere) commands/assign_folds corpus/folds corpus/split corpus/equality)
	$(call STAGE,assign_folds $(basename $@))
endif

$(DIR)/sequences.npz: $(DIR)/tokenize.json $(DIR)/rows.parquet $(call code,$(everywhere) stages/tokenize encoder text/encoder text/fast_encoder text/chunk_kernels text/similar_words)
	$(call STAGE,tokenize $(DIR))

# One thread is as fast, and leaves a core to embed.
$(DIR)/baseline_$(CRITERION).parquet: $(DIR)/baseline.json $(DIR)/rows.parquet $(SEQUENCES) \
  $(call code,$(everywhere) stages/baseline baselines/candidate baselines/catalogue baselines/fasttext baselines/nbsvm baselines/tfidf baselines/tfidf_kernels compiled corpus/split corpus/equality inputs baselines/pixels \
  measures/metrics)
	OMP_NUM_THREADS=1 $(call STAGE,baseline $(DIR) --criterion $(CRITERION))

# The baseline stage leaves it as it was where nothing in it changed, whatever became of other opponents.
$(DIR)/ngrams_$(CRITERION).npz: $(DIR)/baseline_$(CRITERION).parquet
	@[ -e $@ ] || OMP_NUM_THREADS=1 $(call STAGE,baseline $(DIR) --criterion $(CRITERION))

$(RUN)/vectors.npz: $(RUN)/embed.json $(DIR)/sequences.npz \
  $(call code,$(everywhere) stages/embed text/learned_vectors text/vector_files text/missing_vectors encoder text/encoder text/fast_encoder text/chunk_kernels text/similar_words)
	$(call STAGE,embed $(RUN))

.PHONY: inputs
inputs: $(DIR)/rows.parquet $(SEQUENCES) $(VECTORS)

$(RUN)/model/manifest.json: $(RUN)/train.json $(DIR)/rows.parquet $(SEQUENCES) $(VECTORS) $(NGRAMS) \
  $(call code,$(everywhere) stages/train networks/trainer networks/batches inputs networks/layers networks/token_convolution compiled networks/convolution_kernels networks/lazy_optimizers networks/backend networks/ensemble baselines/candidate baselines/tfidf baselines/tfidf_kernels \
  arrays terminal manifest prediction/classifier measures/calibration measures/softmax encoder text/encoder text/fast_encoder text/chunk_kernels text/similar_words tracking/run tracking/writer_client tracking/location tracking/journal tracking/locks tracking/provenance networks/search_space \
  images/encoder images/file networks/image_inputs images/edge_kernels prediction/folded prediction/kernels prediction/llvm_maximum prediction/fold_network networks/keras_network prediction/drift) \
  $(wildcard pipeline/models/*.py) | $(DIR)/baseline_$(CRITERION).parquet
	$(call STAGE,train $(RUN))

$(RUN)/metrics.json: $(RUN)/model/manifest.json $(DIR)/baseline_$(CRITERION).parquet \
  $(call code,$(everywhere) stages/evaluate tracking/writer_process tracking/mlflow_calls tracking/store tracking/package tracking/mlflow_model tracking/served_model prediction/labeller tables/columns tables/kernels review/assessment review/run_figures review/page review/label_errors \
  measures/metrics measures/comparison measures/paired measures/slices prediction/evidence review/style review/figures review/class_figures review/filter_figures review/filters) pipeline/review/report.html.j2
	$(call STAGE,evaluate $(RUN))
endif

# A cross-validation: CROSSVAL is its folder. Its options name the runs of its folds, each a graph of its own:
# so many that no command line has room for them.

ifdef CROSSVAL
export OMP_NUM_THREADS := 1
export TF_NUM_INTRAOP_THREADS := 1
METRICS := $(shell sed -n '/^ "runs":/,/^ ]/s|^  "\(.*\)",*$$|\1/metrics.json|p' "$(CROSSVAL)/options.json")

$(CROSSVAL)/crossval.json: $(CROSSVAL)/options.json $(METRICS) \
  $(call code,$(everywhere) commands/crossval studies/cross_validation studies/t_tests baselines/candidate baselines/catalogue baselines/fasttext baselines/nbsvm baselines/tfidf baselines/tfidf_kernels baselines/pixels inputs compiled measures/metrics measures/comparison measures/paired tracking/run tracking/writer_client \
  tracking/location tracking/journal tracking/locks tracking/provenance corpus/data_report corpus/near_copies corpus/split corpus/equality)
	$(call STAGE,crossval $(CROSSVAL))

$(METRICS): FORCE
	@$(MAKE) --silent --no-print-directory CROSSVAL= RUN=$(@D) $@ >/dev/null
	@sed -n 's|^ "accuracy": \([01]\.[0-9]\{1,4\}\).*|  $(notdir $(patsubst %/,%,$(dir $(@D)))): accuracy \1|p' $@

FORCE:
endif
