//! The report as text: the answer first, then what was looked at, each problem with its fix. Fits
//! 80 columns, but for the table of modules, which takes up to 100.

use seam_capture::doctor::{Check, GoBuild, ModuleSections, ProcessReport, State};

use super::{Process, Report};

const COLUMNS: usize = 80;
/// Columns of the label on the left.
const LABEL: usize = 10;
/// Columns of a check's name.
const NAME: usize = 26;
/// The longest module name that is shown whole.
const MODULE_NAME: usize = 24;

/// Writes the report.
pub(super) fn text(report: &Report, color: bool) -> String {
    let mut screen = Screen {
        text: String::new(),
        color,
    };
    screen.host(&report.host);
    for process in &report.processes {
        screen.text.push('\n');
        match process {
            Process::Seen(report) => screen.process(report),
            Process::Refused { problem, .. } => screen.check(problem),
        }
    }
    screen.text
}

struct Screen {
    text: String,
    color: bool,
}

impl Screen {
    fn host(&mut self, checks: &[Check]) {
        let bad = |state| checks.iter().filter(move |c| c.state == state).count();
        let verdict = if bad(State::Missing) + bad(State::Untried) > 0 {
            "not ready: seam can't record as it was started"
        } else if bad(State::Degraded) > 0 {
            "ready, but some things will not be seen"
        } else {
            "ready: seam can record here"
        };
        self.line("machine", verdict);
        for check in checks {
            self.check(check);
        }
    }

    fn process(&mut self, report: &ProcessReport) {
        let target = &report.target;
        let mut facts = vec![format!("{} (pid {})", printable(&target.name), target.pid)];
        facts.extend(report.go.first().map(go_words));
        facts.extend(report.libc.as_ref().map(|libc| {
            let version = libc.version.as_ref();
            let version = version.map_or_else(String::new, |v| format!(" {v}"));
            let place = if libc.linked_in { ", linked in" } else { "" };
            format!("{}{version}{place}", libc.kind)
        }));
        facts.extend(report.allocator.as_ref().map(|a| a.name.to_owned()));
        facts.push(plural(report.threads as u64, "thread"));
        let title = facts.join("   ");
        let title = self.paint(1, &title);
        self.text.push_str(&title);
        self.text.push('\n');
        self.line("stacks", &report.stacks);
        self.line("names", &report.names);
        for go in &report.go {
            self.go(go);
        }
        self.modules(&report.modules);
        for problem in &report.problems {
            self.check(problem);
        }
        self.line(
            "next",
            &format!("sudo seam record -p {} -d 10s", target.pid),
        );
    }

    fn go(&mut self, go: &GoBuild) {
        let confirmed = match (go.goroutine_found, go.verified) {
            (true, true) => "confirmed by its code",
            (true, false) => "not confirmed by its code",
            (false, _) => "the place of g was not found",
        };
        let text = format!("{}: runtime offsets {}, {confirmed}", go.module, go.offsets);
        self.line("go", &text);
        for flag in &go.flags {
            self.wrapped(LABEL, &format!("{}: {}", flag.flag, flag.effect));
        }
    }

    fn modules(&mut self, modules: &[ModuleSections]) {
        let head = format!(
            "{:<MODULE_NAME$} {:>8} {:>7} {:>8} {:>7} {:>5}  {:<15} {:<5}  build id",
            "modules", "code", "pclntab", "eh_frame", "derived", "none", "names", "dwarf"
        );
        let head = self.paint(2, &head);
        self.text.push_str(&head);
        self.text.push('\n');
        for module in modules {
            let row = format!(
                " {:<width$} {:>8} {:>7} {:>8} {:>7} {:>5}  {:<15} {:<5}  {}",
                cut(&printable(&module.name), MODULE_NAME - 1),
                size(module.code_bytes),
                count(module.pclntab),
                count(module.described),
                count(module.derived),
                count(module.given_up),
                names(module),
                if module.debug { "yes" } else { "-" },
                module.build_id.get(..8).unwrap_or("-"),
                width = MODULE_NAME - 1,
            );
            self.text.push_str(row.trim_end());
            self.text.push('\n');
        }
    }

