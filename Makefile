# The few commands of the project; each works on a fresh machine with Rust and a C compiler.
.PHONY: demo test soak bench screens audit tools

# Gateway, sandbox CRM and an example shop: prints the addresses.
demo:
	cargo run --quiet --locked -p parom -- demo

# Everything that a change must pass.
test: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/check-release
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items
	scripts/run-tests

# The proof's tests with larger figures and new seeds, for so many minutes; prints seeds and a table.
MINUTES ?= 60
soak: tools
	scripts/soak $(MINUTES)

# Intake rate against a bare handler, added latency, memory; see docs/BENCHMARKS.md.
bench:
	cargo run --quiet --release --locked -p parom --example bench

# Pictures of the pages, wide and on a phone, into docs/ui/.
screens: tools
	cargo run --quiet --locked -p parom --example screens

# Licences, advisories, sources and unused dependencies; installs its tools at first use.
audit:
	scripts/audit

# System packages that the tests need: PHP, to compare with, and a browser.
tools:
	scripts/install-tools
