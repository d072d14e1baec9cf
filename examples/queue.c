/* SPDX-License-Identifier: MIT */
/*
 * queue.c - regions handed over through a bounded queue.
 *
 *	producer    open, fill, detach --put--> [ 8 orders ]
 *	consumer    <--take-- adopt, go on allocating, close
 *
 * An order travels by pointer, with the region that it lives in. The queue's
 * lock orders what the producer wrote before what the consumer reads. Between
 * detach and adopt nobody may allocate; to close only, no adopt is needed.
 */
#include <acre/acre.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERS 5000 /* of each producer */
#define PLACES 8

struct order {
	acre_region *region; /* where all of it is */
	const char *text;
	int cents;
};

/* ---- the queue ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct order *orders[PLACES];
	unsigned put, taken; /* put - taken wait */
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.filled = PTHREAD_COND_INITIALIZER,
	.emptied = PTHREAD_COND_INITIALIZER,
};

static void
put(struct order *order)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.put - queue.taken == PLACES)
		pthread_cond_wait(&queue.emptied, &queue.lock);
	queue.orders[queue.put++ % PLACES] = order;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
}

static struct order *
take(void)
{
	struct order *order;

	pthread_mutex_lock(&queue.lock);
	while (queue.put == queue.taken)
		pthread_cond_wait(&queue.filled, &queue.lock);
	order = queue.orders[queue.taken++ % PLACES];
	pthread_cond_signal(&queue.emptied);
	pthread_mutex_unlock(&queue.lock);
	return order;
}

/* ---- who uses it ---- */

/* An order, ready to be handed over; NULL: there is no memory. */
static struct order *
receive(acre_pool *pool, int number)
{
	acre_autoclose acre_region *r = acre_region_open(pool);
	struct order *order = r ? acre_new(r, struct order) : NULL;

	if (!order || !(order->text = acre_asprintf(r, "No. %d", number)))
		return NULL;
	order->cents = number % 100;
	order->region = r;
	acre_region_detach(r);
	r = NULL; /* Whoever has the order closes it. */
	return order;
}

static void *
produce(void *pool)
{
	struct order *order;

	for (int i = 0; i < ORDERS; i++)
		if ((order = receive(pool, i)))
			put(order);
	put(NULL); /* One consumer may go. */
	return NULL;
}

/* Invoices are written into their orders' regions. */
static void *
consume(void *sum)
{
	struct order *order;

	while ((order = take())) {
		if (acre_region_adopt(order->region) == 0 &&
			acre_asprintf(order->region, "%s: please pay %d cents",
				order->text, order->cents))
			*(int *)sum += order->cents;
		acre_region_close(order->region);
	}
	return NULL;
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(NULL);
	pthread_t threads[4];
	int sums[2] = {0};
	acre_stats stats;

	for (int i = 0; i < 2; i++)
		if (!pool || pthread_create(&threads[i], NULL, produce, pool) ||
			pthread_create(&threads[i + 2], NULL, consume,
				&sums[i]))
			return EXIT_FAILURE;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	acre_pool_stats(pool, &stats);
	printf("orders: %d, to pay: %d cents\n", (int)stats.regions_opened,
		sums[0] + sums[1]);
	printf("regions still open: %zu\n", stats.regions_open);
	/* An order is a page, a chunk 256: without reuse it would be 40. */
	printf("memory stayed flat: %s\n", stats.chunks < 10 ? "yes" : "no");
	return acre_pool_destroy(pool);
}
