// A library that is loaded while its process is recorded.
#include "e2e.h"

FN static uint64_t plugin_leaf(uint64_t x) {
	return rounds(x, 40000);
}

FN uint64_t plugin_spin(uint64_t x) {
	uint64_t r = plugin_leaf(x);
	KEEP(r);
	return r;
}
