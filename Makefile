# What a visitor runs. Everything else is in the scripts of package.json.
.PHONY: help setup demo test verify

help:
	@echo 'make setup    check and install what is needed (Node 20.19, Java 17, Maven, npm packages)'
	@echo 'make demo     build the SDK and run the demo; KEEP=1 leaves the cluster running'
	@echo 'make test     check, unit tests, three thousand simulated lives, end-to-end tests'
	@echo 'make verify   long runs that prove the promises; PART=name for one of them'

setup:
	@scripts/setup.sh

demo: setup
	@npm run --silent build
	@KEEP='$(KEEP)' npm run --silent demo

test: setup
	@scripts/test.sh

verify: setup
	@npm run --silent build
	@npm run --silent verify -- $(PART)
