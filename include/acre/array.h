/* SPDX-License-Identifier: MIT */
/*
 * array.h - arrays of any type, in any allocator.
 *
 *	typedef ACRE_ARRAY(int) ints;
 *
 *	acre_allocator in = acre_region_allocator(r);     or malloc's, or yours
 *	ints all = acre_array_of(ints, in, 3, 1, 2);
 *	if (acre_array_push(&all, 4) != 0)
 *		return ENOMEM;
 *	ints even = acre_array_filter(ints, in, all, x, *x % 2 == 0);
 *	int sum = acre_array_fold(even, total, 0, x, total + *x);
 *	acre_array_each(i, x, even)
 *		printf("%zu: %d\n", i, *x);
 *
 * An array is a small struct, by value: its elements' address, their number,
 * and the allocator that they are from. Copied as a struct it is a view; only
 * one of the copies may grow it or free it.
 *
 * Arguments: calls that change an array take its address, calls that only
 *            read take the array itself, so that one can be the argument of
 *            another. Each argument is evaluated once, but for those that
 *            say "for each element". Values may be braced: {1, 2}.
 * Elements:  where a call names one (x), it is a pointer to it, const unless
 *            said otherwise. They are plain data, copied as bytes are and
 *            aligned to 16 at most; anything else does not compile.
 * Memory:    calls that make an array say where with `in`, an acre_allocator.
 *            Others use the array's own, and only to grow, shrink, sort and
 *            free.
 * Errors:    a call that changes an array returns 0 or an errno value, and
 *            then has changed nothing: ENOMEM, EINVAL (an index that is not
 *            there), EPERM (it would move the elements of a view). A call
 *            that makes one returns it empty with `error` set. Such an array
 *            makes others like itself: a chain is checked at its end. A
 *            fold, any, count and so on take it for an empty one.
 * Threads:   as an int: any that has it for itself, or several that read it.
 *
 * Needs gcc or clang (statement expressions, __COUNTER__), C11 or C++11; both
 * are silent about it at -pedantic.
 */
#ifndef ACRE_ARRAY_H
#define ACRE_ARRAY_H

#include <errno.h>
#include <stddef.h>

#include <acre/allocator.h>

/*
 * ACRE_ARRAY_CHECKED: define it to 1 or 0 before this file is included. With
 * 1, an index that is not there ends the program with one line,
 *
 *	parse.c:42: index 7 of an array of 3
 *
 * in the calls that cannot return an error: get, set, at, pop. With 0 they do
 * not look. Without, it is 0 where NDEBUG is defined, like assert.
 */
#ifndef ACRE_ARRAY_CHECKED
#ifdef NDEBUG
#define ACRE_ARRAY_CHECKED 0
#else
#define ACRE_ARRAY_CHECKED 1
#endif
#endif

/*
 * ACRE_ARRAY(T): the type of an array of T, which must not be const. Two that
 * are written down are two types, so name it where it is used more than once:
 * typedef ACRE_ARRAY(int) ints. T may be incomplete until it is used. (A view
 * may be of const T: it can be read, and mapped to an array of T.)
 *
 * All may read the fields, data as a C array of length elements. length may
 * be lowered by hand.
 */
#define ACRE_ARRAY(T)                                                   \
	struct {                                                        \
		T *data;          /* NULL with a capacity of 0 */       \
		size_t length;    /* elements */                        \
		size_t capacity;  /* elements until it has to grow */   \
		acre_allocator allocator;                               \
		int error;        /* why it could not be made, or 0 */  \
		int view;         /* the elements are another's */      \
	}

/* An index that is none: nothing was found. */
#define ACRE_NONE ((size_t)-1)

/* ---- making arrays -------------------------------------------------- */

/*
 * ACRE_ARRAY_IN(in): what an empty array begins as. Takes no memory.
 *
 *	ACRE_ARRAY(int) a = ACRE_ARRAY_IN(acre_malloc_allocator);
 */
#define ACRE_ARRAY_IN(in) {NULL, 0, 0, (in), 0, 0}

