/* SPDX-License-Identifier: BSD-2-Clause */
/* cxx_work.cc - templates, virtual calls, exceptions caught. Usage: cxx_work SECONDS */
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace shapes {

struct Shape {
	virtual ~Shape() = default;
	virtual double area(double scale) const = 0;
};

struct Circle : Shape {
	double radius;
	explicit Circle(double r) : radius(r)
	{
	}
	__attribute__((noinline)) double area(double scale) const override
	{
		double sum = 0;

		for (int i = 1; i < 400; i++)
			sum += radius * radius * scale / i;
		return sum;
	}
};

template <typename T>
__attribute__((noinline)) T total(const std::vector<std::unique_ptr<Shape>> &all, T scale)
{
	T sum = 0;

	for (const auto &shape : all)
		sum += shape->area(scale);
	return sum;
}

} // namespace shapes

static volatile double sink;

__attribute__((noinline)) static void sort_words(unsigned seed)
{
	std::vector<std::string> words;
	std::map<std::string, int> count;

	for (unsigned i = 0; i < 2000; i++)
		words.push_back(std::to_string((seed + i) * 2654435761u));
	std::sort(words.begin(), words.end(), [](const auto &a, const auto &b) { return a > b; });
	for (const auto &word : words)
		count[word.substr(0, 3)]++;
	sink = count.size();
}

__attribute__((noinline)) static void may_throw(int i)
{
	if (i % 2)
		throw std::runtime_error("odd");
}

int main(int argc, char **argv)
{
	auto end = std::chrono::steady_clock::now() +
		   std::chrono::duration<double>(argc > 1 ? atof(argv[1]) : 1);
	std::vector<std::unique_ptr<shapes::Shape>> all;

	for (int i = 0; i < 1000; i++)
		all.push_back(std::make_unique<shapes::Circle>(i));
	for (unsigned i = 0; std::chrono::steady_clock::now() < end; i++) {
		sink = shapes::total<double>(all, i);
		sort_words(i);
		try {
			may_throw(i);
		} catch (const std::exception &e) {
			sink = e.what()[0];
		}
	}
	return 0;
}
