//! The convolution and its gradients as loops over their definition, in f64.

use super::Geometry;

/// Calls `visit` with the flat indices of (x, w, y) of every product in the sum.
fn products(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    for image in 0..g.batch {
        for i in 0..g.height {
            for j in 0..g.width {
                for ky in 0..g.kernel_height {
                    for kx in 0..g.kernel_width {
                        let (row, column) =
                            ((i + ky).wrapping_sub(g.pad_top()), (j + kx).wrapping_sub(g.pad_left()));
                        if row >= g.height || column >= g.width {
                            continue; // the border of zeros
                        }
                        for c in 0..g.in_channels {
                            for o in 0..g.out_channels {
                                let x = ((image * g.height + row) * g.width + column) * g.in_channels + c;
                                let w = ((ky * g.kernel_width + kx) * g.in_channels + c) * g.out_channels + o;
                                let y = ((image * g.height + i) * g.width + j) * g.out_channels + o;
                                visit(x, w, y);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// y = conv(x, w) + b, flat and row-major.
pub fn conv2d_reference(g: &Geometry, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let pixels = g.batch * g.height * g.width;
    let mut y: Vec<f64> = b.iter().copied().cycle().take(pixels * g.out_channels).collect();
    products(g, |at_x, at_w, at_y| y[at_y] += x[at_x] * w[at_w]);
    y
}

/// (∂L/∂x, ∂L/∂w, ∂L/∂b) from d = ∂L/∂y.
pub fn conv2d_backward_reference(g: &Geometry, x: &[f64], w: &[f64], d: &[f64]) -> [Vec<f64>; 3] {
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; g.out_channels]);
    products(g, |at_x, at_w, at_y| {
        dx[at_x] += w[at_w] * d[at_y];
        dw[at_w] += x[at_x] * d[at_y];
    });
    d.chunks(g.out_channels).for_each(|pixel| db.iter_mut().zip(pixel).for_each(|(sum, d)| *sum += d));
    [dx, dw, db]
}