/*
 * acre_array_of(type, in, 1, 2, 3): of these elements.
 * acre_array_sized(type, in, n):    of n elements, indeterminate.
 * acre_array_zeroed(type, in, n):   of n elements, all bytes 0.
 * acre_array_from(type, in, p, n):  a copy of the C array p[n].
 * acre_array_clone(type, in, a):    a copy of an array or a view.
 * acre_array_view(type, p, n):      p[n] itself, as a view.
 *
 * type is that of the array, for one without a name __typeof__:
 *	ACRE_ARRAY(int) a = acre_array_of(__typeof__(a), in, 1, 2);
 *
 * Each takes as much memory as its elements need, and returns an array whose
 * error is 0 or ENOMEM (clone: also the error of its argument; view: 0).
 */
#define acre_array_of(type, in, ...)                                    \
	ACRE_OF_(type, in, ACRE_NAME_(list), ACRE_NAME_(any),           \
		ACRE_NAME_(result), __VA_ARGS__)
#define acre_array_sized(type, in, n)                                   \
	ACRE_MAKE_(type, acre_array_any_make((in),                      \
		ACRE_SIZE_OF_(type), (n), 0),                           \
		ACRE_NAME_(any), ACRE_NAME_(result))
#define acre_array_zeroed(type, in, n)                                  \
	ACRE_MAKE_(type, acre_array_any_zeroed((in),                    \
		ACRE_SIZE_OF_(type), (n)),                              \
		ACRE_NAME_(any), ACRE_NAME_(result))
#define acre_array_from(type, in, p, n)                                 \
	ACRE_FROM_(type, in, p, n, ACRE_NAME_(from), ACRE_NAME_(any),   \
		ACRE_NAME_(result))
#define acre_array_clone(type, in, array)                               \
	ACRE_CLONE_(type, in, array, ACRE_NAME_(a), ACRE_NAME_(from),   \
		ACRE_NAME_(any), ACRE_NAME_(result))
#define acre_array_view(type, p, n)                                     \
	ACRE_VIEW_(type, p, n, ACRE_NAME_(result))

/*
 * acre_array_free(&a): give the elements back; a is then as ACRE_ARRAY_IN
 * made it. A view gives nothing back. In a region there is no need for it.
 */
#define acre_array_free(array)                                          \
	ACRE_FREE_(array, ACRE_NAME_(a), ACRE_NAME_(any))

/* ---- elements ------------------------------------------------------- */

/*
 * acre_array_get(a, i):         the element.
 * acre_array_set(&a, i, value): replace it.
 * acre_array_at(&a, i):         its address, not const, until a grows.
 * acre_array_pop(&a):           the last one, which is then no longer there.
 *
 * See ACRE_ARRAY_CHECKED. a.data[i] is the same without a look.
 */
#define acre_array_get(array, i)                                        \
	ACRE_GET_(array, i, ACRE_NAME_(a))
#define acre_array_set(array, i, ...)                                   \
	ACRE_SET_(array, i, ACRE_NAME_(a), ACRE_NAME_(value), __VA_ARGS__)
#define acre_array_at(array, i)                                         \
	ACRE_AT_(array, i, ACRE_NAME_(a))
#define acre_array_pop(array)                                           \
	ACRE_POP_(array, ACRE_NAME_(a))

/*
 * acre_array_push(&a, value):      add an element at the end.
 * acre_array_insert(&a, i, value): before the one at i, or at a.length.
 * acre_array_remove(&a, i):        close the gap behind it.
 * acre_array_append(&a, b):        add the elements of b, which may be a or a
 *                                  slice of it. Returns b's error.
 * acre_array_copy(&a, b):          replace the elements of a by those of b.
 *
 * An array that has to grow at least doubles its capacity (copy: takes what
 * it needs). At a region's tip it grows where it is: nothing is copied, and
 * nothing is left behind.
 */
#define acre_array_push(array, ...)                                     \
	ACRE_PUSH_(array, ACRE_NAME_(a), ACRE_NAME_(value),             \
		ACRE_NAME_(any), ACRE_NAME_(status), __VA_ARGS__)
#define acre_array_insert(array, i, ...)                                \
	ACRE_INSERT_(array, i, ACRE_NAME_(a), ACRE_NAME_(at),           \
		ACRE_NAME_(value), ACRE_NAME_(any), ACRE_NAME_(status), \
		__VA_ARGS__)
#define acre_array_remove(array, i)                                     \
	ACRE_REMOVE_(array, i, ACRE_NAME_(a), ACRE_NAME_(any),          \
		ACRE_NAME_(status))
#define acre_array_append(array, other)                                 \
	ACRE_TAKE_(acre_array_any_append, array, other, ACRE_NAME_(a),  \
		ACRE_NAME_(b), ACRE_NAME_(from), ACRE_NAME_(any),       \
		ACRE_NAME_(status))
