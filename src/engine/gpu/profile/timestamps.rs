//! The device's side: two timestamps a dispatch, written as it runs and read when it is done.

use super::super::kernel::Dispatches;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::mpsc;

/// Dispatches of one query set: as many as any device allows.
const DISPATCHES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;
/// Bytes of the two timestamps of a dispatch.
const BYTES: usize = 2 * wgpu::QUERY_SIZE as usize;

/// Queries and the memory that they are read through; reused from step to step.
struct Set {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
    /// Dispatches timed in it.
    used: usize,
}

type Arrival = mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>;

/// The sets of one submission, with what it was.
struct Pending<T> {
    sets: Vec<(Set, Arrival)>,
    what: T,
}

/// Times dispatches; `T` says what a submission was.
pub(super) struct Timestamps<T> {
    /// Nanoseconds a tick.
    period: f64,
    /// The first tick there was, from which time is counted.
    first: Option<u64>,
    spare: Vec<Set>,
    /// Encoded, but not yet submitted.
    encoded: Vec<Set>,
    pending: VecDeque<Pending<T>>,
}

impl<T> Timestamps<T> {
    pub fn new(queue: &wgpu::Queue) -> Self {
        Timestamps {
            period: f64::from(queue.get_timestamp_period()),
            first: None,
            spare: Vec::new(),
            encoded: Vec::new(),
            pending: VecDeque::new(),
        }
    }

    /// Encodes dispatches, each as a pass of its own with a timestamp on either side.
    pub fn encode(
        &mut self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        dispatches: &impl Dispatches,
    ) {
        let count = dispatches.count();
        for first in (0..count).step_by(DISPATCHES) {
            let mut set = self.spare.pop().unwrap_or_else(|| Set::new(device));
            set.used = DISPATCHES.min(count - first);
            for i in 0..set.used {
                dispatches.before(first + i, encoder);
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: None,
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: &set.queries,
                        beginning_of_pass_write_index: Some(2 * i as u32),
                        end_of_pass_write_index: Some(2 * i as u32 + 1),
                    }),
                });
                dispatches.run(first + i, &mut pass);
            }
            encoder.resolve_query_set(&set.queries, 0..2 * set.used as u32, &set.resolved, 0);
            encoder.copy_buffer_to_buffer(&set.resolved, 0, &set.staging, 0, (set.used * BYTES) as u64);
            self.encoded.push(set);
        }
    }

    /// Starts to read what was encoded, now that it is submitted.
    pub fn submitted(&mut self, what: T) {
        let read = |set: Set| {
            let (sender, receiver) = mpsc::channel();
            set.staging.slice(..(set.used * BYTES) as u64).map_async(wgpu::MapMode::Read, move |result| {
                // The receiver is gone only with the device.
                let _ = sender.send(result);
            });
            (set, receiver)
        };
        let sets = self.encoded.drain(..).map(read).collect();
        self.pending.push_back(Pending { sets, what });
    }

    /// The oldest submission whose times have arrived: when each of its dispatches began and ended, in nanoseconds
    /// since the first one of all began.
    pub fn next(&mut self) -> Result<Option<(T, Vec<[u64; 2]>)>> {
        let failed = |message: String| Error::Gpu { message };
        let Some(front) = self.pending.front() else { return Ok(None) };
        // Sets arrive in order: with the last one, all are there.
        match front.sets.last().map(|(_, arrival)| arrival.try_recv()) {
            Some(Err(mpsc::TryRecvError::Empty)) => return Ok(None),
            Some(Err(e)) => return Err(failed(e.to_string())),
            Some(Ok(Err(e))) => return Err(failed(e.to_string())),
            Some(Ok(Ok(()))) | None => {}
        }
        let Some(Pending { sets, what }) = self.pending.pop_front() else { return Ok(None) };
        let mut times = Vec::new();
        for (set, _) in sets {
            let view = set
                .staging
                .slice(..(set.used * BYTES) as u64)
                .get_mapped_range()
                .map_err(|e| failed(e.to_string()))?;
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&view[..]);
            drop(view);
            set.staging.unmap();
            self.spare.push(set);
            times.extend(
                ticks.chunks_exact(2).map(|pair| [self.since_first(pair[0]), self.since_first(pair[1])]),
            );
        }
        Ok(Some((what, times)))
    }

    fn since_first(&mut self, ticks: u64) -> u64 {
        let first = *self.first.get_or_insert(ticks);
        (ticks.saturating_sub(first) as f64 * self.period) as u64
    }
}

impl Set {
    fn new(device: &wgpu::Device) -> Self {
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: (DISPATCHES * BYTES) as u64,
                usage,
                mapped_at_creation: false,
            })
        };
        Set {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * DISPATCHES as u32,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            staging: buffer(wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ),
            used: 0,
        }
    }
}
