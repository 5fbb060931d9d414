module seam.test/storm

go 1.21
