/* SPDX-License-Identifier: MIT */
/*
 * pool.c - gets batches from lists and chunks, and gives them back.
 *
 *   refill:  own shard -> other shards -> overflow -> bundles -> store
 *              -> fresh chunk -> split a larger block -> a new chunk
 *   give:    own shard, with a descriptor; else the overflow
 *
 * Whoever gets more than a full batch cuts one off and pushes the rest at
 * once, so that a region of many pages goes through here as one batch.
 */
#include "lib/pool.h"

#include <errno.h>
#include <sched.h>

#include "lib/helper.h"
#include "lib/store.h"

/* ---- giving and getting batches ---- */

/* With a descriptor; false: there is none. */
static bool
push(acre_pool *pool, struct member *member, unsigned order,
	const struct batch *batch)
{
	struct order *o = &pool->orders[order];
	struct descriptor *descriptor =
		descriptor_get(&pool->depot, &member->stash);

	if (!descriptor)
		return false;
	pool_add(pool, member, PUSHED, batch->count * o->size);
	if (batch->clean)
		add_relaxed(&pool->chunks.clean, batch->count << order);
	freelist_push(&o->shards[member->shard], descriptor, batch);
	pool_add(pool, member, LANDED, batch->count * o->size);
	return true;
}

void
pool_give(acre_pool *pool, struct member *member, unsigned order,
	const struct batch *batch)
{
	struct order *o = &pool->orders[order];

	if (member && push(pool, member, order, batch))
		return;
	pool_add(pool, member, PUSHED, batch->count * o->size);
	pool_add(pool, member, OVERFLOWED, 1);
	overflow_push(&o->overflow, batch);
	pool_add(pool, member, LANDED, batch->count * o->size);
}

static bool
pop_shard(acre_pool *pool, struct member *member, unsigned order,
	unsigned shard, struct batch *batch)
{
	struct freelist *list = &pool->orders[order].shards[shard];
	struct descriptor *descriptor = freelist_pop(list);

	if (!descriptor)
		return false;
	*batch = descriptor->batch;
	if (batch->clean)
		sub_relaxed(&pool->chunks.clean, batch->count << order);
	descriptor_cool(&pool->depot, &member->stash, descriptor);
	return true;
}

/* A batch of any size, from a list or the overflow. */
static bool
pop_listed(acre_pool *pool, struct member *member, unsigned order,
	struct batch *batch)
{
	unsigned used = load_relaxed(&pool->shards_used);
	bool found = pop_shard(pool, member, order, member->shard, batch);

	for (unsigned i = 0; !found && i < used; i++)
		found = pop_shard(pool, member, order, i, batch);
	if (!found)
		found = overflow_pop(&pool->orders[order].overflow, batch);
	if (found)
		pool_add(pool, member, POPPED,
			batch->count * pool->orders[order].size);
	return found;
}

/* The home block joins its order's chain: one batch less. */
static void
add_home(acre_pool *pool, struct bundle *bundle)
{
	unsigned order = bundle->home_order;

	chain_append(&bundle->chains[order], bundle->home,
		pool->orders[order].full_batch);
}

/*
 * Take a bundle apart: its chain of an order becomes *batch, if that is still
 * empty, and the others are pushed. The bundle is in its home block: copied
 * first.
 */
static void
unpack(acre_pool *pool, struct member *member, struct bundle bundle,
	unsigned wanted, struct batch *batch)
{
	add_home(pool, &bundle);
	for (unsigned order = 0; order < pool->grow_orders; order++) {
		struct batch chain = {
			.first = bundle.chains[order].first,
			.count = bundle.chains[order].count,
			.linked = true,
		};

		pool_add(pool, member, POPPED,
			chain.count * pool->orders[order].size);
		if (!chain.count)
			continue;
		if (order == wanted && !batch->count)
			*batch = chain;
		else
			pool_give(pool, member, order, &chain);
	}
}

