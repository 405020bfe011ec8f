#!/bin/sh
# Makes the EVTX files of rules/*/events/ and samples/ from the NDJSON beside them. Needs a build (build/tests/evtx-make).
set -eu
cd "$(dirname "$0")/.."
for source in rules/*/events/*.ndjson; do
    out="${source%.ndjson}.evtx"
    build/tests/evtx-make "$out" "$source"
    gzip -9 -n -f "$out"
done
cat rules/T1059.003-windows-command-shell/events/*.ndjson | sed 's/"record_id": [0-9]*, //' >samples/all.tmp
build/tests/evtx-make samples/workstation.evtx samples/all.tmp
rm samples/all.tmp
