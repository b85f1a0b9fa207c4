//! The processor's side: what it does around the dispatches, as spans that nest.

use super::TRACED_STEPS;
use super::report::HostTimes;
use std::time::Instant;

/// What the processor is doing for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostWork {
    /// From the first dispatch of a step to its submission: shapes, buffers, the tape, bind groups.
    Recording,
    /// Copying data for the device.
    Uploading,
    /// Reading kernels, and waiting for the threads that have the driver translate them.
    Compiling,
    /// Turning what was recorded into commands and handing them over.
    Submitting,
    /// Waiting for the device.
    Waiting,
}

impl HostWork {
    /// All of it, in the order of reports.
    pub const ALL: [HostWork; 5] = [
        HostWork::Recording,
        HostWork::Uploading,
        HostWork::Compiling,
        HostWork::Submitting,
        HostWork::Waiting,
    ];

    /// In a word, for tables and traces.
    pub fn name(self) -> &'static str {
        match self {
            HostWork::Recording => "recording",
            HostWork::Uploading => "uploading",
            HostWork::Compiling => "compiling",
            HostWork::Submitting => "submitting",
            HostWork::Waiting => "waiting",
        }
    }
}

/// A span of the processor's time, in nanoseconds since the device was opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub work: HostWork,
    pub begin: u64,
    pub end: u64,
}

/// What the processor's side has cost since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    /// Nanoseconds by [`HostWork::ALL`], each without what it encloses.
    pub work: HostTimes,
    /// Nanoseconds that this thread has had a core, whatever it did; 0 where the system does not say.
    pub processor: u64,
}

struct Open {
    work: HostWork,
    begin: u64,
    /// Nanoseconds of it that went to spans inside it.
    inside: u64,
}

/// Spans that are open, and what the closed ones add up to.
pub(super) struct Host {
    origin: Instant,
    open: Vec<Open>,
    /// Since it was last taken.
    own: HostTimes,
    /// This thread's time on a core when that was.
    processor: u64,
    /// The closed spans of the steps that are traced.
    pub spans: Vec<Span>,
    /// When the last one closed.
    pub last_end: u64,
}

impl Host {
    pub fn new() -> Self {
        Host {
            origin: Instant::now(),
            open: Vec::new(),
            own: HostTimes::default(),
            processor: thread_time(),
            spans: Vec::new(),
            last_end: 0,
        }
    }

    pub fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    pub fn begin(&mut self, work: HostWork) {
        let begin = self.now();
        self.open.push(Open { work, begin, inside: 0 });
    }

    /// Closes the innermost span of this work, and whatever an error has left open inside it.
    pub fn end(&mut self, work: HostWork, step: usize) {
        let end = self.now();
        let Some(place) = self.open.iter().rposition(|open| open.work == work) else { return };
        while self.open.len() > place {
            let Some(Open { work, begin, inside }) = self.open.pop() else { break };
            self.own[work as usize] += (end - begin).saturating_sub(inside);
            if let Some(around) = self.open.last_mut() {
                around.inside += end - begin;
            }
            if step < TRACED_STEPS {
                self.spans.push(Span { work, begin, end });
            }
        }
        self.last_end = end;
    }

    /// The cost since the last call.
    pub fn take_cost(&mut self) -> Cost {
        let now = thread_time();
        let processor = now.saturating_sub(std::mem::replace(&mut self.processor, now));
        Cost { work: std::mem::take(&mut self.own), processor }
    }
}

/// Nanoseconds that this thread has had a core.
#[cfg(unix)]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(time).map_or(0, |time| time.as_nanos() as u64)
}
#[cfg(not(unix))]
fn thread_time() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_without_those_inside_it() {
        let mut host = Host::new();
        host.begin(HostWork::Recording);
        host.begin(HostWork::Compiling);
        std::thread::sleep(std::time::Duration::from_millis(5));
        host.end(HostWork::Compiling, 0);
        host.end(HostWork::Recording, 0);
        let [compiling, recording] = [host.spans[0], host.spans[1]];
        assert_eq!((compiling.work, recording.work), (HostWork::Compiling, HostWork::Recording));
        assert!(recording.begin <= compiling.begin && compiling.end <= recording.end);
        let own = host.take_cost().work;
        assert_eq!(own[HostWork::Compiling as usize], compiling.end - compiling.begin);
        assert_eq!(
            own[HostWork::Recording as usize],
            recording.end - recording.begin - own[HostWork::Compiling as usize]
        );
        assert_eq!(host.take_cost().work, [0; 5]);
    }

    #[test]
    #[cfg(unix)]
    fn a_thread_that_sleeps_has_no_core() {
        let mut host = Host::new();
        host.take_cost();
        std::thread::sleep(std::time::Duration::from_millis(50));
        let slept = host.take_cost().processor;
        let begun = Instant::now();
        while begun.elapsed().as_millis() < 50 {
            std::hint::spin_loop();
        }
        let spun = host.take_cost().processor;
        assert!(slept < spun, "{slept} {spun}");
    }

    #[test]
    fn what_an_error_left_open_closes_with_what_is_around_it() {
        let mut host = Host::new();
        host.begin(HostWork::Recording);
        host.begin(HostWork::Uploading);
        host.end(HostWork::Recording, 0);
        host.end(HostWork::Waiting, 0);
        assert_eq!(host.spans.len(), 2);
        assert_eq!(host.spans[0].end, host.spans[1].end);
    }

    #[test]
    fn spans_are_kept_of_the_first_steps_only() {
        let mut host = Host::new();
        for step in 0..TRACED_STEPS + 5 {
            host.begin(HostWork::Uploading);
            host.end(HostWork::Uploading, step);
        }
        assert_eq!(host.spans.len(), TRACED_STEPS);
    }
}
