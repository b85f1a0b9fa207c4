//! A convolution's sizes as its kernels see them, which rung takes which, and how output channels are divided among
//! lanes.

use super::Geometry;
use crate::engine::Gpu;
use crate::engine::gpu::{Pass, Rung};

/// Lanes that share the loads of a row: what the broadcast kernels assume of a subgroup.
pub(super) const SHARED_LANES: usize = 8;
/// Widest kernel whose windows are held in registers.
const WIDEST_WINDOW: u32 = 4;
/// Output rows that Winograd's kernels take together.
pub(super) const ROWS_WINOGRAD: usize = 4;
/// Most taps of a kernel that shared rows take two channels at a time of, so that its text is compiled in a second.
const MOST_TAPS_SHARED: u32 = 4;
/// Rows and columns of the tiles of shared rows.
pub(super) const SHARED_ROWS_TILE: [u32; 2] = [8, 8];
/// The same of Winograd's forward kernel.
pub(super) const WINOGRAD_TILE: [u32; 2] = [ROWS_WINOGRAD as u32, 16];
/// Input channels that are so few that a kernel's loop over them is soon over.
const FEW_CHANNELS: u32 = 4;
/// Input channels that leave half of what the weight gradients of shared rows load together to nobody.
const HALF_OF_SHARED: u32 = 4;
/// Lanes × tiles of a workgroup.
const WORKGROUP: usize = 64;
/// Numbers of a uniform buffer with weights, 64 KiB: the shaders' array of 4,096 elements of 16 bytes.
pub(super) const SLAB: usize = 1 << 14;

/// Smallest and largest subgroup of a device, where kernels may use them.
pub(super) type Subgroups = Option<(u32, u32)>;

/// How the kernels of register tiles divide the output channels among lanes.
pub(super) struct Tiling {
    /// Index into a [`super::kernels::ByWidth`].
    pub(super) which: usize,
    /// Output channels of an invocation.
    pub(super) outputs: usize,
    pub(super) lanes: usize,
    /// Rows of lanes in a workgroup.
    pub(super) rows: usize,
}

impl Tiling {
    /// One row of lanes for an even number of output channels, at most `most` of them an invocation; fewer where a
    /// subgroup would not have work for all its lanes.
    fn in_one_row(out_channels: usize, most: usize) -> Self {
        let enough = out_channels.is_multiple_of(4) && out_channels >= 4 * SHARED_LANES;
        let outputs = if enough { most } else { 2 };
        let lanes = (out_channels / outputs).next_multiple_of(SHARED_LANES).min(WORKGROUP);
        Tiling { which: outputs / 4, outputs, lanes, rows: 1 }
    }

    /// For an even number of output channels. `widest` is the largest subgroup where it matters that none spans two
    /// rows of lanes, which work on different tiles: then there is more than one row only where it divides a row.
    fn of(out_channels: usize, widest: Option<usize>) -> Self {
        let row = Self::in_one_row(out_channels, 4);
        let apart = widest.is_none_or(|widest| row.lanes.is_multiple_of(widest));
        let rows = if apart { (WORKGROUP / row.lanes).max(1) } else { 1 };
        Tiling { rows, ..row }
    }

    /// For the broadcast kernels; `None` where they cannot run: no subgroups, too narrow ones, or channels that do not
    /// divide.
    pub(super) fn of_subgroups(subgroups: Subgroups, out_channels: usize) -> Option<Self> {
        let (least, most) = subgroups?;
        let fits = least as usize >= SHARED_LANES && out_channels.is_multiple_of(2);
        fits.then(|| Self::of(out_channels, Some(most as usize)))
    }

    /// For the kernels of shared rows and Winograd's, which run where [`Tiling::of_subgroups`] is something: two output
    /// channels an invocation. With four, the sums of a tile are too many even for a processor's nearest cache.
    pub(super) fn of_shared_rows(out_channels: usize) -> Self {
        Self::in_one_row(out_channels, 2)
    }

