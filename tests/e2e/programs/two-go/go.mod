module seam.test/twogo

go 1.21
