/* SPDX-License-Identifier: MIT */
/*
 * httpd_tenants.h - a budget for each client address, below the server's.
 *
 *	server <-+- 192.0.2.7       connection, connection
 *	         +- 2001:db8::/64   connection
 *
 * A tenant is there for as long as one of its connections: made by the first,
 * ended by the last. So there are never more of them than connections, however
 * many addresses somebody has; and as who has an IPv6 address has a whole /64,
 * that is one tenant.
 */
#ifndef HTTPD_TENANTS_H
#define HTTPD_TENANTS_H

#include <stddef.h>
#include <sys/socket.h>

#include <acre/acre.h>

struct tenants;
struct tenant;

/*
 * tenants_open: limits in bytes; 0 for none.
 *
 * Returns NULL and sets errno: ENOMEM.
 */
struct tenants *tenants_open(size_t server_bytes, size_t client_bytes);

/*
 * tenants_close: NULL is fine. Returns EBUSY: a region has kept its budget.
 */
int tenants_close(struct tenants *tenants);

/*
 * tenant_join, tenant_leave: a connection from address begins, ends. NULL,
 * when there is no memory, is a tenant that has only the server's limit.
 *
 * Threads: any.
 */
struct tenant *tenant_join(struct tenants *tenants,
	const struct sockaddr *address);
void tenant_leave(struct tenants *tenants, struct tenant *tenant);

/* What a request of tenant, which may be NULL, is charged to. */
acre_budget *tenant_budget(const struct tenants *tenants,
	const struct tenant *tenant);

/* Bytes charged now, and how many tenants there are. Any thread. */
size_t tenants_used(const struct tenants *tenants);
size_t tenants_count(struct tenants *tenants);

#endif
