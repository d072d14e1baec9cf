# The stress of forks.

stress_programs += stress/fork

stress_fork_SOURCES = stress/fork.c \
	stress/children.c stress/children.h $(stress_common)
stress_fork_LDADD = libacre.la $(URCU_LIBS)
stress_fork_LDFLAGS = -static
