module seam.test/n

go 1.19

require seam.test/harness v0.0.0

replace seam.test/harness => ../harness
