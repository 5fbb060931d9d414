module seam.test/headless

go 1.21
