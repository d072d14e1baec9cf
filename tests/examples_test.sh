#!/bin/sh
# SPDX-License-Identifier: MIT
#
# examples_test.sh FILE.expected - the example of that name prints what the
# file says, and nothing else. Exit status: 77 when it was not built.
set -eu
name=$(basename "$1" .expected)
example=./examples/$name
[ -x "$example" ] || { echo "$example was not built"; exit 77; }
actual=$example.actual
trap 'rm -f "$actual"' EXIT
"$example" >"$actual"
diff "$1" "$actual"
