module seam.test/real/cpython

go 1.21
