module seam.test/made

go 1.21