    /// For kernels without subgroups. On a processor one row, so that the pixels' addresses are seen not to depend on
    /// the lane; a GPU wants its workgroups full.
    pub(super) fn of_registers(software: bool, out_channels: usize) -> Self {
        let tiling = Self::of(out_channels, None);
        if software { Tiling { rows: 1, ..tiling } } else { tiling }
    }

    /// That of a rung with tiles of its own, which the first two rungs and the workgroup's tile have not: of the way
    /// forward, and of the weights' gradient but for the register tile's.
    pub(super) fn of_rung(rung: Rung, gpu: &Gpu, out_channels: usize) -> Self {
        match rung {
            Rung::SharedRows | Rung::Winograd => Self::of_shared_rows(out_channels),
            // Where it fits there is one for subgroups; without them the kernel could not be built.
            Rung::Broadcast => Self::of_subgroups(gpu.subgroup_sizes(), out_channels)
                .unwrap_or_else(|| Self::of_registers(true, out_channels)),
            _ => Self::of_registers(gpu.is_software(), out_channels),
        }
    }

    /// Workgroups along the output channels.
    pub(super) fn groups(&self, out_channels: usize) -> usize {
        (out_channels / self.outputs).div_ceil(self.lanes)
    }
}

/// How weights are laid out in uniform buffers of [`SLAB`] numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slabs {
    pub(super) count: usize,
    /// Lanes whose weights are in each, of two output channels.
    pub(super) lanes: usize,
}

/// A convolution's sizes as the kernels' constants; the padding is that of the way forward or back.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) ci: u32,
    pub(super) co: u32,
    pub(super) kh: u32,
    pub(super) kw: u32,
    pub(super) pad_top: u32,
    pub(super) pad_left: u32,
}

impl Sizes {
    pub(super) fn of(g: &Geometry) -> Self {
        Sizes {
            height: g.height as u32,
            width: g.width as u32,
            ci: g.in_channels as u32,
            co: g.out_channels as u32,
            kh: g.kernel_height as u32,
            kw: g.kernel_width as u32,
            pad_top: g.pad_top() as u32,
            pad_left: g.pad_left() as u32,
        }
    }

    /// Of the convolution that takes the gradient of the output to that of the input.
    pub(super) fn back(self) -> Self {
        Sizes {
            ci: self.co,
            co: self.ci,
            pad_top: self.kh - 1 - self.pad_top,
            pad_left: self.kw - 1 - self.pad_left,
            ..self
        }
    }

    pub(super) fn constants(&self) -> Vec<(&'static str, u32)> {
        let mut constants = self.constants_of_one_channel();
        constants.push(("CI", self.ci));
        constants
    }

    pub(super) fn constants_of_one_channel(&self) -> Vec<(&'static str, u32)> {
        vec![
            ("HEIGHT", self.height),
            ("WIDTH", self.width),
            ("CO", self.co),
            ("KH", self.kh),
            ("KW", self.kw),
            ("PAD_TOP", self.pad_top),
            ("PAD_LEFT", self.pad_left),
        ]
    }

    /// Whether a rung's kernel can make these sizes' outputs.
    pub(super) fn forward_fits(&self, rung: Rung, subgroups: Subgroups) -> bool {
        let by_fours = self.ci.is_multiple_of(4);
        match rung {
            Rung::Naive => true,
            Rung::Vectors => by_fours && self.co.is_multiple_of(4),
            Rung::RegisterTile => {
                self.co.is_multiple_of(2) && (by_fours || self.ci == 1 && self.kw <= WIDEST_WINDOW)
            }
            Rung::WorkgroupTile => self.co.is_multiple_of(4),
            Rung::Broadcast => {
                (by_fours || self.ci == 1)
                    && self.kw <= WIDEST_WINDOW
                    && Tiling::of_subgroups(subgroups, self.co as usize).is_some()
            }
            // Images of half a tile or less would leave most of it unused.
            Rung::SharedRows => {
                self.kw.max(self.kh) <= WIDEST_WINDOW
                    && self.height.min(self.width) > SHARED_ROWS_TILE[0] / 2
                    && Tiling::of_subgroups(subgroups, self.co as usize).is_some()
            }
            Rung::Winograd => self.width > WINOGRAD_TILE[1] / 2 && self.winograd_fits(subgroups),
        }
    }

