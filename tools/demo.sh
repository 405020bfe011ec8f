#!/bin/sh
# What ./run demo shows: the logs in samples/, the T1059.003 rule over them, and its tests.
set -eu
cd "$(dirname "$0")/.."
k=build/kequel
rule=rules/T1059.003-windows-command-shell

say() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }

say "\$ kequel inspect samples"
$k inspect samples --format table
say "\$ kequel run $rule --on samples --now latest --rows"
$k run $rule --on samples --now latest --rows --format table
say "\$ kequel test $rule"
$k test $rule --format table
