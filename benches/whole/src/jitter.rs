//! How evenly samples follow each other on the busiest thread.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::formats::Moment;

/// Of the intervals between the samples of the thread with the most: how many, and the share of the
/// nominal period by which they miss it, which 50 and 95 of 100 do not exceed.
pub(crate) fn measured(moments: &[Moment], period_ns: f64) -> Value {
    let mut threads: HashMap<&str, Vec<f64>> = HashMap::new();
    for moment in moments {
        threads.entry(&moment.thread).or_default().push(moment.ns);
    }
    let busiest = threads.into_values().max_by_key(Vec::len);
    let mut times = busiest.unwrap_or_default();
    times.sort_by(f64::total_cmp);
    let missed = |pair: &[f64]| (pair[1] - pair[0] - period_ns).abs() / period_ns;
    let mut missed: Vec<f64> = times.windows(2).map(missed).collect();
    missed.sort_by(f64::total_cmp);
    let at = |hundredth: usize| missed.get(missed.len() * hundredth / 100).copied();
    json!({ "intervals": missed.len(), "p50": at(50), "p95": at(95) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(thread: &str, times: &[f64]) -> Vec<Moment> {
        let moment = |ns: &f64| Moment {
            thread: thread.to_owned(),
            ns: *ns,
        };
        times.iter().map(moment).collect()
    }

    #[test]
    fn only_the_busiest_thread_counts() {
        let mut all = moments("idle", &[0.0, 77.0]);
        all.extend(moments("busy", &[10.0, 20.0, 30.0, 45.0]));
        let found = measured(&all, 10.0);
        assert_eq!(found, json!({ "intervals": 3, "p50": 0.0, "p95": 0.5 }));
    }

    #[test]
    fn nothing_has_no_jitter() {
        assert_eq!(
            measured(&[], 10.0),
            json!({ "intervals": 0, "p50": null, "p95": null })
        );
    }
}