#define acre_array_copy(array, other)                                   \
	ACRE_TAKE_(acre_array_any_assign, array, other, ACRE_NAME_(a),  \
		ACRE_NAME_(b), ACRE_NAME_(from), ACRE_NAME_(any),       \
		ACRE_NAME_(status))

/*
 * acre_array_reserve(&a, n): make the capacity n at least.
 * acre_array_shrink(&a):     make it a.length. The tail goes back to malloc,
 *                            to a region when it is at its tip.
 */
#define acre_array_reserve(array, n)                                    \
	ACRE_RESERVE_(array, n, ACRE_NAME_(a), ACRE_NAME_(any),         \
		ACRE_NAME_(status))
#define acre_array_shrink(array)                                        \
	ACRE_SHRINK_(array, ACRE_NAME_(a), ACRE_NAME_(any),             \
		ACRE_NAME_(status))

/* ---- parts and wholes ----------------------------------------------- */

/*
 * acre_array_slice(a, from, to): the elements [from, to) as a view: they are
 * a's, and may be changed by it, until a grows, shrinks or is freed. Its error
 * is EINVAL when a has no such elements, or that of a.
 */
#define acre_array_slice(array, from, to)                               \
	ACRE_SLICE_(array, from, to, ACRE_NAME_(a), ACRE_NAME_(begin),  \
		ACRE_NAME_(end), ACRE_NAME_(fits), ACRE_NAME_(result))

/*
 * acre_array_to_c(in, a): the elements as a C array in memory from `in`;
 * NULL: there is none, or a has an error. Not NULL for an empty one.
 */
#define acre_array_to_c(in, array)                                      \
	ACRE_TO_C_(in, array, ACRE_NAME_(a))

/*
 * acre_array_equal(a, b, x, y, same), starts_with, ends_with: whether b is
 * all of a, its beginning, its end. same compares an element x of a with one
 * y of b, for each pair: *x == *y for numbers, strcmp(*x, *y) == 0.
 */
#define acre_array_equal(array, other, x, y, same)                      \
	ACRE_MATCH_(array, other, x, y, same, ==, 0, ACRE_NAME_(a),     \
		ACRE_NAME_(b), ACRE_NAME_(i), ACRE_NAME_(skip))
#define acre_array_starts_with(array, other, x, y, same)                \
	ACRE_MATCH_(array, other, x, y, same, >=, 0, ACRE_NAME_(a),     \
		ACRE_NAME_(b), ACRE_NAME_(i), ACRE_NAME_(skip))
#define acre_array_ends_with(array, other, x, y, same)                  \
	ACRE_MATCH_(array, other, x, y, same, >=, 1, ACRE_NAME_(a),     \
		ACRE_NAME_(b), ACRE_NAME_(i), ACRE_NAME_(skip))

/* ---- all elements --------------------------------------------------- */

/*
 * acre_array_each(i, x, a) statement: for each element, in order; i is its
 * index, x its address, not const. break and continue work. a is evaluated
 * for each element: name it. It may grow meanwhile.
 */
