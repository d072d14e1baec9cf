#!/bin/sh
# SPDX-License-Identifier: MIT
#
# array_refused_test.sh - what array.h must not take does not compile without a
# warning; the same with an element that it takes does.
set -eu
: "${srcdir:=.}" "${CC:=cc}"
failures=0

# compiles STATEMENT [LANGUAGE]
compiles() {
	printf '%s\n' "#include <acre/array.h>" \
		"struct plain { int x; };" \
		"struct other { int x; };" \
		"struct wide { int x; } __attribute__((aligned(32)));" \
		"struct none { int x[0]; };" \
		"#ifdef __cplusplus" \
		"struct owner { int x; ~owner() { x = 0; } };" \
		"#endif" \
		"void f(acre_allocator in); void f(acre_allocator in) { $1 }" |
		$CC -x "${2:-c}" -I"$srcdir/include" -Wall -Werror \
			-fsyntax-only - >/dev/null 2>&1
}

# takes, refuses STATEMENT [LANGUAGE]
takes() {
	compiles "$@" || { echo "refused: $1"; failures=$((failures + 1)); }
}

refuses() {
	! compiles "$@" || { echo "taken: $1"; failures=$((failures + 1)); }
}

array() {
	echo "ACRE_ARRAY(struct $1) a = ACRE_ARRAY_IN(in);"
}

takes "$(array plain) acre_array_push(&a, {1});"
refuses "$(array wide) acre_array_push(&a, {1});"
refuses "$(array none) acre_array_push(&a, {});"
refuses "$(array wide) a = acre_array_sized(__typeof__(a), in, 3);"
refuses "$(array plain) acre_array_push(&a, (struct wide){1});"
both="$(array plain) $(array other | sed 's/ a / b /')"
takes "$both b = acre_array_map(__typeof__(b), in, a, x, {x->x});"
refuses "$both acre_array_append(&a, b);"
refuses "$both b = acre_array_clone(__typeof__(b), in, a);"
refuses "$(array plain) int b = acre_array_get(a, 0); (void)b;"
refuses "const $(array plain) acre_array_push(&a, {1});"
if compiles "" c++; then
	takes "$(array plain) acre_array_push(&a, {1});" c++
	refuses "$(array owner) acre_array_push(&a, {1});" c++
	refuses "$(array wide) acre_array_push(&a, {1});" c++
fi
[ $failures = 0 ] && echo "the compiler takes and refuses what it should"
