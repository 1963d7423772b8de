PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check -c constraints.txt -e
COMPILE := $(BIN)/python -m compileall -q -j 2 $(VENV)/lib # what pip would do on one core

COVERED := cover-serilux cover-core

.PHONY: fuzz demo test check lint cover $(COVERED) pages docs pictures schemas soak repeat bench mutation clean

demo: $(READY)
	$(BIN)/python -m examples.census

test check: export PYTHONDONTWRITEBYTECODE := # hundreds of processes would compile the library anew

test: check # which runs the tests that are ignored here; four processes, since they wait for disks and deaths, too
	$(BIN)/python -m pytest -q -n 4 --dist=worksteal --ignore tests/core --ignore tests/serilux

check: $(READY) # three at once: on two cores neither waits for the other at the end
	$(MAKE) --jobs=3 cover lint

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

cover: $(COVERED) # of both together
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

$(COVERED): cover-%: $(READY)
	$(BIN)/coverage run --data-file=.coverage.$* -m pytest -q -p tests.measuring tests/$*

pages: $(READY) # the documentation's tests; one makes the site, and takes a warning for an error
	$(BIN)/python -m pytest -q tests/docs

docs: $(or $(wildcard $(READY)),$(VENV)/.docs) # needs no more than the extra `docs`
	$(BIN)/sphinx-build -q -W --keep-going -n docs site

pictures: $(READY)
	$(BIN)/python -m docs.pictures

schemas: $(READY) # of the documents, as the code says
	for kind in flow job transfer; do $(BIN)/routilux schema $$kind > src/routilux/schemas/$$kind.json; done

soak: $(READY)
	$(BIN)/python -m tests.fuzz.soak --inputs 1000000
	$(BIN)/python -m pytest -q -n 2 -o faulthandler_timeout=0 --hypothesis-profile=soak tests/laws tests/crashes tests/fuzz tests/serilux

fuzz: $(VENV)/.fuzz # an hour for each kind of document, following coverage; findings stop it
	for name in value object flow job transfer file; do \
		$(BIN)/python -m tests.fuzz.with_atheris $$name -max_total_time=3600 -max_len=4096 || exit 1; done

$(VENV)/.fuzz: $(READY)
	$(INSTALL) '.[fuzz]'
	touch $(VENV)/.fuzz

repeat: $(READY)
	$(BIN)/python -m pytest -q -n 2 --count=500 tests/engine/test_engine_threads.py tests/engine/test_engine_async.py \
		tests/engine/test_engine_hostile_code.py

bench: $(READY)
	$(BIN)/python -m bench

# MUTANTS='serilux._clone.*' tries those of a module; the survivors of a few seconds of tests have to stand all of them
mutation: MUTANTS ?= *
mutation: TRY = $(BIN)/python -m pytest -s -p no:terminal -p tests.mutation.plugin --hypothesis-profile=mutation \
		tests/serilux tests/core --mutants '$(MUTANTS)'
mutation: $(READY)
	$(INSTALL) '.[mutation]'
	$(BIN)/python -m tests.mutation.prepare
	cd mutants && PYTHONPATH=src ../$(TRY) --mutants-seconds 5
	cd mutants && PYTHONPATH=src ../$(TRY) --mutants-again 0
	$(BIN)/python -m tests.mutation.score

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[dev]'
	$(COMPILE)
	touch $(READY)

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[docs]'
	$(COMPILE)
	touch $(VENV)/.docs

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("routilux needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist site .coverage .hypothesis .mypy_cache .ruff_cache mutants
