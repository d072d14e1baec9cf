/* SPDX-License-Identifier: MIT */
/*
 * array_pmr.cc - std::pmr::vector, over new and in a monotonic buffer, C++'s
 * nearest to a region.
 */
#include <memory_resource>
#include <vector>

#include "bench/array_peer.h"

namespace
{

using ints = std::pmr::vector<int>;

int
push_in(std::pmr::memory_resource *in, size_t n)
{
	ints a(in);

	for (size_t i = 0; i < n; i++)
		a.push_back(static_cast<int>(i));
	array_show(a.data());
	return a.back();
}

ARRAY_CALL void
add(ints &a, int value)
{
	a.push_back(value);
}

int
call_in(std::pmr::memory_resource *in, size_t n)
{
	ints a(in);

	for (size_t i = 0; i < n; i++)
		add(a, static_cast<int>(i));
	return a.back();
}

long
chain_in(std::pmr::memory_resource *in, const int *numbers, size_t n)
{
	ints odd(in), mapped(in);
	long sum = 0;

	for (size_t i = 0; i < n; i++)
		if (numbers[i] % 2 != 0)
			odd.push_back(numbers[i]);
	mapped.reserve(odd.size());
	for (int x : odd)
		mapped.push_back(3 * x + 1);
	for (int x : mapped)
		sum += x;
	return sum;
}

int
new_push(size_t n)
{
	return push_in(std::pmr::new_delete_resource(), n);
}

int
new_call(size_t n)
{
	return call_in(std::pmr::new_delete_resource(), n);
}

long
new_chain(const int *numbers, size_t n)
{
	return chain_in(std::pmr::new_delete_resource(), numbers, n);
}

int
monotonic_push(size_t n)
{
	std::pmr::monotonic_buffer_resource buffer;

	return push_in(&buffer, n);
}

int
monotonic_call(size_t n)
{
	std::pmr::monotonic_buffer_resource buffer;

	return call_in(&buffer, n);
}

long
monotonic_chain(const int *numbers, size_t n)
{
	std::pmr::monotonic_buffer_resource buffer;

	return chain_in(&buffer, numbers, n);
}

}

const struct array_peer array_peer_pmr = {
	"pmr::vector", new_push, new_call, new_chain};
const struct array_peer array_peer_pmr_monotonic = {
	"pmr::vector, monotonic", monotonic_push, monotonic_call,
	monotonic_chain};