    /// Whether these are sizes for any of Winograd's kernels.
    fn winograd_fits(&self, subgroups: Subgroups) -> bool {
        matches!(self.kh, 2..=4) && self.forward_fits(Rung::SharedRows, subgroups)
    }

    /// Which of the forms of Winograd's kernels, as [`super::kernels`] lists them: what is loaded and stored as words of two
    /// numbers, and where sums are. Pixels can only be words where their channels are even in number. With few channels the
    /// end of a kernel counts for more than its loop, and single numbers are the faster way out of it.
    pub(super) fn winograd_form(&self, gpu: &Gpu) -> usize {
        let in_memory = gpu.has_sums_in_memory() && self.ci > FEW_CHANNELS;
        match (gpu.uses_words(), in_memory, self.ci.is_multiple_of(2)) {
            (false, _, _) => 0,
            (true, false, false) => 1,
            (true, false, true) => 2,
            (true, true, false) => 3,
            (true, true, true) => 4,
        }
    }

    /// How Winograd's forward kernel has its weights in uniform buffers, and the pixels of a batch in a texture, where it should: on
    /// a device on which that pays, for channels even in number. `None`, too, where a buffer does not hold the weights of eight
    /// lanes, or a texture the pixels.
    pub(super) fn slabs(&self, gpu: &Gpu, batch: usize) -> Option<Slabs> {
        let room = gpu.limits().max_uniform_buffer_binding_size >= 4 * SLAB as u64;
        let pixels = [self.height, self.width, self.ci].map(|n| n as usize).iter().product::<usize>();
        (gpu.reads_textures(batch * pixels) && room && self.ci.is_multiple_of(2))
            .then(|| self.divided())
            .flatten()
    }

    /// As few buffers as hold the weights, all with as many lanes.
    fn divided(&self) -> Option<Slabs> {
        let [kh, kw, ci, co] = [self.kh, self.kw, self.ci, self.co].map(|n| n as usize);
        let eights = co.div_ceil(2 * SHARED_LANES);
        let most = (SLAB / (kh * kw * ci * 2 * SHARED_LANES)).min(WORKGROUP / SHARED_LANES);
        let together = (1..=most).rev().find(|&n| eights.is_multiple_of(n))?;
        Some(Slabs { count: eights / together, lanes: together * SHARED_LANES })
    }

    /// Input channels that a round of Winograd's forward kernel takes.
    pub(super) fn channels_of_winograd(&self) -> u32 {
        if self.ci.is_multiple_of(2) { 2 } else { 1 }
    }

    /// Input channels that a round of the forward kernel of shared rows takes.
    pub(super) fn channels_of_shared_rows(&self) -> u32 {
        if self.ci.is_multiple_of(2) && self.kh * self.kw <= MOST_TAPS_SHARED { 2 } else { 1 }
    }

    /// Whether a rung's kernel can make the gradient of these sizes' weights.
    pub(super) fn weight_gradient_fits(&self, rung: Rung, subgroups: Subgroups) -> bool {
        let windows = self.kw <= WIDEST_WINDOW && (self.kh <= WIDEST_WINDOW || self.ci != 1);
        match rung {
            Rung::RegisterTile => self.forward_fits(rung, subgroups) && windows,
            Rung::Broadcast => self.forward_fits(rung, subgroups) && windows && self.kh <= WIDEST_WINDOW,
            // Eight channels in at a time.
            Rung::SharedRows | Rung::Winograd if self.ci <= HALF_OF_SHARED => false,
            Rung::Winograd => self.winograd_fits(subgroups),
            _ => self.forward_fits(rung, subgroups),
        }
    }
}