    fn check(&mut self, check: &Check) {
        let word = format!("{:<LABEL$}", check.state.word());
        let word = self.paint(code(check.state), &word);
        let name = printable(&check.name);
        self.text.push_str(&format!("{word}{name:<NAME$}"));
        // A name that fills its columns stands alone.
        if name.chars().count() >= NAME {
            self.text.push('\n');
            self.text.push_str(&" ".repeat(LABEL + NAME));
        }
        self.continued(LABEL + NAME, &check.found);
        if !check.meaning.is_empty() {
            self.wrapped(LABEL, &check.meaning);
        }
        if !check.fix.is_empty() {
            self.wrapped(LABEL, &format!("fix: {}", check.fix));
        }
        if !check.command.is_empty() {
            // In one line, to be copied.
            let indent = " ".repeat(LABEL);
            self.text.push_str(&format!("{indent}{}\n", check.command));
        }
    }

    /// A label and text behind it.
    fn line(&mut self, label: &str, text: &str) {
        let label = self.paint(1, &format!("{label:<LABEL$}"));
        self.text.push_str(&label);
        self.continued(LABEL, text);
    }

    fn wrapped(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.continued(indent, text);
    }

    /// Text from column `indent` on, wrapped to the same column.
    fn continued(&mut self, indent: usize, text: &str) {
        let mut column = indent;
        for word in printable(text).split_whitespace() {
            let len = word.chars().count();
            if column > indent && column + 1 + len > COLUMNS {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(indent));
                column = indent;
            }
            if column > indent {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += len;
        }
        self.text.push('\n');
    }

    fn paint(&self, code: u8, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn code(state: State) -> u8 {
    match state {
        State::Ok => 32,
        State::Untried | State::Degraded => 33,
        State::Missing => 31,
    }
}

fn go_words(go: &GoBuild) -> String {
    let version = go.version.trim_start_matches("go");
    let mut words = vec![if version.is_empty() {
        "Go of unknown version".to_owned()
    } else {
        format!("Go {version}")
    }];
    if !matches!(go.build_mode.as_str(), "" | "exe") {
        words.push(go.build_mode.clone());
    }
    let cgo = match (go.cgo, go.without_cgo) {
        (_, true) => "C without cgo",
        (true, false) => "cgo",
        (false, false) => "no cgo",
    };
    words.push(cgo.to_owned());
    words.join(", ")
}

/// Functions that one source describes.
fn count(functions: u64) -> String {
    match functions {
        0 => "-".to_owned(),
        n => n.to_string(),
    }
}

fn names(module: &ModuleSections) -> &'static str {
    match (module.pclntab > 0, module.symtab, module.dynsym) {
        (true, true, _) => "pclntab, symtab",
        (true, false, _) => "pclntab",
        (false, true, _) => "symtab",
        (false, false, true) => "exported",
        (false, false, false) => "-",
    }
}

fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{} KiB", bytes.div_ceil(1024))
    } else {
        format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
    }
}

fn plural(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Names of files and processes may hold anything.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    text.chars().map(plain).collect()
}

fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state: State, found: &str) -> Check {
        Check {
            name: "capabilities".to_owned(),
            state,
            found: found.to_owned(),
            meaning: if state == State::Ok {
                ""
            } else {
                "nothing works ".repeat(9).leak()
            }
            .into(),
            fix: if state == State::Ok { "" } else { "sudo" }.into(),
            command: String::new(),
        }
    }

    fn host(checks: Vec<Check>) -> String {
        let report = Report {
            host: checks,
            processes: Vec::new(),
        };
        text(&report, false)
    }

    #[test]
    fn the_answer_comes_first() {
        let all = host(vec![check(State::Ok, "all")]);
        assert_eq!(
            all,
            "machine   ready: seam can record here\n\
             ok        capabilities              all\n"
        );
        for (state, start) in [
            (State::Degraded, "machine   ready, but"),
            (State::Untried, "machine   not ready"),
            (State::Missing, "machine   not ready"),
        ] {
            let all = host(vec![check(state, &"missing: CAP_BPF, ".repeat(12))]);
            assert!(all.starts_with(start), "{all}");
            assert!(all.contains("\n          fix: sudo\n"), "{all}");
            assert!(all.lines().all(|l| l.chars().count() <= COLUMNS), "{all}");
        }
    }

    #[test]
    fn modules_fit_a_hundred_columns() {
        let module = ModuleSections {
            name: "a-module-with-quite-a-long-name.so.6.0.30".to_owned(),
            build_id: "0123456789abcdef".to_owned(),
            code_bytes: 123 << 20,
            symtab: true,
            pclntab: 123_456,
            described: 3210,
            debug: true,
            ..ModuleSections::default()
        };
        let mut screen = Screen {
            text: String::new(),
            color: false,
        };
        screen.modules(&[module]);
        assert!(
            screen.text.lines().all(|l| l.chars().count() <= 100),
            "{}",
            screen.text
        );
    }
}
