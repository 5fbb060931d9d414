module seam.test/real/osmesa

go 1.21
