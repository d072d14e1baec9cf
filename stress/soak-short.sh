#!/bin/sh
# Two seconds of it, for `make check`; more with `make soak`.
exec ./stress/soak --seconds 2
