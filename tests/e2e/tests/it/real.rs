//! Programs around libraries that nobody here wrote: stacks are whole, the code agrees with every
//! call, and functions that must stand in one stack do (tests/programs/real).

use std::process::Command;
use std::time::Duration;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, parse_json, run_well};

/// How often it is recorded on a machine too busy to see everything at once.
const ROUNDS: usize = 4;

/// Whether the frames hold these functions in this order; `x*` is anything that begins with x.
fn holds(stack: &Stack, together: &[String]) -> bool {
    let mut names = stack.frames.iter().map(|f| f.name.as_str());
    together.iter().all(|wanted| {
        names.any(|name| match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        })
    })
}

fn check(name: &str) {
    let folder = places::repository().join("tests/programs/real").join(name);
    let text = std::fs::read_to_string(folder.join("real.json")).expect("it is there");
    let real = parse_json(&text);
    let list = |value: &serde_json::Value| -> Vec<String> {
        let words = value.as_array().into_iter().flatten();
        words
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect()
    };
    let library = real["library"] == true;
    let file = places::real(if library {
        format!("{name}.so")
    } else {
        name.to_owned()
    });
    let words = match list(&real["command"]) {
        command if command.is_empty() => vec![file.display().to_string(), "15".to_owned()],
        command => command
            .into_iter()
            .map(|word| match word.as_str() {
                "SECONDS" => "15".to_owned(),
                "LIBRARY" => file.display().to_string(),
                _ => word,
            })
            .collect(),
    };
    let mut process = Process::start(
        Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&folder),
    );
    process.line("ready", |line| (line == "ready").then_some(()));
    let together = real["together"].as_array().expect("a list");
    let mut missing: Vec<Vec<String>> = together.iter().map(list).collect();
    let (mut samples, mut judged) = (0, 0);
    for _ in 0..ROUNDS {
        let bench = Bench::new();
        run_well(&mut bench.record(process.pid(), "-d 3s -r 997 -o x.pb.gz -o x.json"));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        samples += profile.count();
        let broken = profile.count_where(|s| s.texts.contains_key("end"));
        assert!(
            broken * 200 <= profile.count(),
            "{name}: {:?}",
            not_rooted(&summary)
        );
        let edges = &summary["quality"]["edges"];
        assert_eq!(
            edges["impossible"], 0,
            "{name}: {}",
            summary["quality"]["notes"]
        );
        let of = |key: &str| edges[key].as_u64().unwrap_or_default();
        let known = of("verified") + of("plausible");
        assert!(of("unchecked") * 200 <= known, "{name}: {edges}");
        judged += known;
        missing.retain(|chain| !profile.stacks.iter().any(|stack| holds(stack, chain)));
        if missing.is_empty() {
            println!("{name}: {samples} samples, {judged} calls judged");
            // It must not have noticed; what it does takes its time.
            assert!(process.runs(), "{name} has ended");
            let outcome = process.end(Duration::from_secs(60));
            let said = outcome.stdout.iter().any(|line| line.starts_with("ok"));
            assert!(said && outcome.code() == Some(0), "{}", outcome.text());
            return;
        }
    }
    panic!("{name}: in {samples} samples never together: {missing:?}");
}

#[test]
fn rocksdb_compares_in_go() {
    check("rocksdb");
}

#[test]
fn duckdb_below_database_sql() {
    check("duckdb");
}

#[test]
fn kafka_has_threads_of_its_own() {
    check("kafka");
}

/// Shaders are compiled while it runs: code of no file.
#[test]
fn llvmpipe_compiles_its_shaders() {
    check("osmesa");
}

#[test]
fn a_cpp_library_opened_by_the_program() {
    check("pkcs11");
}

#[test]
fn go_in_python() {
    check("cpython");
}

/// A distribution's own package in Go, stripped, with C++ and C from shared libraries.
#[test]
fn hugo_of_the_distribution() {
    let bench = Bench::new();
    site(&bench);
    let site = bench.file("site");
    let mut missing = vec![
        vec![
            "runtime.goexit",
            "sass_compiler_parse",
            "Sass::Data_Context::parse",
        ],
        vec![
            "runtime.goexit",
            "runtime.asmcgocall",
            "sass_compiler_execute",
        ],
        vec!["runtime.goexit", "runtime.asmcgocall", "WebPEncode"],
    ];
    let words = ["--quiet", "-s", site.to_str().expect("a plain path")];
    let (mut samples, mut cgo) = (0, 0);
    for _ in 0..ROUNDS {
        // What it has made it keeps: each round begins anew.
        for made in ["public", "resources"] {
            let _ = std::fs::remove_dir_all(site.join(made));
        }
        let hugo = std::path::Path::new("/usr/bin/hugo");
        let options = "-r 997 -o x.pb.gz -o x.json";
        run_well(&mut bench.record_command(options, hugo, &words));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        samples += profile.count();
        cgo += profile.count_where(|s| s.has("runtime.asmcgocall"));
        let broken = profile.count_where(|s| s.texts.contains_key("end"));
        assert!(
            broken * 200 <= profile.count(),
            "{:?}",
            not_rooted(&summary)
        );
        let quality = &summary["quality"];
        assert_eq!(quality["edges"]["impossible"], 0, "{}", quality["notes"]);
        missing.retain(|chain| {
            let chain: Vec<String> = chain.iter().map(|&name| name.to_owned()).collect();
            !profile.stacks.iter().any(|stack| holds(stack, &chain))
        });
        if missing.is_empty() {
            println!("hugo: {samples} samples, {cgo} in C called by Go");
            return;
        }
    }
    panic!("in {samples} samples never together: {missing:?}");
}

/// A site with style sheets to compile and a picture to encode.
fn site(bench: &Bench) {
    let write = |name: &str, bytes: &[u8]| {
        let path = bench.file("site").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        std::fs::write(path, bytes).expect("room");
    };
    let rules = |i: u32| {
        format!(
            ".a{i} {{ @for $n from 1 through 20 {{ .b#{{$n}} {{ width: ($n * {i}px) / 3; \
             color: darken(#abcdef, $n * 1%); }} }} }}\n"
        )
    };
    let sheet: String = (0..300).map(rules).collect();
    for n in 0..3 {
        write(
            &format!("assets/s{n}.scss"),
            format!("{sheet}/* {n} */").as_bytes(),
        );
    }
    write(
        "assets/picture.png",
        include_bytes!("../../../../docs/img/flame.png"),
    );
    write("config.toml", b"baseURL = \"http://localhost/\"\n");
    write(
        "layouts/index.html",
        br#"{{ range seq 0 2 }}{{ (resources.Get (printf "s%d.scss" .) | resources.ToCSS).RelPermalink }}
{{ end }}{{ $p := resources.Get "picture.png" }}{{ range seq 300 20 600 }}
{{ ($p.Resize (printf "%dx webp q80" .)).RelPermalink }}{{ end }}"#,
    );
}
