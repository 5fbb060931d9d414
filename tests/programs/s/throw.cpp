// C++ exceptions between two C frames.
#include <cstdint>
#include <stdexcept>
#include <string>

extern "C" {
#include "seam.h"
}

SEAM_FN static uint64_t thrower(uint64_t x) {
	if (x % 3 != 0)
		throw std::runtime_error(std::to_string(x));
	return spin_rounds(x, SEAM_ROUNDS / 20);
}

extern "C" SEAM_FN uint64_t seam_s_throw(uint64_t x) {
	for (int i = 0; i < 30; i++) {
		try {
			x += thrower(x + i);
		} catch (const std::exception &e) {
			x += e.what()[0];
		}
	}
	return x;
}
