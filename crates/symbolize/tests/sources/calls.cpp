// Templates, methods, lambdas and namespaces inlined into each other, for comparing with addr2line.
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace shapes {

template <typename T> struct Point {
	T x, y;
	Point(T x, T y) : x(x), y(y) {}
	T dot(const Point &other) const { return x * other.x + y * other.y; }
};

class Shape {
public:
	virtual ~Shape() = default;
	virtual double area() const = 0;
	double twice() const { return 2 * area(); }
};

class Square final : public Shape {
public:
	explicit Square(double side) : side(side) {}
	double area() const override { return Point<double>(side, 0).dot({side, 1}); }

private:
	double side;
};

} // namespace shapes

namespace {

struct Counter {
	long total = 0;
	void add(long n) { total += n * 3; }
};

long hidden(const std::vector<int> &numbers)
{
	Counter counter;
	std::for_each(numbers.begin(), numbers.end(), [&](int n) { counter.add(n); });
	return counter.total;
}

} // namespace

__attribute__((noinline)) double areas(const std::vector<shapes::Square> &squares)
{
	return std::accumulate(squares.begin(), squares.end(), 0.0,
			       [](double sum, const shapes::Square &s) { return sum + s.twice(); });
}

__attribute__((noinline)) long words(const std::vector<std::string> &names)
{
	std::map<std::string, int> seen;
	for (const auto &name : names)
		seen[name]++;
	long sum = 0;
	for (const auto &[name, count] : seen)
		sum += static_cast<long>(name.size()) * count;
	return sum;
}

__attribute__((noinline)) void sorted(std::vector<int> &numbers)
{
	std::sort(numbers.begin(), numbers.end(), [](int a, int b) { return a % 10 < b % 10; });
}

int main(int argc, char **argv)
{
	std::vector<int> numbers(argc, 3);
	std::vector<std::string> names(argv, argv + argc);
	std::vector<shapes::Square> squares(argc, shapes::Square(2));
	sorted(numbers);
	std::printf("%ld %ld %f\n", hidden(numbers), words(names), areas(squares));
}
