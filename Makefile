# Every command of the course. Each target does its own set-up; `make help` lists them.

PYTHON ?=
export PYTHON
SETUP  := @bash scripts/setup.sh
RUN    := .venv/bin/python
# A week whose table in course.toml has `packages` needs torch, the others do not.
NEEDS   = $(or $(shell awk -v week="$(WEEK)" '/^\[\[week\]\]/ {own = 0} \
		/^(number|id) *=/ {gsub(/"/, "", $$3); own = own || $$3 == week} \
		/^packages *=/ && own {print "torch"}' assignments/course.toml),core)

.DEFAULT_GOAL := help
.PHONY: help grade gpu formgrader demo check stubs notebooks handouts release data test prove bench lint types fix

help: ## Show this list
	@echo "Neural Network Foundations. Usage: make TARGET [NAME=value ...]"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F'|' '{ printf "  %-12s%s\n", $$1, $$2; for (i = 3; i <= NF; i++) printf "  %-12s%s\n", "", $$i }'
	@echo
	@echo "PYTHON=python3.12 chooses the Python (3.11 to 3.13) that .venv is made with."

grade: ## Grade a class: SUBMISSIONS=dir (or class.zip) OUT=dir (default: grades)|WEEK=2 JOBS=2 (default: one for each processor) UNCONFINED=1 DRY_RUN=1|Without WEEK: all weeks of which anything was handed in|Without SUBMISSIONS: write a simulated class of 12 and grade that|DRY_RUN=1 only says what would run, why, and about how long|ARGS="--student ada" (or --only infra, --since 2026-10-12) grades only some of it
	$(SETUP) $(NEEDS) sandbox
	@$(RUN) -m autograder grade $(if $(SUBMISSIONS),--submissions "$(SUBMISSIONS)") \
		--out "$(or $(OUT),grades)" $(if $(WEEK),--week "$(WEEK)") $(if $(JOBS),--jobs "$(JOBS)") \
		$(if $(filter 1,$(UNCONFINED)),--unconfined) $(if $(filter 1,$(DRY_RUN)),--dry-run) $(ARGS)

gpu: ## Train and measure a class's final projects: SUBMISSIONS=dir OUT=dir (default: grades)|JOBS_PER_GPU=2 (default: 1)|On a machine without a GPU, a trial for no points: TRIAL=1
	$(if $(SUBMISSIONS),,$(error Say where the submissions are: make gpu SUBMISSIONS=dir OUT=dir))
	$(SETUP) torch sandbox
	@$(RUN) -m autograder gpu --submissions "$(SUBMISSIONS)" --out "$(or $(OUT),grades)" \
		$(if $(JOBS_PER_GPU),--jobs-per-gpu "$(JOBS_PER_GPU)") \
		$(if $(filter 1,$(TRIAL)),--device cpu --epochs 1 --subset 512)

formgrader: ## Mark what a class wrote in notebooks, in the browser: SUBMISSIONS=dir OUT=dir (default: grades)|WEEK=1 (default: all) PORT=0 (default: 8765; 0: any free one)|Ctrl-C ends it and takes the marks over
	$(if $(SUBMISSIONS),,$(error Say where the submissions are: make formgrader SUBMISSIONS=dir OUT=dir))
	$(SETUP) notebooks
	@$(RUN) -m autograder formgrader --submissions "$(SUBMISSIONS)" --out "$(or $(OUT),grades)" \
		$(if $(WEEK),--week "$(WEEK)") $(if $(PORT),--port "$(PORT)")

demo: ## Write a simulated class: OUT=dir (default: demo-class) STUDENTS=30 (default: 12) SEED=1 (default: 0)|WEEK=4 (default: phase 1)
	$(SETUP) core
	@$(RUN) -m autograder demo $(if $(OUT),--out "$(OUT)") $(if $(STUDENTS),--students "$(STUDENTS)") \
		$(if $(SEED),--seed "$(SEED)") $(if $(WEEK),--week "$(WEEK)")

check: ## Check your own files with the public tests: WEEK=1 (default; 2, 3 or project)
	$(SETUP) $(NEEDS)
	@$(RUN) -m autograder check $(if $(WEEK),--week "$(WEEK)")

stubs: ## Write the students' stubs anew from the solutions
	$(SETUP) core
	@$(RUN) -m autograder stubs

notebooks: ## Write the notebooks of analyses: OUT=dir; EXECUTE=1 runs them first, pictures inside
	$(if $(OUT),,$(error Say where the notebooks go: make notebooks OUT=dir))
	$(SETUP) $(if $(filter 1,$(EXECUTE)),all,core)
	@$(RUN) -m autograder notebooks --out "$(OUT)" $(if $(filter 1,$(EXECUTE)),--execute)

handouts: ## Write the handouts as HTML pages: OUT=dir
	$(if $(OUT),,$(error Say where the pages go: make handouts OUT=dir))
	$(SETUP) core
	@$(RUN) -m autograder handouts --out "$(OUT)"

release: ## Write the tree that students get: OUT=dir|ADDRESS=https://... (where they will get it: a .zip or a git repository, for Colab)
	$(if $(OUT),,$(error Say where the students' tree goes: make release OUT=dir))
	$(SETUP) torch
	@$(RUN) -m autograder release --out "$(OUT)" $(if $(ADDRESS),--address "$(ADDRESS)")

data: ## Download data sets into $COURSE_DATA (default: data/cache): NAMES="mnist cifar10" (default: all)|shakespeare, and trained networks: efficientnet, for week 4's second part, and minilm, for week 6's
	$(SETUP) core
	@$(RUN) -m data download $(NAMES)

test: ## Run the tests that a change breaks most likely, before every commit: ARGS="-k name"|(about 12 minutes on two cores)
	$(SETUP) all sandbox
	@$(RUN) -m pytest -n auto $(ARGS)

prove: ## Run the others: every known mistake, every hostile submission, whole runs; before a push: ARGS="-k name"|(about 40 minutes on two cores, seconds where nothing has changed: proofs are kept in .proofs/)|PROVE_FRESH=1 makes all proofs anew
	$(SETUP) all sandbox
	$(SETUP) all browser
	@$(RUN) -m pytest -n auto -m prove --kept-proofs $(ARGS)

bench: ## Measure how fast the grader is, and which of its goals are reached|(about 15 minutes on two cores that do nothing else)
	$(SETUP) core sandbox
	@$(RUN) -m benchmarks

lint: ## Look for mistakes in style, and for imports that go upwards; changes nothing
	$(SETUP) dev
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -c "from importlinter.cli import lint_imports_command as lint; lint()"

types: ## Check the types
	$(SETUP) all
	@$(RUN) -m mypy

fix: ## Repair what lint finds, where that needs no thought
	$(SETUP) core
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .
