module seam.test/bench-depth

go 1.21