/* Take the bundles of one shard apart. Returns whether there were any. */
static bool
take_apart(acre_pool *pool, struct member *member, unsigned shard,
	unsigned wanted, struct batch *batch)
{
	struct heap *heap = &pool->heaps[shard];
	struct bundle *bundle, *next;
	bool any;

	if (!load_relaxed(&heap->top))
		return false;
	pool_begin_step(pool);
	/* Acquire: pairs with pool_give_bundle. */
	bundle = exchange_acquire(&heap->top, NULL);
	any = bundle;
	for (; bundle; bundle = next) {
		next = bundle->next;
		unpack(pool, member, *bundle, wanted, batch);
	}
	pool_end_step(pool, member);
	return any;
}

/* Any batch that is free, of any size. */
static bool
pop(acre_pool *pool, struct member *member, unsigned order,
	struct batch *batch)
{
	unsigned used = load_relaxed(&pool->shards_used);
	bool any;

	if (pop_listed(pool, member, order, batch))
		return true;
	batch->count = 0;
	any = take_apart(pool, member, member->shard, order, batch);
	for (unsigned i = 0; !any && i < used; i++)
		any = take_apart(pool, member, i, order, batch);
	return batch->count > 0;
}

/* Take the first blocks off a piece that is a full batch at most, whose blocks
 * are large; most is not 0. */
static struct batch
cut_piece(struct batch *piece, size_t most, const struct order *o)
{
	struct batch first = {.first = piece->first, .linked = piece->linked};

	while (first.count < most && piece->count) {
		batch_take(piece, o->size);
		first.count++;
	}
	return first;
}

/* Take full batches off the start of a chain: most blocks, or one batch. */
static struct batch
cut_chain(struct batch *chain, size_t most, const struct order *o)
{
	struct batch piece = batch_cut(chain, o->full_batch, o->size);

	while (chain->count && piece.count + o->full_batch <= most)
		piece.count += batch_cut(chain, o->full_batch, o->size).count;
	return piece;
}

/* Keep a full batch of what was got, of a chain full batches of most blocks,
 * and push the rest. */
static void
keep_full(acre_pool *pool, struct member *member, unsigned order, size_t most,
	struct batch *batch)
{
	const struct order *o = &pool->orders[order];
	struct batch rest = *batch;

	*batch = cut_chain(&rest, batch->linked ? most : 0, o);
	if (rest.count)
		pool_give(pool, member, order, &rest);
	if (most && batch->count > most) {
		rest = *batch;
		*batch = cut_piece(&rest, most, o);
		pool_give(pool, member, order, &rest);
	}
}

/* Split a larger free block. */
static bool
split(acre_pool *pool, struct member *member, unsigned order,
	struct batch *batch)
{
	unsigned larger = order + 1;
	struct batch found;

	while (larger < pool->order_count &&
		!pop(pool, member, larger, &found))
		larger++;
	if (larger >= pool->order_count)
		return false;
	keep_full(pool, member, larger, 0, &found);
	*batch = (struct batch){
		.first = batch_take(&found, pool->orders[larger].size),
		.count = (size_t)1 << (larger - order),
	};
	if (found.count)
		pool_give(pool, member, larger, &found);
	return true;
}

/* The order of the largest blocks in so many pages. */
static unsigned
largest_order(const acre_pool *pool, size_t pages)
{
	unsigned order = pool->order_count - 1;

	while (!(pages >> order))
		order--;
	return order;
}

/* The part of a run that begins with its page i. */
static struct run
part_of(const acre_pool *pool, const struct run *run, size_t i, size_t pages)
{
	return (struct run){
		.first = run->first + i * pool->page_size,
		.at = run->at + i,
		.pages = pages,
		.clean = run_is_clean(run) ? pages : 0,
	};
}

/* What comes before the largest blocks, these, and what comes behind: parts of
 * fewer pages than a block has. */
