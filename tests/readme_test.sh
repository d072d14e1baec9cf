#!/bin/sh
# The program in README compiles as it stands, runs, and prints what README
# says it prints.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```c$/ {on = 1; next} /^```$/ {if (on) exit} on' \
	"$srcdir/README.md" >"$work/readme.c"
test -s "$work/readme.c"
lines=$(wc -l <"$work/readme.c")
test "$lines" -le 20 || { echo "the program has $lines lines"; exit 1; }
./libtool --silent --tag=CC --mode=link \
	$CC $CFLAGS -Wall -Wextra -Werror -I"$srcdir/include" \
	-o "$work/readme" "$work/readme.c" libacre.la -pthread
"$work/readme" >"$work/out"
cat "$work/out"
grep -q "hello" "$work/out"
