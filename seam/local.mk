# What stands behind acre's doors where interleavings are looked at.

seam_headers = seam/seam.h seam/stdatomic.h seam/urcu/urcu-bp.h
EXTRA_DIST += $(seam_headers)
