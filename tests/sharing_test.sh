#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sharing_test.sh - own regions share nothing, and a page through the pool costs
# a tenth of an atomic read-modify-write at most. See bench/sharing.c.
exec bench/sharing --gates
