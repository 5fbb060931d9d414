//go:build cpuprofile

package harness

import (
	"os"
	"runtime/pprof"
)

// Writes Go's own CPU profile of the time between the marks to the file that
// SEAM_CPUPROFILE names.
func init() {
	profiled = func() func() {
		path := os.Getenv("SEAM_CPUPROFILE")
		if path == "" {
			return func() {}
		}
		file, err := os.Create(path)
		Must(err)
		Must(pprof.StartCPUProfile(file))
		return func() {
			pprof.StopCPUProfile()
			Must(file.Close())
		}
	}
}
