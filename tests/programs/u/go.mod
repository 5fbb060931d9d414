module seam.test/u

go 1.19

require (
	github.com/ebitengine/purego v0.8.4
	seam.test/harness v0.0.0
)

replace seam.test/harness => ../harness
