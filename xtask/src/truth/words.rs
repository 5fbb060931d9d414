//! The page's texts: how each table was made, and what explains its figures.

/// Below the options.
pub(super) const PEER_HELP: &str = "\
Peers: PATH is called as `PATH PID SECONDS FOLDER RATE`. It records the process for so many \
seconds, at RATE samples a second if it can, and leaves FOLDER/stacks.folded, a line for each \
stack: `NAME;ROOT;…;LEAF COUNT`. NAME is the program's or thread's and no frame; \
`[FILE+0xADDRESS]` is a frame without a name, `FUNCTION_[k]` one of the kernel's. The first \
line of FOLDER/version, if there is one, goes to the page. It must end by itself, with 0 when \
it recorded. Peers are asked about the machine's Go minor only.";

pub(super) const INTRODUCTION: &str = "
Stacks that are known by construction, and what profilers make of them. A profiler can look right
and be wrong: a stack that lacks a caller is still a stack. So programs whose call trees are known
([tests/programs](../tests/programs/README.md)) are recorded, and each stack is held against its
tree by one judge for all profilers ([benches/whole](../benches/whole/src/main.rs)), with the
rules and the code of the end-to-end tests.
";

pub(super) const SCENARIOS: &str = "\
A program is built by the newest release of each Go minor and recorded by one profiler after the
other, each time in a new process, for 2 seconds of its work (a quick run: 1) at 499 samples a
second. Its C has no frame pointers (`-O2 -fomit-frame-pointer`), but in `t`.

A stack **counts** when it holds a frame of the program's own. It is **whole** when its own frames
are a path of the known calls with nothing missing or added, no caller is without a name, and it
begins at its root. Goroutine and thread numbers, which only seam records, are not asked for, and
neither is which frames of Go's runtime lie between the program's: one that is missing or invented
there does not show here. In `s` no call tree is known: all stacks count, and whole are those that
begin at a root.

A cell says: whole stacks as % of those that count (how many count, and of how many samples, where
more than a tenth do not count, which is also so where a profiler loses all frames of the
program).

- **perf** is given to the judge as `perf script --no-inline` prints it.
- **perf `--call-graph dwarf`** fails for two reasons, found by hand with Go 1.26.8 and perf
  6.1.192. Go's linker writes Go's unwind information to `.debug_frame` only, and perf here reads
  `.eh_frame` only (it imports none of libunwind's functions for the other; gdb, which reads it,
  shows whole stacks of `a`). In a file without any `.eh_frame`, as `a`, a walk then ends after
  one frame. With cgo there is one, for the C; where it says nothing, libunwind follows frame
  pointers (`a` linked externally: 57 % whole). And behind C that helps no more: what perf copies
  of the stack begins at the stack pointer, which is the thread's, and the goroutine's stack lies
  elsewhere. In 370 of 390 samples of `b` the log says so (`access_mem … not inside range`, `perf
  script -vvv`). Neither `-ldflags=-compressdwarf=false` nor a copy of 65,528 bytes instead of
  8,192 changes any of it.
- **perf `-g` and samply** follow frame pointers in Go (samply: in all code without `.eh_frame`).
  In `a` they lose the caller of the leaf, which has no frame; behind C without frame pointers
  they are lost.
- **samply** wants `perf_event_paranoid` below 2 on virtual machines, also as root; it sees a 1 in
  a mount namespace of its own. It has no end when it attaches, so it gets a SIGINT. Samples
  without CPU time (a waiting thread) do not count. It drops the first underscore of symbols: the
  names of program and thread starts are put back. Parameters are left out of its C++ names.
- **OpenTelemetry's profiler**, where it is among the peers, wants tracefs mounted below
  `/sys/kernel`; where it was not, the program that runs it mounts it.
- **Go's profiler** is switched on by the program, built for it, at its own 100 Hz. It leaves
  `runtime.goexit` out of every stack, which is taken as there, and shows time in C as time in
  `runtime.cgocall`: such a stack lacks its C part.";

pub(super) const PLAIN: &str = "\
The same rules for programs that are all C or C++, built with `-O2 -fomit-frame-pointer`.";

pub(super) const CALLS: &str = "\
The program [callers](../benches/programs/callers/main.go), by the machine's Go, spends its time
in two C functions. Each is called, through one C function in between, by a Go function of its
own: from a goroutine (*synchronous call*), from a goroutine that is in C and has been called back
(*callback*), or from a thread that C has created (*C thread*). The flags are given to its C only.
Each row is one recording of 2 seconds (a quick run: 1).

- *Samples*: all but those of waiting threads of Go's runtime, which are stacks from a root
  without a frame of the program's.
- *Mean depth*: user frames for each of these samples, inlined calls left out.
- *Innermost C function visible*: % of these samples whose innermost user frame is one of the two
  C functions. The program is there all but about 1 % of its time, the rest being cgo's own.
- *Right Go caller*: % of these samples with a sign of C (one of the C functions, or the
  `main._Cfunc_…` that cgo puts in front) where the next of the two Go functions further out is
  the one that calls this C function. Go's profiler gets it right without seeing any C.
- *Jitter*: by how much the time between two samples of the busiest thread misses the nominal
  period, in % of it: the median and the 95th percentile. Where another program had the CPU, the
  gap counts. seam's times are those of its page, in steps of 1 % of the period; Go's profiler and
  peers give no times.";

pub(super) const COST: &str = "\
From the start of the profiler's command to its end, with all that it starts: CPU time by the
kernel's account; the largest resident set of each process, added up, looked at every 50 ms (with
a peer, what records with it too); the time of BPF programs by the kernel's statistics, as far as
their process was alive to be asked. What perf needs for `perf script` afterwards is not in it,
what seam needs for names and its outputs is. A profiler of the whole machine records everything
else too.";

pub(super) const BUILDS: &str = "\
seam on programs that are built in other ways ([the list](../xtask/src/programs/shape.rs)): each
build mode, what may be stripped, static C libraries, and for the C of a plain build gcc and clang,
levels, frame pointers and unwind tables. Not all products of these: each pair of two settings of
the C occurs. The plain build is tried with every shape of stack, the others with the deepest (`n`:
three calls of C and two callbacks nested, `alloca`, an aligned frame, a moving stack), with threads
of C (`e`) and where it applies with C++ exceptions (`p-cpp`), without C (`a`), with purego (`u`)
and with everything at once (`s`). `a` and `u` are built with `CGO_ENABLED=0`, but where a build
mode needs cgo. Flags go to all C of the program, that of Go's runtime/cgo included; the C library
is Debian's.

The rules are those of the first table; each recording lasts 2 seconds (a quick run: 1) at 499
samples a second. Where a build leaves out the names of C, the judge has them from the same code
with symbols, and in a plugin `seam.test/n.f` counts as `main.f`. A cell says: whole stacks as % of
those that count (how many count), how many walks of all ended before a root and why, stacks that
libgcc was overwriting to catch an exception (*half-installed*; one in a thousand is allowed), and
calls that the code does not allow, of which four for each of these are. The impossible calls of `s`
are panics that have passed a callback: its C frames are gone by then, and each is counted.
`cargo xtask truth --builds --all-minors` does it with every Go minor from 1.19.";