#define acre_array_each(i, x, array)                                    \
	for (size_t i = 0, i##_goes_on = 1;                             \
	     i##_goes_on && i < (array).length;                         \
	     i##_goes_on = !i##_goes_on, i++)                           \
		for (__typeof__((array).data) x                         \
			__attribute__((unused)) = &(array).data[i];     \
		     i##_goes_on; i##_goes_on = 0)

/*
 * acre_array_map(type, in, a, x, value):   an array of the values for each
 *                                          element.
 * acre_array_filter(type, in, a, x, test): of the elements for which test is
 *                                          true.
 * acre_array_transform(&a, x, value):      replace each element.
 * acre_array_fold(a, so_far, first, x, next): start with so_far = first (of
 *                  its type), make it next for each element, return it.
 *
 * value, test and next are expressions that may call functions; they must not
 * grow or shrink a.
 */
#define acre_array_map(type, in, array, x, ...)                         \
	ACRE_MAP_(type, in, array, x, ACRE_NAME_(a), ACRE_NAME_(i),     \
		ACRE_NAME_(to), ACRE_NAME_(value), ACRE_NAME_(any),     \
		ACRE_NAME_(result), __VA_ARGS__)
#define acre_array_filter(type, in, array, x, test)                     \
	ACRE_FILTER_(type, in, array, x, test, ACRE_NAME_(a),           \
		ACRE_NAME_(i), ACRE_NAME_(to), ACRE_NAME_(kept),        \
		ACRE_NAME_(stop), ACRE_NAME_(keep), ACRE_NAME_(any),    \
		ACRE_NAME_(result))
#define acre_array_transform(array, x, ...)                             \
	ACRE_TRANSFORM_(array, x, ACRE_NAME_(a), ACRE_NAME_(i),         \
		ACRE_NAME_(value), __VA_ARGS__)
#define acre_array_fold(array, so_far, first, x, next)                  \
	ACRE_FOLD_(array, so_far, first, x, next, ACRE_NAME_(a),        \
		ACRE_NAME_(i))

/*
 * acre_array_find(a, x, test):  the index of the first element for which test
 *                               is true, or ACRE_NONE.
 * acre_array_any, acre_array_all (a, x, test): whether it is for one, for all.
 * acre_array_count(a, x, test): for how many.
 */
#define acre_array_find(array, x, test)                                 \
	ACRE_FIND_(array, x, test, ACRE_NAME_(a), ACRE_NAME_(i))
#define acre_array_any(array, x, test)                                  \
	(acre_array_find(array, x, test) != ACRE_NONE)
#define acre_array_all(array, x, test)                                  \
	(acre_array_find(array, x, !(test)) == ACRE_NONE)
#define acre_array_count(array, x, test)                                \
	ACRE_COUNT_(array, x, test, ACRE_NAME_(a), ACRE_NAME_(i),       \
		ACRE_NAME_(n))

/* ---- order ---------------------------------------------------------- */

/*
 * acre_array_sort(&a, x, y, before): put the elements in order. before says
 * whether x has to be before y: *x < *y, strcmp(*x, *y) < 0. Stable: of two
 * that are equal the first stays the first. n log n calls of before.
 *
 * Takes as much memory as the elements once more, from a's allocator, until
 * it returns. A view is sorted in place.
 *
 * Returns ENOMEM, EPERM (a view of a C array, which has no allocator).
 */
#define acre_array_sort(array, x, y, before)                            \
	ACRE_SORT_(array, x, y, before, ACRE_NAME_(a),                  \
		ACRE_NAME_(scratch), ACRE_NAME_(from), ACRE_NAME_(to),  \
		ACRE_NAME_(run), ACRE_NAME_(l), ACRE_NAME_(r),          \
		ACRE_NAME_(k), ACRE_NAME_(mid), ACRE_NAME_(end),        \
		ACRE_NAME_(right))

/*
 * acre_array_lower_bound(a, x, before): in an array in order, the index of
 * the first element for which before (x is before what you look for: *x < 7)
 * is not true, or a.length: where to insert it.
 *
 * acre_array_search(a, x, order): the index of the first element for which
 * order is 0, or ACRE_NONE. order is an int: negative when x is before what
 * you look for, positive when behind it, as strcmp(*x, "seven") is.
 */
#define acre_array_lower_bound(array, x, before)                        \
	ACRE_LOWER_BOUND_(array, x, before, ACRE_NAME_(a),              \
		ACRE_NAME_(low), ACRE_NAME_(high), ACRE_NAME_(mid))
#define acre_array_search(array, x, order)                              \
	ACRE_SEARCH_(array, x, order, ACRE_NAME_(a), ACRE_NAME_(low),   \
		ACRE_NAME_(high), ACRE_NAME_(mid), ACRE_NAME_(sign),    \
		ACRE_NAME_(found))

/* ---- the library's part --------------------------------------------- */

/*
 * An array of elements of any type, whose size the calls are told. What is
 * not worth inlining works on this; the macros copy an array's fields to one
 * and back, so that the array itself can stay in registers.
 */
struct acre_array_any {
	void *data;
	size_t length;
	size_t capacity;
	acre_allocator allocator;
	int error;
	int view;
};

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* error: why there is none to make, or 0. */
struct acre_array_any acre_array_any_make(acre_allocator in, size_t size,
	size_t n, int error);
struct acre_array_any acre_array_any_zeroed(acre_allocator in, size_t size,
	size_t n);
struct acre_array_any acre_array_any_clone(acre_allocator in, size_t size,
	const void *from, size_t n, int error);
/* Have room for the next of n elements to come; if there is none, be an
 * array with that error. */
int acre_array_any_room(struct acre_array_any *a, size_t size, size_t n);
int acre_array_any_grow(struct acre_array_any *a, size_t size, size_t more);
int acre_array_any_reserve(struct acre_array_any *a, size_t size, size_t n);
int acre_array_any_shrink(struct acre_array_any *a, size_t size);
/* Make a gap for one element at i. */
int acre_array_any_open(struct acre_array_any *a, size_t size, size_t i);
int acre_array_any_remove(struct acre_array_any *a, size_t size, size_t i);
int acre_array_any_append(struct acre_array_any *a, size_t size,
	const void *from, size_t n, int error);
int acre_array_any_assign(struct acre_array_any *a, size_t size,
	const void *from, size_t n, int error);
void acre_array_any_free(struct acre_array_any *a);
/* Have data hold what is in sorted, one of it and scratch; free scratch and
 * return its error. */
int acre_array_any_sorted(struct acre_array_any *scratch, size_t size,
	void *data, const void *sorted);
void *acre_array_any_to_c(acre_allocator in, size_t size, const void *from,
	size_t n, int error);

/* Prints what ACRE_ARRAY_CHECKED says, and aborts. */
void acre_array_bad_index(const char *file, int line, size_t i,
	size_t length) __attribute__((noreturn, cold));

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

static inline size_t
acre_array_index(size_t i, size_t length, const char *file, int line)
{
	if (__builtin_expect(i >= length, 0))
		acre_array_bad_index(file, line, i, length);
	return i;
}

/*
 * The same. Without it gcc copies two fields as one vector, also where they
 * have only been compared, and has to wait for the one of them that was just
 * stored by itself: 5 ns for each push through a pointer.
 */
static inline size_t
acre_array_apart(size_t n)
{
	__asm__("" : "+r"(n));
	return n;
}

/* Where a run that begins at k ends. */
static inline size_t
acre_array_ahead(size_t k, size_t run, size_t length)
{
	return length - k > run ? k + run : length;
}

#if ACRE_ARRAY_CHECKED
#define ACRE_INDEX_(i, n) acre_array_index((i), (n), __FILE__, __LINE__)
#else
#define ACRE_INDEX_(i, n) (i)
#endif

/* ---- the macros' part ----------------------------------------------- */

/*
 * The calls above give these their variables' names, each time new ones, as a
 * call may stand in the argument of another. A name must not be a field's.
 */
#define ACRE_PASTE_(a, b) a##b
#define ACRE_PASTE_EXPANDED_(a, b) ACRE_PASTE_(a, b)
#define ACRE_NAME_(stem) ACRE_PASTE_EXPANDED_(acre_##stem##_, __COUNTER__)

/* A variable of its value's type, without const. An address, typed like
 * another. A size, of plain data. */
#ifdef __cplusplus
#define ACRE_AUTO_ auto
#define ACRE_CAST_(like, p) static_cast<__typeof__(like)>(p)
#define ACRE_PLAIN_(T)                                                  \
	(__is_trivially_copyable(T) && __alignof__(T) <= 16)
#else
#define ACRE_AUTO_ __auto_type
#define ACRE_CAST_(like, p) (p)
#define ACRE_PLAIN_(T) (sizeof(T) > 0 && __alignof__(T) <= 16)
#endif
#define ACRE_SIZE_(x)                                                   \
	(sizeof(x) * sizeof(char[ACRE_PLAIN_(__typeof__(x)) ? 1 : -1]))

/* Of a type of array: its data field, not evaluated, and its elements. */
#define ACRE_DATA_(type) (((type *)0)->data)
#define ACRE_T_(type) __typeof__(*ACRE_DATA_(type))
#define ACRE_SIZE_OF_(type) ACRE_SIZE_(*ACRE_DATA_(type))

/* The element at i, called x. */
#define ACRE_ELEMENT_(x, a, i) ACRE_ELEMENT_OF_(x, a.data, i)
#define ACRE_ELEMENT_OF_(x, p, i)                                       \
	const __typeof__(*p) *x __attribute__((unused)) = &p[i]

/* An array as one of any type, back again, and as a new one. */
#define ACRE_ANY_(a)                                                    \
	{a.data, acre_array_apart(a.length),                            \
		acre_array_apart(a.capacity), a.allocator, a.error, a.view}
#define ACRE_BACK_(a, any)                                              \
	a->data = ACRE_CAST_(a->data, any.data),                        \
	a->length = acre_array_apart(any.length),                       \
	a->capacity = acre_array_apart(any.capacity)
#define ACRE_TYPED_(type, any)                                          \
	{ACRE_CAST_(ACRE_DATA_(type), any.data), any.length,            \
		any.capacity, any.allocator, any.error, any.view}

/* status = call, which works on any. */
#define ACRE_CHANGE_(a, any, status, call)                              \
	struct acre_array_any any = ACRE_ANY_((*a));                    \
	int status = (call);                                            \
	ACRE_BACK_(a, any)

#define ACRE_MAKE_(type, call, any, result)                             \
	__extension__({                                                 \
		struct acre_array_any any = (call);                     \
		type result = ACRE_TYPED_(type, any);                   \
		result;                                                 \
	})

#define ACRE_OF_(type, in, list, any, result, ...)                      \
	__extension__({                                                 \
		const ACRE_T_(type) list[] = {                          \
			__VA_ARGS__};                                   \
		struct acre_array_any any = acre_array_any_clone((in),  \
			ACRE_SIZE_(*list), list,                        \
			sizeof(list) / sizeof(*list), 0);               \
		type result = ACRE_TYPED_(type, any);                   \
		result;                                                 \
	})

#define ACRE_FROM_(type, in, p, n, from, any, result)                   \
	__extension__({                                                 \
		const ACRE_T_(type) *from = (p);                        \
		struct acre_array_any any = acre_array_any_clone((in),  \
			ACRE_SIZE_(*from), from, (n), 0);               \
		type result = ACRE_TYPED_(type, any);                   \
		result;                                                 \
	})

#define ACRE_CLONE_(type, in, array, a, from, any, result)              \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		const ACRE_T_(type) *from = a.data;                     \
		struct acre_array_any any = acre_array_any_clone((in),  \
			ACRE_SIZE_(*from), from, a.length, a.error);    \
		type result = ACRE_TYPED_(type, any);                   \
		result;                                                 \
	})

