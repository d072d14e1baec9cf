#!/bin/sh
# Some seeds of each scenario, for `make check`; more with `make schedules`.
exec ./schedule/schedules --seeds 100
