/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed_cxx.cc - methods, overloads and exceptions that go through probed functions.
 *
 *	probed_cxx methods N	Counter::add(i) and both bank::pay() N times
 *	probed_cxx hop N	hop(i) N times, which ends with a jump to land()
 *	probed_cxx throw N	risky(i) N times: every third throws, through middle()
 */
/* BUILD: -g */
/* BUILD probed_cxx-clang: CXX=clang++ -g */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#define keep __attribute__((noinline, used))

static volatile long sink;

class Counter {
public:
	long total = 0;

	keep long add(int n)
	{
		total += n;
		return total;
	}
};

namespace bank {
keep long pay(int amount)
{
	sink += amount;
	return amount + 1L;
}

keep long pay(const char *who, long amount)
{
	sink += (long)strlen(who);
	return amount + 2;
}
} // namespace bank

keep int risky(int i)
{
	sink += i;
	if (i % 3 == 0)
		throw std::runtime_error("third");
	return i;
}

keep int middle(int i)
{
	int got = risky(i);

	sink += got;
	return got + 1;
}

keep long land(long i)
{
	sink += i;
	return i + 1;
}

keep long hop(long i)
{
	sink += i;
	return land(i);
}

static int run_hop(int n)
{
	long sum = 0;

	for (int i = 0; i < n; i++)
		sum += hop(i);
	std::printf("hop %ld\n", sum);
	return 0;
}

static int run_methods(int n)
{
	Counter counter;
	long sum = 0;

	for (int i = 0; i < n; i++) {
		sum += counter.add(i);
		sum += bank::pay(i) + bank::pay("somebody", i);
	}
	std::printf("methods %ld\n", sum);
	return 0;
}

static int run_throw(int n)
{
	long returned = 0, caught = 0;

	for (int i = 0; i < n; i++) {
		try {
			middle(i);
			returned++;
		} catch (const std::runtime_error &) {
			caught++;
		}
	}
	std::printf("throw %ld %ld\n", returned, caught);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? std::atoi(argv[2]) : 0;

	if (argc > 1 && !std::strcmp(argv[1], "methods"))
		return run_methods(n);
	if (argc > 1 && !std::strcmp(argv[1], "hop"))
		return run_hop(n);
	if (argc > 1 && !std::strcmp(argv[1], "throw"))
		return run_throw(n);
	return 2;
}