#define ACRE_VIEW_(type, p, n, result)                                  \
	__extension__({                                                 \
		type result = {(p), (n), 0, {NULL, NULL, NULL, NULL},   \
			0, 1};                                          \
		result.capacity = result.length;                        \
		result;                                                 \
	})

#define ACRE_FREE_(array, a, any)                                       \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		struct acre_array_any any = ACRE_ANY_((*a));            \
		acre_array_any_free(&any);                              \
		ACRE_BACK_(a, any), a->error = 0, a->view = 0;          \
		(void)0;                                                \
	})

#define ACRE_GET_(array, i, a)                                          \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		a.data[ACRE_INDEX_(i, a.length)];                       \
	})

#define ACRE_SET_(array, i, a, value, ...)                              \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		__typeof__(*a->data) value = __VA_ARGS__;               \
		a->data[ACRE_INDEX_(i, a->length)] = value;             \
		(void)0;                                                \
	})

#define ACRE_AT_(array, i, a)                                           \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		&a->data[ACRE_INDEX_(i, a->length)];                    \
	})

#define ACRE_POP_(array, a)                                             \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		(void)ACRE_INDEX_((size_t)0, a->length);                \
		a->data[--a->length];                                   \
	})

#define ACRE_PUSH_(array, a, value, any, status, ...)                   \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		__typeof__(*a->data) value = __VA_ARGS__;               \
		int status = 0;                                         \
		if (__builtin_expect(a->length == a->capacity, 0)) {    \
			struct acre_array_any any = ACRE_ANY_((*a));    \
			status = acre_array_any_grow(&any,              \
				ACRE_SIZE_(*a->data), 1);               \
			a->data = ACRE_CAST_(a->data, any.data);        \
			a->capacity = any.capacity;                     \
		}                                                       \
		if (__builtin_expect(status == 0, 1))                   \
			a->data[a->length++] = value;                   \
		status;                                                 \
	})

