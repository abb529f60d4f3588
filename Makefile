# `make demo` and `make test` do the set-up that is missing, in .venv.
PYTHON ?= python3
VENV_PYTHON = .venv/bin/python

.PHONY: help setup demo test lint docs clean
help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile
	@echo "PYTHON=python3.12 make ... uses that Python, ARGS='...' adds arguments."

setup:  ## make .venv (about 13 minutes the first time, then nothing)
	@$(PYTHON) tools/dev/set_up.py

demo:  ## train a teacher, a student alone and a student with FAM-KD: 3 minutes
	@$(PYTHON) tools/dev/set_up.py --without-operators
	@$(VENV_PYTHON) tools/demo.py $(ARGS)

test: setup  ## run the tests
	@$(VENV_PYTHON) -m pytest tests --numprocesses auto $(ARGS)

lint: setup  ## check style and format
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .

docs: setup  ## build the documentation in build/docs; a broken link is an error
	@$(VENV_PYTHON) -m sphinx -q -W --keep-going -b html -c docs . build/docs

clean:  ## remove .venv and what was built (not work_dirs, not the compiled mmcv)
	rm -rf .venv .venv.lock build dist famkd.egg-info famkd/.mim .pytest_cache .ruff_cache
