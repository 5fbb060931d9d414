// A Go program that opens a test program, built as a plugin: the file beside its own, with .so
// behind its name.
package main

import (
	"fmt"
	"os"
	"plugin"
)

func main() {
	own, err := os.Executable()
	if err == nil {
		err = run(own + ".so")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	opened, err := plugin.Open(path)
	if err != nil {
		return err
	}
	found, err := opened.Lookup("LibraryRun")
	if err != nil {
		return err
	}
	(*found.(*func()))()
	return nil
}