#define ACRE_INSERT_(array, i, a, at, value, any, status, ...)          \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t at = (i);                                        \
		__typeof__(*a->data) value = __VA_ARGS__;               \
		ACRE_CHANGE_(a, any, status, acre_array_any_open(&any,  \
			ACRE_SIZE_(*a->data), at));                     \
		if (status == 0)                                        \
			a->data[at] = value;                            \
		status;                                                 \
	})

#define ACRE_REMOVE_(array, i, a, any, status)                          \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_CHANGE_(a, any, status, acre_array_any_remove(     \
			&any, ACRE_SIZE_(*a->data), (i)));              \
		status;                                                 \
	})

#define ACRE_TAKE_(call, array, other, a, b, from, any, status)         \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_AUTO_ b = (other);                                 \
		const __typeof__(*a->data) *from = b.data;              \
		ACRE_CHANGE_(a, any, status, call(&any,                 \
			ACRE_SIZE_(*from), from, b.length, b.error));   \
		status;                                                 \
	})

#define ACRE_RESERVE_(array, n, a, any, status)                         \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_CHANGE_(a, any, status, acre_array_any_reserve(    \
			&any, ACRE_SIZE_(*a->data), (n)));              \
		status;                                                 \
	})

#define ACRE_SHRINK_(array, a, any, status)                             \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_CHANGE_(a, any, status, acre_array_any_shrink(     \
			&any, ACRE_SIZE_(*a->data)));                   \
		status;                                                 \
	})

