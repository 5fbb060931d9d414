module seam.test/y

go 1.21

require seam.test/harness v0.0.0

replace seam.test/harness => ../harness
