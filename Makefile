# Every target sets up what it needs from nothing, and is quick the second time.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup dev image demo demo-clean test test-rootless test-packets test-machines test-fleets test-others test-killing check check-words check-waiting check-half check-rest browser bench kill machine lab lab-stop lab-start lab-down lock
IMAGE ?=
HOSTS ?= 3
UNDERLAY ?= flat
HOST ?=
PART ?=
# Not of the environment: nobody is to leave tests out without knowing it.
AFTER :=
play = setup/root .venv/bin/python -m tests.lab.play
# Where this is set, every start of the program and of a test process would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## Debian packages (or the line that installs them) and .venv/bin/cloudsync
	@setup/packages
	@setup/venv

dev:
	@setup/packages
	@setup/venv dev

image: setup
	@setup/root demo/build-image >/dev/null

demo: setup ## two guests on this machine, proved to work and left running; IMAGE=path-or-url takes an image of yours
	@setup/root demo/run $(if $(IMAGE),--image '$(IMAGE)')

demo-clean: setup ## remove every trace of the demo
	@setup/root demo/clean

# Each worker imports everything anew: more of them than processors are slower. `AFTER=check` says that `make check` has
# passed with as many WORLDS on these very files, as in .ci/run: then only what it leaves out is to be run.
ROOTLESS := .venv/bin/python -m pytest -q $(if $(filter check,$(AFTER)),-m 'not real and slow',-n 2 --dist worksteal -m 'not real')
# Each on a private machine: two processors are enough for all of them, for most of the time they wait.
REAL := .venv/bin/python tests/lab/private.py --uplink .venv/bin/python -m pytest -q -m real
PACKETS := $(addprefix tests/,denials dnsmasq fabric firewall floating links neighbours)
MACHINES := $(addprefix tests/,contract e2e libvirt)
FLEETS := $(addprefix tests/,fleet lab moves)
KILLING := tests/kill
named = 2>&1 | sed -u 's/^/$(1) /'

test: dev image ## all tests, the real libvirt, nftables, dnsmasq and a booted guest included, in private machines
	@$(MAKE) --no-print-directory --keep-going -j6 test-rootless test-packets test-machines test-fleets test-others test-killing

# Those that wait for real things have the processors first.
test-rootless:
	@WORLDS=25 nice -n 10 $(ROOTLESS) $(call named,rootless)

test-packets:
	@setup/root $(REAL) $(PACKETS) $(call named,packets )

test-machines:
	@setup/root $(REAL) $(MACHINES) $(call named,machines)

test-fleets:
	@setup/root $(REAL) $(FLEETS) $(call named,fleets  )

test-others:
	@setup/root $(REAL) $(addprefix --ignore=,$(PACKETS) $(MACHINES) $(FLEETS) $(KILLING)) tests $(call named,others  )

test-killing:
	@setup/root $(REAL) $(KILLING) $(call named,killing )

# Two halves, for two processors, and what mostly waits beside them; each imports only what it needs.
HALF := $(addprefix tests/,cli house laws planner reach render)
WAITING := tests/watch
FAST := .venv/bin/python -m pytest -q -m 'not real and not slow'

check: dev ## format, lint, types, import rules and the tests that need neither root nor processes of their own
	@$(MAKE) --no-print-directory --keep-going -j4 --output-sync=target check-words check-waiting check-half check-rest

check-words:
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

check-waiting:
	@$(FAST) $(WAITING)

check-half:
	@$(FAST) $(HALF)

check-rest:
	@$(FAST) $(addprefix --ignore=,$(HALF) $(WAITING)) tests

browser: dev ## drawings and reports measured in Chromium, Graphviz and Mermaid; pictures of each in build/browser
	@setup/browser
	@.venv/bin/python -m pytest -q tests/browser/looks.py

bench: dev ## measured figures and what they are held against, into bench/results.json
	@setup/packages iperf3
	@setup/root .venv/bin/python -m bench.guest
	@.venv/bin/python -m bench.run

kill: dev ## hours of killing at every moment, and of holding plans against what happens; PART=one, daemons, three, power or truth
	@setup/root .venv/bin/python tests/lab/private.py --uplink .venv/bin/python -m tests.kill $(PART)

machine: dev ## a shell on a private machine with its own libvirt, network and folders
	@setup/root .venv/bin/python tests/lab/private.py --uplink bash

lab: dev ## several hosts on this machine and build/lab/cloud.yaml to play with; HOSTS=3, UNDERLAY=flat or routed
	@$(play) up '$(HOSTS)' '$(UNDERLAY)'

lab-stop: ## pull the plug on one of them, HOST=h2
	@$(play) stop '$(HOST)'

lab-start: ## boot it again, HOST=h2
	@$(play) start '$(HOST)'

lab-down: ## remove every trace of the lab
	@$(play) down

lock: ## requirements*.lock anew from pyproject.toml
	@setup/lock
