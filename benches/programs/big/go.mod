module seam.test/bench-big

go 1.21