#define ACRE_SLICE_(array, from, to, a, begin, end, fits, result)       \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t begin = (from), end = (to);                      \
		int fits = begin <= end && end <= a.length;             \
		__typeof__(a) result = {                                \
			fits && begin ? &a.data[begin] :                \
			fits ? a.data : NULL,                           \
			fits ? end - begin : 0,                         \
			fits ? end - begin : 0, a.allocator,            \
			a.error || fits ? a.error : EINVAL, 1};         \
		result;                                                 \
	})

#define ACRE_TO_C_(in, array, a)                                        \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_CAST_(a.data, acre_array_any_to_c((in),            \
			ACRE_SIZE_(*a.data), a.data, a.length, a.error)); \
	})

#define ACRE_MATCH_(array, other, x, y, same, long_enough, at_end,      \
	a, b, i, skip)                                                  \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_AUTO_ b = (other);                                 \
		size_t i = a.length long_enough b.length ?              \
			0 : ACRE_NONE;                                  \
		size_t skip = at_end ? a.length - b.length : 0;         \
		for (; i < b.length; i++) {                             \
			ACRE_ELEMENT_(x, a, skip + i);                  \
			ACRE_ELEMENT_(y, b, i);                         \
			if (!(same))                                    \
				break;                                  \
		}                                                       \
		i == b.length;                                          \
	})

#define ACRE_MAP_(type, in, array, x, a, i, to, value, any, result, ...) \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		struct acre_array_any any = acre_array_any_make((in),   \
			ACRE_SIZE_OF_(type), a.length,                  \
			a.error);                                       \
		type result = ACRE_TYPED_(type, any);                   \
		__typeof__(*result.data) *__restrict to = result.data;  \
		for (size_t i = 0; i < result.length; i++) {            \
			ACRE_ELEMENT_(x, a, i);                         \
			__typeof__(*to) value = __VA_ARGS__;            \
			to[i] = value;                                  \
		}                                                       \
		result;                                                 \
	})

/*
 * Between two visits to the allocator there is room for all that could be
 * kept. Small elements are copied before it is known whether they are, which
 * costs less than a branch that is hard to foresee.
 */
#define ACRE_FILTER_(type, in, array, x, test, a, i, to, kept, stop,    \
	keep, any, result)                                              \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		struct acre_array_any any = acre_array_any_make((in),   \
			ACRE_SIZE_OF_(type), 0, a.error);               \
		size_t i = 0;                                           \
		while (i < a.length && acre_array_any_room(&any,        \
			ACRE_SIZE_OF_(type), a.length - i) == 0) {      \
			ACRE_T_(type) *__restrict to =                  \
				ACRE_CAST_(ACRE_DATA_(type), any.data); \
			size_t kept = any.length;                       \
			size_t stop = any.capacity - kept;              \
			stop = stop < a.length - i ?                    \
				i + stop : a.length;                    \
			for (; i < stop; i++) {                         \
				ACRE_ELEMENT_(x, a, i);                 \
				int keep = (test) ? 1 : 0;              \
				if (sizeof(*x) <= 16 || keep)           \
					to[kept] = *x;                  \
				kept += (size_t)keep;                   \
			}                                               \
			any.length = kept;                              \
		}                                                       \
		(void)acre_array_any_shrink(&any, ACRE_SIZE_OF_(type)); \
		type result = ACRE_TYPED_(type, any);                   \
		result;                                                 \
	})

