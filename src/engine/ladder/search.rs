//! The fastest rung and tile for a pass of a layer.

use super::Work;
use super::stopwatch::{enough_launches, median, seconds};
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::tuning::Measured;
use crate::engine::gpu::{Choice, Pass, Rung, Tile};

/// A candidate whose first time is so much longer than the best one's is not timed again.
const HOPELESS: f64 = 1.5;
/// What replaces the default must be faster by more than times vary.
const CLEARLY: f64 = 0.95;

/// Every rung that takes a pass, the workgroup's in every tile.
fn candidates(gpu: &Gpu, work: &Work, pass: Pass) -> Vec<Choice> {
    let rungs = Rung::ALL.into_iter().filter(|&rung| work.fits(gpu, rung, pass));
    rungs
        .flat_map(|rung| match rung {
            Rung::WorkgroupTile => std::iter::once(rung.into())
                .chain(Tile::ALL.map(|t| Choice { rung, tile: Some(t) }))
                .collect(),
            _ => vec![Choice::from(rung)],
        })
        .collect()
}

/// Times all candidates for a pass, those near the best `repeats` times more in turn, and returns the fastest; the
/// default unless another is clearly faster.
///
/// # Errors
/// Whatever went wrong on the device.
pub fn fastest(gpu: &Gpu, work: &Work, pass: Pass, repeats: usize) -> Result<Measured> {
    let operands = work.operands(gpu)?;
    let default = work.choice(gpu, pass);
    let time = |choice: Choice, launches| seconds(gpu, launches, || work.run(gpu, choice, pass, &operands));
    // The default first: it is a good bar for the others.
    let mut order = candidates(gpu, work, pass);
    order.sort_by_key(|&choice| choice != default);
    let (mut best, mut kept) = (f64::INFINITY, Vec::new());
    for choice in order {
        time(choice, 1)?;
        let first = time(choice, 1)?;
        best = best.min(first);
        if first <= HOPELESS * best || choice == default {
            kept.push((choice, vec![first]));
        }
    }
    kept.retain(|(choice, times)| times[0] <= HOPELESS * best || *choice == default);
    let launches = enough_launches(best);
    for _ in 0..repeats {
        for (choice, times) in &mut kept {
            times.push(time(*choice, launches)?);
        }
    }
    // The first time, of a single launch, counts only where there is no other.
    let result = |times: &[f64]| median(if times.len() > 1 { &times[1..] } else { times });
    let of_default = kept.iter().find(|(choice, _)| *choice == default).map(|(_, times)| result(times));
    let winner = kept.iter().map(|(choice, times)| (*choice, result(times)));
    let (choice, seconds) = winner.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((default, f64::INFINITY));
    let (choice, seconds) = match of_default {
        Some(usual) if seconds > CLEARLY * usual => (default, usual),
        _ => (choice, seconds),
    };
    let gflops = work.operations() / seconds / 1e9;
    let Choice { rung, tile } = choice;
    Ok(Measured { weights: work.weights(), pass, rows: work.rows(), rung, tile, gflops })
}
