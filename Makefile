# Needs Python 3.11 or newer, git and make; everything else is fetched into .venv and ~/.cache/onelead.
.DEFAULT_GOAL := help
.PHONY: help demo test slow long lock clean check

SHELL := /bin/sh
ROOT := $(CURDIR)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The oldest Python that will do comes first: what is locked has ready-made packages for it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python3.14 python; do \
	$$p -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)

# One stamp for each content of a lock: .venv is built again when that changes, and only then (a newer
# pip alone changes nothing).
key = $(shell cksum < requirements/$(1).txt | cut -d' ' -f1)
DEV := .venv/dev-$(call key,dev)
BENCH := .venv/bench-$(call key,bench)
ONE_MACHINE := .venv/one-machine-$(call key,one-machine)
# What tests need holds what the product needs.
DEMO_ENV := $(if $(wildcard $(DEV)),$(DEV),$(ONE_MACHINE))
IN_VENV := PYTHONPATH=$(ROOT) .venv/bin/python

help: ## show this
	@echo "OneLead: tells the people who sell hardware and services which customer to call next."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo
	@echo "After make demo: .venv/bin/onelead --help"

demo: $(DEMO_ENV) ## see it work on the sample workbooks; ONCE=1 ends by itself, JSON=1 adds a line of JSON
	@$(IN_VENV) -m onelead demo $(if $(ONCE),--once) $(if $(JSON),--json) $(if $(KEEP),--keep)

check: $(DEV) ## what needs no tests to run: ruff, mypy, import contracts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=$(ROOT) .venv/bin/lint-imports --no-logo

# Each worker has a Kafka and a PostgreSQL of its own; a file's tests stay together.
WORKERS ?= 3

test: check ## all checks and tests, but the slow ones; WORKERS=1 runs one after the other
	$(IN_VENV) -m pytest -q -m "not slow" --numprocesses $(WORKERS) --dist loadfile

# The battery comes alone: it keeps two cores busy by itself.
slow: $(DEV) ## the slow tests
	$(IN_VENV) -m pytest -q -m slow --numprocesses 2 --dist loadfile --ignore tests/slow/test_faults.py
	$(IN_VENV) -m pytest -q -m slow tests/slow/test_faults.py

long: $(DEV) ## by hand: each law on 1,000 cases; break the domains, 90 % of 400 mutants must be noticed
	$(IN_VENV) -m pytest -q --hypothesis-profile=thorough -m "not slow" tests/unit
	$(IN_VENV) -m tests.long.mutation $(if $(ALL),--sample 0)

.PHONY: bench-assess
bench-assess: $(BENCH) ## by hand: assess a million boxes, 20 times as fast as the first way
	$(IN_VENV) -m bench.assess_million

lock: $(DEV) ## lock the newest versions that requirements/*.in allow, and Kafka's jars
	test -x .venv/tools/bin/uv || { $(PYTHON) -m venv .venv/tools && .venv/tools/bin/pip install -q uv; }
	for name in pip runtime one-machine dev bench; do \
		.venv/tools/bin/uv pip compile --upgrade --generate-hashes --no-emit-index-url --no-annotate \
			--python-version 3.11 requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	$(IN_VENV) -m onelead.edition.lock_jars

clean: ## remove .venv, caches and the data folder
	rm -rf .venv .onelead .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Compiling is done afterwards, on all cores, the product's own files too: it saves time, no more.
INSTALL := .venv/bin/python -m pip install --disable-pip-version-check --require-hashes --no-compile
$(DEV): LOCK := dev
$(ONE_MACHINE): LOCK := one-machine
$(BENCH): LOCK := bench
$(DEV) $(ONE_MACHINE) $(BENCH):
	@test -n "$(PYTHON)" || { echo "OneLead needs Python 3.11 or newer; found: $$(python3 --version 2>&1)." \
		"Install one, or say where it is: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "Building .venv from requirements/$(LOCK).txt (once; it takes a minute or two)"
	@.venv/bin/python -c 'import pip._internal.commands.install; $(NEW_ENOUGH)' 2>/dev/null || rm -rf .venv
	@test -d .venv || $(PYTHON) -m venv .venv || { echo "python3 -m venv failed: on Debian install" \
		"python3-venv" >&2; exit 1; }
	@$(INSTALL) -q -r requirements/pip.txt || echo "Going on with the pip that is here, which takes longer" >&2
	@$(INSTALL) -r requirements/$(LOCK).txt
	@.venv/bin/python -m compileall -qq -j 0 .venv/lib onelead services shared || true
	@.venv/bin/python -c "import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path('purelib'), 'onelead.pth').write_text('$(ROOT)\n'); \
		command = pathlib.Path('.venv/bin/onelead'); \
		command.write_text('#!$(ROOT)/.venv/bin/python\nfrom onelead.__main__ import main\nmain()\n'); \
		command.chmod(0o755)"
	@touch $@

.PHONY: schemas
schemas: $(DEV) ## write docs/events from the event classes; RELEASE=1 also what later changes must keep
	$(IN_VENV) -m shared.contracts $(if $(RELEASE),--release)

.PHONY: bench-reconcile
bench-reconcile: $(DEV) ## match 100,000 names with 100,000 and compare with brute force; some minutes
	$(IN_VENV) -m bench.reconcile --all-cores

.PHONY: battery-delivery
battery-delivery: $(DEV) ## by hand: kill the notifier in each of ROUNDS=200 rounds; nothing lost, nothing doubled
	$(IN_VENV) -m tests.long.delivery_battery --rounds $(or $(ROUNDS),200)

.PHONY: bench-notifier
bench-notifier: $(DEV) ## by hand: deliveries/s against a bare httpx loop, and whom a dead sink holds up
	$(IN_VENV) -m bench.notifier_share
	$(IN_VENV) -m bench.notifier

.PHONY: faults
faults: $(DEV) ## by hand: break a running system 400 times and judge its history; SHORT=1 a little, WRITE=1 into docs/guarantees.md
	$(IN_VENV) -m tests.faults $(if $(SHORT),--short) $(if $(WRITE),--write) $(if $(SEED),--seed $(SEED))

.PHONY: faults-checker
faults-checker: $(DEV) ## by hand: put deliberate faults into the product; the checker must catch each
	$(IN_VENV) -m tests.faults --try-checker

.PHONY: audit
audit: $(DEV) ## by hand: what is shipped, its licences, its known vulnerabilities (asks the package index)
	$(IN_VENV) -m tests.long.audit
	test -x .venv/tools/bin/pip-audit || { test -d .venv/tools || $(PYTHON) -m venv .venv/tools; \
		.venv/tools/bin/pip install -q pip-audit; }
	for name in pip runtime one-machine dev bench; do \
		.venv/tools/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/$$name.txt || exit 1; done
