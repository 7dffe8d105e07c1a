# The graph: each file, what it is made from, and the code that makes it. `graph/inner_make.py` includes it
# in the data folder, with CORPUS_DIR (build/<corpus>) and for a model RUN (build/<corpus>/<model>), or with
# CROSSVAL or CURVE, the folder of a cross-validation or learning curve; with PACKAGE, and in the environment
# CONVTEXT_PYTHON, CONVTEXT_CALLER and CONVTEXT_DATA, which run the stages; and with CODE, a folder in which
# each stage has a file that changes with the code that it runs (`graph/code_digest.py`).
# Options and facts (graph.mk of a folder) are written before, each file only where it changed.

.SUFFIXES:

# A stage speaks to the terminal on descriptor 3; what make says itself goes to 2.
# It runs where the user is; make runs in the data folder, whose own name may mean something to it.
STAGE = cd "$$CONVTEXT_CALLER" && \
  exec "$$CONVTEXT_PYTHON" -m $(PACKAGE) stage $(1) "$$CONVTEXT_DATA"/$(2) $(3) 2>&3 3>&-

ifneq ($(CORPUS_DIR),)
include $(CORPUS_DIR)/graph.mk

ifneq ($(ALL_ROWS),)
# A fold; an official test part is not cut.
$(CORPUS_DIR)/rows.parquet: $(CORPUS_DIR)/prepare.json $(ALL_ROWS) $(CUT) $(CODE)/make_fold
	$(call STAGE,make_fold,$(CORPUS_DIR))
else ifneq ($(SUBSET_OF),)
$(CORPUS_DIR)/rows.parquet: $(CORPUS_DIR)/prepare.json $(SUBSET_OF) $(CODE)/make_subset
	$(call STAGE,make_subset,$(CORPUS_DIR))
else
$(CORPUS_DIR)/rows.parquet: $(CORPUS_DIR)/prepare.json $(CODE)/prepare $(CODE)/requirements
	$(call STAGE,prepare,$(CORPUS_DIR))

$(CORPUS_DIR)/of%.npz: $(CORPUS_DIR)/of%.json $(CORPUS_DIR)/rows.parquet $(CODE)/assign_folds
	$(call STAGE,assign_folds,$(basename $@))
endif

$(CORPUS_DIR)/sequences.npz: $(CORPUS_DIR)/tokenize.json $(CORPUS_DIR)/rows.parquet $(CODE)/tokenize
	$(call STAGE,tokenize,$(CORPUS_DIR))
endif

ifneq ($(RUN),)
-include $(RUN)/graph.mk  # a search has none, and needs the inputs alone
VECTORS := $(if $(SEQUENCES),$(RUN)/vectors.npz)
BASELINE := $(CORPUS_DIR)/baseline_$(CRITERION).parquet

# By either criterion, as a search has no facts. The network waits for the vectors: they come before.
CRITERIA := accuracy macro_f1
$(CRITERIA:%=$(CORPUS_DIR)/baseline_%.parquet): $(CORPUS_DIR)/baseline_%.parquet: $(CORPUS_DIR)/baseline.json \
  $(CORPUS_DIR)/rows.parquet $(SEQUENCES) $(CODE)/baseline | $(VECTORS)
	$(call STAGE,baseline,$(CORPUS_DIR),$*)

$(RUN)/vectors.npz: $(RUN)/embed.json $(CORPUS_DIR)/sequences.npz $(CODE)/embed
	$(call STAGE,embed,$(RUN))

.PHONY: inputs
inputs: $(CORPUS_DIR)/rows.parquet $(SEQUENCES) $(VECTORS)

$(RUN)/model/manifest.json: $(RUN)/train.json $(CORPUS_DIR)/rows.parquet $(SEQUENCES) $(VECTORS) \
  $(CODE)/train-$(ARCHITECTURE)
	$(call STAGE,train,$(RUN))

$(RUN)/metrics.json: $(RUN)/model/manifest.json $(BASELINE) $(CODE)/evaluate
	$(call STAGE,evaluate,$(RUN))
endif

ifneq ($(CROSSVAL),)
include $(CROSSVAL)/graph.mk

$(CROSSVAL)/crossval.json: $(CROSSVAL)/options.json $(METRICS) $(CODE)/compare_folds
	$(call STAGE,compare_folds,$(CROSSVAL))
endif

ifneq ($(CURVE),)
include $(CURVE)/graph.mk

$(CURVE)/curve.json: $(CURVE)/options.json $(METRICS) $(CODE)/compare_sizes
	$(call STAGE,compare_sizes,$(CURVE))
endif
