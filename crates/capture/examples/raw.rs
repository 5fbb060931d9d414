//! Records a process for some seconds and prints how its walks ended: `raw PID SECONDS`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<i64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let t = Instant::now();
    let mut session = seam_capture::Session::new(seam_capture::Options {
        rate_hz: 997,
        follow_children: false,
    })?;
    eprintln!("loaded {:?}", t.elapsed());
    session.add_target(seam_capture::check_target(args[0] as i32)?)?;
    eprintln!("targets {:?}", t.elapsed());
    session.start()?;
    eprintln!("started {:?}", t.elapsed());
    let end = Instant::now() + Duration::from_secs(args[1] as u64);
    while Instant::now() < end {
        session.poll(Duration::from_millis(100))?;
    }
    let r = session.finish()?;
    let mut ends = BTreeMap::new();
    for s in &r.samples {
        *ends.entry(s.header.end).or_insert(0) += 1;
    }
    for (code, n) in &ends {
        println!("{n:6} {}", seam_wire::end(*code).id);
    }
    println!("{:?} {:?} {} stacks", r.counters, r.cost, r.stacks.len());
    for m in &r.modules {
        println!(
            "{} {:?} {:?}",
            m.path,
            m.table.as_ref().map(|t| (
                &t.facts,
                t.table.rows,
                t.table.bytes(),
                t.go.as_ref()
                    .map(|g| (&g.version, g.verified, g.tls, &g.offsets))
            )),
            m.build_id.as_ref().map(|b| b.to_string())
        );
    }
    let mut shown = BTreeMap::new();
    for s in &r.samples {
        let n = shown.entry(s.header.end).or_insert(0);
        *n += 1;
        if *n <= 3 {
            let st = &r.stacks[s.stack as usize];
            println!(
                "{} goid {} m {} p {} flags {:x} status {} start {:x} endpc {:x}",
                seam_wire::end(s.header.end).id,
                s.header.goid,
                s.header.m,
                s.header.p,
                s.header.flags,
                s.header.go_status,
                s.header.start_pc,
                s.header.end_pc
            );
            let map = &r.maps.get(&st.mapping_set);
            for f in &st.user {
                let a = seam_wire::frame_address(*f);
                let m = map.and_then(|m| m.find(a));
                println!(
                    "   {a:x} {:?}",
                    m.map(|m| format!("{}+{:x}", m.module.name(), a - m.load_bias))
                );
            }
        }
    }
    Ok(())
}