size_t
pool_push_run(acre_pool *pool, struct member *member, const struct run *run)
{
	unsigned order = run->pages ? largest_order(pool, run->pages) : 0;
	size_t skip = run_skip(run->at, run->pages, order);
	size_t end = skip + ((run->pages - skip) >> order << order);
	struct run before = part_of(pool, run, 0, skip);
	struct run behind = part_of(pool, run, end, run->pages - end);
	struct batch batch = {
		.first = (struct block *)(run->first + skip * pool->page_size),
		.count = (end - skip) >> order,
		.clean = run_is_clean(run),
	};
	size_t pushed = skip ? pool_push_run(pool, member, &before) : 0;

	if (pushed < skip || !batch.count ||
		!push(pool, member, order, &batch))
		return pushed;
	return end + (behind.pages ? pool_push_run(pool, member, &behind) : 0);
}

/* Give what a chunk had left. */
static void
give_rest(acre_pool *pool, struct member *member, const struct run *rest)
{
	size_t pushed = pool_push_run(pool, member, rest);
	struct batch batch = {
		.first = (struct block *)(rest->first +
			pushed * pool->page_size),
		.count = rest->pages - pushed,
	};

	if (batch.count)
		pool_give(pool, member, 0, &batch);
}

bool
pool_pop(acre_pool *pool, struct member *member, unsigned order,
	struct batch *batch)
{
	if (!pop(pool, member, order, batch))
		return false;
	keep_full(pool, member, order, 0, batch);
	return true;
}

/* From the store. */
static bool
take_stored(acre_pool *pool, struct member *member, unsigned order,
	size_t most, struct batch *batch)
{
	if (!store_pages(&pool->chunks) ||
		!store_take(&pool->chunks, order, most, batch))
		return false;
	pool_add(pool, member, POPPED,
		batch->count * pool->orders[order].size);
	return true;
}

/* There is a chunk more; see decay.c. */
static void
begin_decay(acre_pool *pool)
{
	if (!pool->decay_ms || load_seq_cst(&pool->decays))
		return;
	store_seq_cst(&pool->decays, true);
	if (!helper_want_decay())
		store_seq_cst(&pool->decays, false);
}

/* Returns as chunks_grow: 0 is to look again. */
static int
grow(acre_pool *pool, struct member *member, struct chunk *seen)
{
	struct run rest;
	int error = chunks_grow(&pool->chunks, seen, &rest);

	if (rest.pages)
		give_rest(pool, member, &rest);
	if (!error)
		begin_decay(pool);
	return error;
}

int
pool_refill(acre_pool *pool, struct member *member, unsigned order,
	size_t most, bool may_grow, struct batch *batch)
{
	size_t full = pool->orders[order].full_batch;
	size_t piece = most && most < full ? most : full;
	struct chunk *seen;
	int error;

	while (!pop(pool, member, order, batch)) {
		if (take_stored(pool, member, order, piece, batch) ||
			chunks_carve(&pool->chunks, order, piece, &seen, batch))
			return 0;
		if (split(pool, member, order, batch))
			break;
		error = may_grow ? grow(pool, member, seen) : EAGAIN;
		if (error)
			return error;
	}
	keep_full(pool, member, order, most, batch);
	return 0;
}

bool
pool_ask_handler(acre_pool *pool, size_t size)
{
	return pool->on_limit &&
		pool->on_limit(pool, size, pool->userdata);
}

/* ---- objects that no block can hold ---- */

void *
pool_take_large(acre_pool *pool, size_t size, int *error)
{
	struct source *source = &pool->chunks.source;
	size_t reserved;
	void *memory;

	while (!(memory = source_take(source, size, &reserved, error)) &&
		*error == EAGAIN && source_has_changed(source, reserved))
		sched_yield();
	if (!memory)
		return NULL;
	source_settle(source, size);
	add_relaxed(&pool->large_bytes, size);
	return memory;
}

void *
pool_resize_large(acre_pool *pool, void *memory, size_t old_size,
	size_t new_size, int *error)
{
	memory = source_resize(&pool->chunks.source, memory, old_size,
		new_size, error);
	if (memory)
		add_relaxed(&pool->large_bytes, new_size - old_size);
	return memory;
}

void
pool_give_large(acre_pool *pool, void *memory, size_t size)
{
	sub_relaxed(&pool->large_bytes, size);
	source_give(&pool->chunks.source, memory, size);
}
