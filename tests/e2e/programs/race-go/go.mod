module seam.test/race

go 1.21