/// Whether a rung has a kernel for a pass of a convolution, on a device whose smallest and largest subgroups are
/// `subgroups` (`None`: it has none).
///
/// With CI and CO the channels in and out (exchanged for the input gradient):
///
/// | rung | CI | CO | kernel | subgroups |
/// |---|---|---|---|---|
/// | naive | any | any | any | – |
/// | vectors | ×4 | ×4 | any | – |
/// | register tile | ×4, or 1 | ×2 | any; for the weight gradient at most 4 wide; for CI = 1 at most 4 wide, and 4 high for the weight gradient | – |
/// | workgroup tile | any | ×4 | any | – |
/// | broadcast | ×4, or 1 | ×2 | at most 4 wide; for the weight gradient also 4 high | of at least 8 lanes |
/// | shared rows | any; for the weight gradient more than 4 | ×2 | at most 4 wide and high; images of at least 5×5 pixels | of at least 8 lanes |
/// | winograd | as shared rows | ×2 | as shared rows, and at least 2 high; images more than 8 wide, but for the weight gradient | of at least 8 lanes |
///
/// There are no vectors of one channel: the first layer of a network has no second rung.
pub fn fits(rung: Rung, pass: Pass, geometry: &Geometry, subgroups: Option<(u32, u32)>) -> bool {
    let sizes = Sizes::of(geometry);
    match pass {
        Pass::Forward => sizes.forward_fits(rung, subgroups),
        Pass::InputGradient => sizes.back().forward_fits(rung, subgroups),
        Pass::WeightGradient => sizes.weight_gradient_fits(rung, subgroups),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Geometry;
    use super::{Sizes, Slabs, Tiling};

    #[test]
    fn weights_are_divided_among_as_few_buffers_as_hold_them() {
        let slabs = |kernel: usize, in_channels: usize, out_channels: usize| {
            let (batch, height, width) = (1, 32, 32);
            let (kernel_height, kernel_width) = (kernel, kernel);
            Sizes::of(&Geometry {
                batch,
                height,
                width,
                in_channels,
                out_channels,
                kernel_height,
                kernel_width,
            })
            .divided()
        };
        let of = |count, lanes| Some(Slabs { count, lanes });
        assert_eq!(slabs(4, 16, 16), of(1, 8));
        assert_eq!(slabs(4, 32, 32), of(1, 16));
        assert_eq!(slabs(3, 64, 64), of(4, 8));
        assert_eq!(slabs(2, 128, 128), of(4, 16));
        // Three times sixteen channels, of which two would fit together; one and a bit.
        assert_eq!(slabs(4, 32, 48), of(3, 8));
        assert_eq!(slabs(2, 6, 18), of(1, 16));
        // More than the lanes of a workgroup; more than a buffer holds for eight.
        assert_eq!(slabs(2, 2, 256), of(2, 64));
        assert_eq!(slabs(4, 66, 16), None);
    }

    #[test]
    fn lanes_never_share_a_row_of_pixels_across_tiles() {
        for (least, most) in [(8, 8), (32, 32), (32, 64), (8, 32), (64, 64), (8, 128)] {
            for out_channels in (2..300).step_by(2) {
                let tiling = Tiling::of_subgroups(Some((least, most)), out_channels).expect("wide enough");
                assert!(tiling.lanes.is_multiple_of(8));
                assert!(tiling.rows == 1 || tiling.lanes.is_multiple_of(most as usize));
            }
        }
        assert!(Tiling::of_subgroups(Some((4, 64)), 16).is_none());
        assert!(Tiling::of_subgroups(None, 16).is_none());
        assert!(Tiling::of_subgroups(Some((8, 8)), 7).is_none());
    }
}
