/* SPDX-License-Identifier: MIT */
/*
 * httpd_tenants.c - finds a connection's tenant by its address.
 *
 * One lock; it is taken when a connection begins and ends, never for a
 * request. Budgets need none.
 */
#include "httpd_tenants.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 1024

/* An IPv6 prefix, or an IPv4 address behind one that no client has. */
struct key {
	uint64_t high, low;
};

struct tenant {
	struct tenant *next; /* of its bucket */
	struct key key;
	size_t connections;
	acre_budget *budget;
};

struct tenants {
	/* Fixed. */
	acre_budget *server;
	size_t client_bytes;
	uint64_t salt; /* so that nobody can choose a bucket */

	pthread_mutex_t lock;
	struct tenant *buckets[BUCKETS];
	size_t count;
};

static size_t
limit_of(size_t bytes)
{
	return bytes != 0 ? bytes : SIZE_MAX;
}

struct tenants *
tenants_open(size_t server_bytes, size_t client_bytes)
{
	struct tenants *tenants = calloc(1, sizeof(*tenants));

	if (tenants == NULL)
		return NULL;
	tenants->server = acre_budget_create(NULL, limit_of(server_bytes));
	if (tenants->server == NULL) {
		free(tenants);
		return NULL;
	}
	tenants->client_bytes = limit_of(client_bytes);
	if (getrandom(&tenants->salt, sizeof(tenants->salt), 0) < 0)
		tenants->salt = (uintptr_t)tenants;
	pthread_mutex_init(&tenants->lock, NULL);
	return tenants;
}

int
tenants_close(struct tenants *tenants)
{
	int error;

	if (tenants == NULL)
		return 0;
	error = acre_budget_destroy(tenants->server);
	if (error != 0)
		return error;
	pthread_mutex_destroy(&tenants->lock);
	free(tenants);
	return 0;
}

static struct key
key_of(const struct sockaddr *address)
{
	struct key key = {0};

	if (address != NULL && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		memcpy(&key.high, &v6->sin6_addr, sizeof(key.high));
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			memcpy(&key.low, &v6->sin6_addr.s6_addr[8],
				sizeof(key.low));
	} else if (address != NULL && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		key.low = v4->sin_addr.s_addr | (uint64_t)0xffff << 32;
	}
	return key;
}

static struct tenant **
bucket_of(struct tenants *tenants, const struct key *key)
{
	uint64_t hash = (key->high ^ tenants->salt) * 0x9e3779b97f4a7c15;

	hash = (hash ^ key->low ^ hash >> 32) * 0x9e3779b97f4a7c15;
	return &tenants->buckets[hash >> 32 & (BUCKETS - 1)];
}

/* With the lock. */
static struct tenant *
tenant_make(struct tenants *tenants, const struct key *key,
	struct tenant **bucket)
{
	struct tenant *tenant = malloc(sizeof(*tenant));

	if (tenant == NULL)
		return NULL;
	*tenant = (struct tenant){
		.next = *bucket,
		.key = *key,
		.budget = acre_budget_create(tenants->server,
			tenants->client_bytes),
	};
	if (tenant->budget == NULL) {
		free(tenant);
		return NULL;
	}
	*bucket = tenant;
	tenants->count++;
	return tenant;
}

struct tenant *
tenant_join(struct tenants *tenants, const struct sockaddr *address)
{
	struct key key = key_of(address);
	struct tenant **bucket = bucket_of(tenants, &key);
	struct tenant *tenant;

	pthread_mutex_lock(&tenants->lock);
	tenant = *bucket;
	while (tenant != NULL && (tenant->key.high != key.high ||
			tenant->key.low != key.low))
		tenant = tenant->next;
	if (tenant == NULL)
		tenant = tenant_make(tenants, &key, bucket);
	if (tenant != NULL)
		tenant->connections++;
	pthread_mutex_unlock(&tenants->lock);
	return tenant;
}

void
tenant_leave(struct tenants *tenants, struct tenant *tenant)
{
	struct tenant **link;

	if (tenant == NULL)
		return;
	pthread_mutex_lock(&tenants->lock);
	if (--tenant->connections == 0) {
		link = bucket_of(tenants, &tenant->key);
		while (*link != tenant)
			link = &(*link)->next;
		*link = tenant->next;
		tenants->count--;
		/* Not refused: its requests have ended. If one has not, the
		 * server's budget says so at the end. */
		acre_budget_destroy(tenant->budget);
		free(tenant);
	}
	pthread_mutex_unlock(&tenants->lock);
}

acre_budget *
tenant_budget(const struct tenants *tenants, const struct tenant *tenant)
{
	return tenant != NULL ? tenant->budget : tenants->server;
}

size_t
tenants_used(const struct tenants *tenants)
{
	return acre_budget_used(tenants->server);
}

size_t
tenants_count(struct tenants *tenants)
{
	size_t count;

	pthread_mutex_lock(&tenants->lock);
	count = tenants->count;
	pthread_mutex_unlock(&tenants->lock);
	return count;
}
