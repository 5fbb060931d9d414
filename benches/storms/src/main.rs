//! Runs every storm of the end-to-end tests at full size and prints what it gave, one JSON object a
//! line. `cargo xtask storms` makes a page of it.

use std::path::PathBuf;

use seam_e2e::storm::{self, Seen, Size};
use serde_json::json;

fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let size = if quick { Size::SMALL } else { Size::FULL };
    let (c, go) = (storm::program(), storm::go_program());
    let libraries = storm::libraries().display().to_string();
    let storms: [(&str, &PathBuf, &[String], &str); 8] = [
        ("threads", &c, &[size.threads.to_string()], ""),
        ("processes", &c, &[size.processes.to_string()], "--children"),
        ("loads", &c, &[size.loads.to_string(), libraries], ""),
        ("exec", &c, &[], ""),
        ("maps", &c, &[], ""),
        ("many", &c, &[size.many.to_string()], "--all"),
        ("grow", &go, &[], ""),
        ("churn", &go, &[], ""),
    ];
    for (mode, program, more, options) in storms {
        let words: Vec<String> = std::iter::once(mode.to_owned())
            .chain(more.iter().cloned())
            .collect();
        // What fails says so on stderr, and the others go on.
        let seen = std::panic::catch_unwind(|| storm::recorded(&size, program, &words, options));
        match seen {
            Ok(seen) => println!("{}", row(mode, &size, &seen)),
            Err(_) => println!("{}", json!({ "mode": mode, "failed": true })),
        }
    }
    let (times, left) = storm::attached(&size);
    println!(
        "{}",
        json!({ "mode": "attach", "count": times, "left": left.len() })
    );
}

fn row(mode: &str, size: &Size, seen: &Seen) -> serde_json::Value {
    json!({
        "mode": mode,
        "seconds": size.seconds,
        "count": seen.count,
        "samples": seen.samples,
        "own": seen.own,
        "own_rooted": seen.own_rooted,
        "rooted": seen.rooted,
        "not_rooted": seen.not_rooted,
        "lost": seen.lost,
        "impossible": seen.impossible,
        "bytes": seen.bytes,
        "budget": seen.budget(),
    })
}
