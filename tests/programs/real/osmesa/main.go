// Draws with Mesa's llvmpipe, which compiles its shaders to machine code while it runs: code of no
// file, without unwind information, called by threads of the library's own. Off screen, so that no
// display is needed. Go is called back for the corners of each triangle.
package main

/*
#cgo LDFLAGS: -lOSMesa
#include <stdlib.h>
#include <GL/osmesa.h>

enum { WIDE = 640, HIGH = 480 };

extern float goCorner(int);

static void *seam_context(void)
{
	OSMesaContext context = OSMesaCreateContextExt(OSMESA_RGBA, 16, 0, 0, NULL);
	void *picture = malloc(WIDE * HIGH * 4);

	if (!context || !OSMesaMakeCurrent(context, picture, GL_UNSIGNED_BYTE, WIDE, HIGH))
		return 0;
	return context;
}

static void seam_corner(int n)
{
	glColor4f((n % 3) * 0.3f, 0.5f, 1, 0.3f);
	glVertex2f(goCorner(2 * n), goCorner(2 * n + 1));
}

static void seam_frame(int triangles)
{
	glClear(GL_COLOR_BUFFER_BIT);
	glEnable(GL_BLEND);
	glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
	glBegin(GL_TRIANGLES);
	for (int i = 0; i < 3 * triangles; i++)
		seam_corner(i);
	glEnd();
	glFinish();
}
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"time"
)

//export goCorner
func goCorner(n C.int) C.float { return C.float(math.Sin(float64(n) * 1.7)) }

//go:noinline
func draw() { C.seam_frame(300) }

func main() {
	runtime.LockOSThread()
	seconds, _ := strconv.Atoi(os.Args[1])
	if C.seam_context() == nil {
		fmt.Println("there is no context")
		os.Exit(1)
	}
	draw()
	fmt.Println("ready")
	frames := 0
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); frames++ {
		draw()
	}
	fmt.Println("ok", frames, "frames")
}
