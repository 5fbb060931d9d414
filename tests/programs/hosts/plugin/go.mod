module seam.test/host

go 1.19