#define ACRE_TRANSFORM_(array, x, a, i, value, ...)                     \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		for (size_t i = 0; i < a->length; i++) {                \
			ACRE_ELEMENT_(x, (*a), i);                      \
			__typeof__(*a->data) value = __VA_ARGS__;       \
			a->data[i] = value;                             \
		}                                                       \
		(void)0;                                                \
	})

#define ACRE_FOLD_(array, so_far, first, x, next, a, i)                 \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		ACRE_AUTO_ so_far = (first);                            \
		for (size_t i = 0; i < a.length; i++) {                 \
			ACRE_ELEMENT_(x, a, i);                         \
			so_far = (next);                                \
		}                                                       \
		so_far;                                                 \
	})

#define ACRE_FIND_(array, x, test, a, i)                                \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t i = 0;                                           \
		for (; i < a.length; i++) {                             \
			ACRE_ELEMENT_(x, a, i);                         \
			if (test)                                       \
				break;                                  \
		}                                                       \
		i < a.length ? i : ACRE_NONE;                           \
	})

#define ACRE_COUNT_(array, x, test, a, i, n)                            \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t n = 0;                                           \
		for (size_t i = 0; i < a.length; i++) {                 \
			ACRE_ELEMENT_(x, a, i);                         \
			n += (test) ? 1 : 0;                            \
		}                                                       \
		n;                                                      \
	})

/*
 * Runs of 1, 2, 4 ... elements are merged from the array into the scratch
 * memory and back. x is the first of the right run, y that of the left: only
 * what has to be before goes before.
 */
#define ACRE_SORT_(array, x, y, before, a, scratch, from, to, run, l, r, \
	k, mid, end, right)                                             \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		struct acre_array_any scratch = acre_array_any_make(    \
			a->allocator, ACRE_SIZE_(*a->data),             \
			a->length > 1 ? a->length : 0, a->error);       \
		__typeof__(a->data) from = a->data;                     \
		__typeof__(a->data) to =                                \
			ACRE_CAST_(a->data, scratch.data);              \
		for (size_t run = 1; run < scratch.length; run *= 2) {  \
			for (size_t k = 0; k < scratch.length;) {       \
				size_t l = k, mid = acre_array_ahead(   \
					k, run, scratch.length);        \
				size_t r = mid, end = acre_array_ahead( \
					mid, run, scratch.length);      \
				for (; l < mid && r < end; k++) {       \
					ACRE_ELEMENT_OF_(x, from, r);   \
					ACRE_ELEMENT_OF_(y, from, l);   \
					int right = (before) ? 1 : 0;   \
					to[k] = right ? *x : *y;        \
					r += (size_t)right;             \
					l += (size_t)!right;            \
				}                                       \
				for (; l < mid; k++)                    \
					to[k] = from[l++];              \
				for (; r < end; k++)                    \
					to[k] = from[r++];              \
			}                                               \
			to = from;                                      \
			from = from == a->data ?                        \
				ACRE_CAST_(a->data, scratch.data) :     \
				a->data;                                \
		}                                                       \
		acre_array_any_sorted(&scratch, ACRE_SIZE_(*from),      \
			a->data, from);                                 \
	})

#define ACRE_LOWER_BOUND_(array, x, before, a, low, high, mid)          \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t low = 0, high = a.length;                        \
		while (low < high) {                                    \
			size_t mid = low + (high - low) / 2;            \
			ACRE_ELEMENT_(x, a, mid);                       \
			if (before)                                     \
				low = mid + 1;                          \
			else                                            \
				high = mid;                             \
		}                                                       \
		low;                                                    \
	})

#define ACRE_SEARCH_(array, x, order, a, low, high, mid, sign, found)   \
	__extension__({                                                 \
		ACRE_AUTO_ a = (array);                                 \
		size_t low = 0, high = a.length, found = ACRE_NONE;     \
		while (low < high) {                                    \
			size_t mid = low + (high - low) / 2;            \
			ACRE_ELEMENT_(x, a, mid);                       \
			const int sign = (order);                       \
			if (sign < 0)                                   \
				low = mid + 1;                          \
			else                                            \
				high = mid;                             \
			if (sign == 0)                                  \
				found = mid;                            \
		}                                                       \
		found;                                                  \
	})

#endif
