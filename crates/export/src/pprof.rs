//! pprof: the gzip'd protobuf that `go tool pprof` and most profiling servers read.
//!
//! Owns the translation of the model's tables, which are close to the format's. Every frame is
//! kept; inlined functions are lines of one location, innermost first, as the format wants.
//! Addresses lie inside the call, also for return addresses.

pub(crate) mod proto;
mod samples;
mod tables;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use seam_profile::{Counted, Profile};

use samples::samples;
use tables::{Strings, functions, locations, mappings};

/// Writes the profile in pprof's format, compressed. The same profile gives the same bytes.
///
/// Sample types are `samples/count` and `cpu/nanoseconds`, or `goroutine/count`. Labels are numbers
/// for `goid`, `tid`,
/// `m`, `p`, `cpu` and strings for `thread`, `state` and, where a stack is not whole, `end`; what
/// is unknown has no label.
pub fn pprof(profile: &Profile) -> Vec<u8> {
    let bytes = message(profile).encode_to_vec();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(&bytes)
        .expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

fn message(profile: &Profile) -> proto::Profile {
    let recording = profile.recording();
    let mut strings = Strings::new(profile.strings());
    let places = mappings(profile);
    // As Go's own goroutine profile, or as its CPU profile.
    let (types, period) = match recording.sampling.counted {
        Counted::CpuTime => {
            let cpu = strings.value_type("cpu", "nanoseconds");
            (vec![strings.value_type("samples", "count"), cpu], cpu)
        }
        Counted::Goroutines => {
            let goroutines = strings.value_type("goroutine", "count");
            (vec![goroutines], goroutines)
        }
    };
    let comment = comments(profile)
        .iter()
        .map(|text| strings.id(text))
        .collect();
    proto::Profile {
        sample_type: types,
        sample: samples(profile, &mut strings),
        location: locations(profile, &places),
        mapping: places.mappings,
        function: functions(profile, &mut strings),
        time_nanos: signed(recording.start_unix_ns),
        duration_nanos: signed(recording.duration_ns),
        period_type: Some(period),
        period: signed(recording.sampling.period_ns),
        comment,
        default_sample_type: period.r#type,
        string_table: strings.finish(),
        ..proto::Profile::default()
    }
}

/// What `pprof -comments` shows: how the profile came about and how far it can be trusted.
fn comments(profile: &Profile) -> Vec<String> {
    let recording = profile.recording();
    let quality = profile.quality();
    let tier = recording.tier;
    let mut comments = vec![
        format!(
            "seam {}, tier {}: {}{}",
            recording.seam_version,
            tier.number(),
            tier.words(),
            recording.grade.limits()
        ),
        format!(
            "{} of {} samples have a whole stack, {} lost",
            quality.rooted,
            quality.samples,
            quality.lost()
        ),
    ];
    comments.extend(quality.told.notes.iter().cloned());
    comments
}

/// The format counts in signed numbers.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
