# Tests of faults: every call that can fail, failing.

if HAVE_CHECK
check_PROGRAMS += tests/fault_test
TESTS += tests/fault_test
endif

wrap = -Wl,--wrap
fault_calls = \
	$(wrap)=malloc \
	$(wrap)=calloc \
	$(wrap)=aligned_alloc \
	$(wrap)=realloc \
	$(wrap)=free \
	$(wrap)=mmap \
	$(wrap)=mremap \
	$(wrap)=munmap \
	$(wrap)=madvise \
	$(wrap)=syscall \
	$(wrap)=pthread_create \
	$(wrap)=pthread_key_create \
	$(wrap)=pthread_setspecific

tests_fault_test_SOURCES = tests/fault_test.c \
	tests/fault.c tests/fault.h \
	tests/fault_model.c tests/fault_model.h \
	tests/fault_parts.c tests/fault_parts.h \
	tests/fault_scenarios.c tests/fault_scenarios.h
tests_fault_test_LDFLAGS = -static $(fault_calls)
