module seam.test/harness

go 1.19
