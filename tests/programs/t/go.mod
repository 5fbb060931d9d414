module seam.test/t

go 1.23

require seam.test/harness v0.0.0

replace seam.test/harness => ../harness
