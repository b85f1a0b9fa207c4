// What the weight gradients of shared rows have in common: the gradients of eight outputs, and what they and a row of pixels
// give to a row of the kernel. Before it comes conv2d_weight_gradient_pixels*.wgsl, which loads the pixels, of eight input
// channels at a time, and spreads them.

// The gradients of eight outputs of a row, a column each.
struct Gradients { near: Matrix, far: Matrix }

// A row of pixels and the gradients of eight outputs on a row of the kernel.
fn add_row(sum: Taps, p: Pixels, g: Gradients) -> Taps {
  var s = sum;
  s.k0 = multiply_add(g.far, p.b, multiply_add(g.near, p.a, sum.k0));
  if KW > 1u { s.k1 = multiply_add(g.far, right_1(p), multiply_add(g.near, left_1(p), sum.k1)); }
  if KW > 2u { s.k2 = multiply_add(g.far, right_2(p), multiply_add(g.near, left_2(p), sum.k2)); }
  if KW > 3u { s.k3 = multiply_add(g.far, right_3(p), multiply_add(g.near, left_3(p), sum.k3)); }
  return s;
}

// A row of the kernel of one input channel, in its place.
fn store_row(block: u32, ky: u32, c: u32, o: u32, sum: Taps) {
  let at = (block * KH + ky) * KW * CI * (CO / OUTPUTS) + c * (CO / OUTPUTS) + o;
  let next = CI * (CO / OUTPUTS);
  p[at] = sum.k0;
  if KW > 1u { p[at + next] = sum.k1; }
  if KW > 2u { p[at + 2u * next] = sum.k2; }
  if KW > 3u { p[at + 3u * next] = sum.k3; }
}
