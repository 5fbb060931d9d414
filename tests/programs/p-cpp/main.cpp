// Program p-cpp: C++ without Go. Virtual calls, a template, a lambda behind
// std::function, and an exception thrown and caught in every round.
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "plain.h"
#include "seam.h"

namespace seam_cpp {

struct Shape {
	virtual ~Shape() = default;
	virtual uint64_t turn(uint64_t x) const = 0;
};

struct Square : Shape {
	SEAM_FN uint64_t turn(uint64_t x) const override { return spin_rounds(x, SEAM_ROUNDS); }
};

struct Circle : Shape {
	SEAM_FN uint64_t turn(uint64_t x) const override { return spin_rounds(~x, SEAM_ROUNDS); }
};

// Wrapped, so that the names of the functions that take them stay readable.
struct Shapes {
	std::vector<std::unique_ptr<Shape>> all;
};

struct Step {
	std::function<uint64_t(uint64_t)> call;
};

template <typename T>
SEAM_FN uint64_t turn_twice(const T &shape, uint64_t x) {
	for (int i = 0; i < 2; i++) {
		x += shape.turn(x);
		SEAM_KEEP(x);
	}
	return x;
}

SEAM_FN uint64_t turn_all(const Shapes &shapes, uint64_t x) {
	for (const auto &shape : shapes.all) {
		x ^= turn_twice(*shape, x);
		SEAM_KEEP(x);
	}
	return x;
}

SEAM_FN void refuse(uint64_t x) {
	x = spin_rounds(x, SEAM_ROUNDS / 4);
	SEAM_KEEP(x);
	throw std::runtime_error("refused by design");
}

SEAM_FN uint64_t checked(uint64_t x) {
	// A local with a destructor: the unwinder stops here on its way to the catch.
	std::vector<uint64_t> held(16, x);
	refuse(x);
	return held[x % 16];
}

SEAM_FN uint64_t caught(uint64_t x) {
	try {
		x = checked(x);
	} catch (const std::exception &refused) {
		x += static_cast<uint64_t>(refused.what()[0]);
	}
	SEAM_KEEP(x);
	return x;
}

SEAM_FN uint64_t apply(const Step &step, uint64_t x) {
	x = step.call(x);
	SEAM_KEEP(x);
	return x;
}

SEAM_FN uint64_t work(const Shapes &shapes, uint64_t x) {
	x = turn_all(shapes, x);
	x ^= caught(x);
	Step step{[&x](uint64_t y) SEAM_FN -> uint64_t {
		return spin_rounds(x + y, SEAM_ROUNDS);
	}};
	x ^= apply(step, x);
	SEAM_KEEP(x);
	return x;
}

} // namespace seam_cpp

int main(int argc, char **argv) {
	double seconds = plain_ready(argc, argv);
	seam_cpp::Shapes shapes;
	shapes.all.push_back(std::make_unique<seam_cpp::Square>());
	shapes.all.push_back(std::make_unique<seam_cpp::Circle>());
	plain_thread("main");
	plain_mark("start");
	uint64_t x = 1;
	for (double end = plain_now() + seconds; plain_now() < end;) {
		x += seam_cpp::work(shapes, x);
		SEAM_KEEP(x);
	}
	plain_mark("stop");
	puts("ok");
	return 0;
}
