#!/bin/sh
# Lists the C and C++ files under a folder, one a line, in a fixed order: what meson builds.
cd "$(dirname "$0")/.." && find "$1" -name '*.c' -o -name '*.cc' | LC_ALL=C sort
