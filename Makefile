# Every target is one script. INSTANCE=name runs a second Kiln beside the first, YES=1 answers what purge asks.
.PHONY: build up down test bench purge format lint check

build:
	@scripts/build
up:
	@scripts/up
down:
	@scripts/down
test:
	@scripts/test
bench:
	@scripts/bench
purge:
	@scripts/purge
format:
	@scripts/format
lint:
	@scripts/lint
check:
	@scripts/check
