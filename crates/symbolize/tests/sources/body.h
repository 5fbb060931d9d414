/* The body of a function in calls.c. */
	for (unsigned i = 0; i < 5; i++)
		x = mix(x) + i;
	return x;
