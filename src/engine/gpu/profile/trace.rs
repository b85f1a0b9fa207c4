//! The first steps in Chrome's trace format, for `chrome://tracing` and Perfetto: the kernels on one track, the
//! processor's work for them on another.

use super::host::Span;
use super::{Record, TRACED_STEPS};
use serde_json::{Value, json};

/// The tracks, as thread numbers.
const HOST: u32 = 1;
const DEVICE: u32 = 2;

/// The dispatches of the traced steps.
#[derive(Default)]
pub(super) struct Trace {
    kernels: Vec<Kernel>,
    /// What is added to the device's clock, in nanoseconds, to make it the host's. They have no common origin: no kernel
    /// begins before it was submitted, and the one that comes closest begins at once.
    shift: Option<i64>,
}

struct Kernel {
    record: Record,
    step: usize,
    begin: u64,
    end: u64,
}

impl Trace {
    /// Adds a submission: what was dispatched, when by the device's clock, and when it was handed over by the host's.
    pub fn add(&mut self, step: usize, at: u64, records: Vec<Record>, times: &[[u64; 2]]) {
        let Some(&[first, _]) = times.first() else { return };
        let shift = at as i64 - first as i64;
        self.shift = Some(self.shift.map_or(shift, |known| known.max(shift)));
        let kernel = |(record, &[begin, end]): (Record, &[u64; 2])| Kernel { record, step, begin, end };
        self.kernels.extend(records.into_iter().zip(times).map(kernel));
    }

    /// The file.
    pub fn json(&self, spans: &[Span]) -> String {
        let track = |tid, name| json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}});
        let mut events = vec![track(HOST, "host"), track(DEVICE, "kernels")];
        let mut spans = spans.to_vec();
        // What encloses comes before what it encloses.
        spans.sort_by_key(|span| (span.begin, std::cmp::Reverse(span.end)));
        events.extend(spans.iter().map(|span| {
            event(HOST, span.work.name(), "host", (span.begin as i64, span.end as i64), json!({}))
        }));
        let shift = self.shift.unwrap_or(0);
        events.extend(self.kernels.iter().map(|Kernel { record, step, begin, end }| {
            let shapes: Vec<String> = record.shapes.iter().map(|s| format!("{s:?}")).collect();
            let arguments = json!({
                "step": step + 1,
                "layer": record.place.layer,
                "shapes": shapes.join(" "),
                "workgroups": format!("{:?}", record.groups),
                "flops": record.flops,
                "bytes": record.bytes,
            });
            let times = (*begin as i64 + shift, *end as i64 + shift);
            event(DEVICE, record.kernel, record.place.pass.name(), times, arguments)
        }));
        let note = format!("the first {TRACED_STEPS} steps");
        json!({"displayTimeUnit": "ms", "otherData": {"traced": note}, "traceEvents": events}).to_string()
    }
}

/// A complete event; its times go from nanoseconds to the format's microseconds.
fn event(track: u32, name: &str, category: &str, (begin, end): (i64, i64), arguments: Value) -> Value {
    let micro = |nanoseconds: i64| nanoseconds as f64 / 1e3;
    json!({
        "ph": "X", "name": name, "cat": category, "pid": 1, "tid": track,
        "ts": micro(begin), "dur": micro(end - begin), "args": arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::super::HostWork;
    use super::*;

    #[test]
    fn no_kernel_begins_before_it_was_submitted() {
        let record = |kernel| Record { kernel, shapes: vec![vec![2, 3], vec![1]], ..Record::default() };
        let mut trace = Trace::default();
        // The device's clock runs 9,000 ns behind; the second submission waited, the first did not.
        trace.add(0, 10_000, vec![record("a"), record("b")], &[[1_000, 2_000], [2_500, 9_000]]);
        trace.add(1, 15_000, vec![record("a")], &[[9_100, 9_200]]);
        let spans = [
            Span { work: HostWork::Compiling, begin: 2_000, end: 3_000 },
            Span { work: HostWork::Recording, begin: 2_000, end: 9_000 },
        ];
        let trace: Value = serde_json::from_str(&trace.json(&spans)).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let whole: Vec<_> = events.iter().filter(|e| e["ph"] == "X").collect();
        let times: Vec<_> =
            whole.iter().map(|e| (e["name"].as_str(), e["ts"].as_f64(), e["dur"].as_f64())).collect();
        assert_eq!(
            times,
            [
                (Some("recording"), Some(2.0), Some(7.0)),
                (Some("compiling"), Some(2.0), Some(1.0)),
                (Some("a"), Some(10.0), Some(1.0)),
                (Some("b"), Some(11.5), Some(6.5)),
                (Some("a"), Some(18.1), Some(0.1)),
            ]
        );
        assert_eq!(whole[2]["args"]["shapes"], "[2, 3] [1]");
        assert_eq!(whole[4]["args"]["step"], 2);
    }
}
