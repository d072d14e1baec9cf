#!/bin/sh
# The instruction gates of bench/gates hold; skipped where they say nothing
# (another compiler, a sanitizer, no valgrind).
exec "${srcdir:-.}/bench/instructions.sh" --gates
