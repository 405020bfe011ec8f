#!/bin/sh
# ./run bench [--events N]: makes the data under bench/data where it is absent, then measures.
set -eu
cd "$(dirname "$0")/.."
events=1000000
[ "${1:-}" = --events ] && events=$2
mkdir -p bench/data
[ -x bench/data/gen ] || cc -O2 -o bench/data/gen bench/gen.c -lm
[ -x bench/data/simdjson_only ] || c++ -O3 -march=native -std=c++17 -o bench/data/simdjson_only bench/simdjson_only.cc -lsimdjson -lpthread
[ -f "bench/data/e$events.csv" ] || (cd bench/data && ./gen -n "$events" -s 42 -o "e$events")
if [ ! -f bench/data/sysmon.evtx ]; then
    python3 bench/sysmon.py 120000 >bench/data/sysmon.ndjson
    build/tests/evtx-make bench/data/sysmon.evtx bench/data/sysmon.ndjson
fi
telemetry=../shared/telemetry
if [ -d "$telemetry" ] && [ ! -f bench/data/sets.evtx ]; then
    python3 bench/evtx_set.py bench/data/sets.evtx "$telemetry" 300
    mkdir -p bench/data/sets
    find "$telemetry" -name '*.evtx' | sort | awk '{ printf "cp --sparse=never \"%s\" bench/data/sets/%03d.evtx\n", $0, NR }' | sh
fi
if [ ! -x bench/data/peers/bin/evtx_dump ] && command -v cargo >/dev/null; then
    RUSTFLAGS="-C target-cpu=native" cargo install --quiet evtx --root bench/data/peers || echo "bench: evtx_dump could not be built; its figure is left out" >&2
fi
[ -d bench/node_modules/@duckdb ] || (cd bench && npm install --silent --no-audit --no-fund) || echo "bench: DuckDB could not be installed; its figure is left out" >&2
exec python3 bench/measure.py "$events"
