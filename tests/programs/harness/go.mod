module seam.test/harness

go 1.21
