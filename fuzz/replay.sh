#!/bin/sh
# Play the corpus, and some strings of no file, with a seed that it prints.
set -eu

seed=${TEST_SEED:-$(date +%s)}
echo "TEST_SEED=$seed"
fuzz/replay "${srcdir:-.}/fuzz/corpus"
fuzz/replay --random "$seed" "${TEST_RUNS:-50}"
