#!/bin/sh
# The shared library exports what lib/acre.sym lists, and nothing else.
set -eu
library=.libs/libacre.so
[ -e "$library" ] || { echo "no shared library was built"; exit 77; }
nm -D --defined-only "$library" | awk '{print $3}' | sort >exports.actual
sort "$srcdir/lib/acre.sym" >exports.expected
diff exports.expected exports.actual
rm -f exports.actual exports.expected
