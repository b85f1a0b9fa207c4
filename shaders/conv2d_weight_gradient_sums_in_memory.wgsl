// The sums of Winograd's weight gradient as arrays in memory. conv2d_weight_gradient_sums.wgsl is the other way. Before
// conv2d_winograd_in_memory.wgsl.

// A row of the kernel for eight input channels.
alias AtPoint = array<Taps, 8>;

fn add(s: ptr<private, AtPoint>, r: Row, g: Gradients) {
  (*s)[0] = add_row((*s)[0], spread_0(r), g);
  (*s)[1] = add_row((*s)[1], spread_1(r), g);
  (*s)[2] = add_row((*s)[2], spread_2(r), g);
  (*s)[3] = add_row((*s)[3], spread_3(r), g);
  (*s)[4] = add_row((*s)[4], spread_4(r), g);
  (*s)[5] = add_row((*s)[5], spread_5(r), g);
  (*s)[6] = add_row((*s)[6], spread_6(r), g);
  (*s)[7] = add_row((*s)[7], spread_7(r), g);
}
fn add_all(r: RowsAt, g: GradientsAt) {
  add(&at_a, r.a, g.a);
  add(&at_minus_a, r.minus_a, g.minus_a);
  add(&at_b, r.b, g.b);
  add(&at_minus_b, r.minus_b, g.minus_b);
  add(&at_c, r.c, g.c);
  if KH > 3u { add(&at_minus_c, r.minus_c, g.minus_c); }
  if KH > 2u { add(&at_infinity, r.infinity, g.infinity); }
}

// Eight input channels from c on. Counted from 0 the loop would be unrolled, and all numbers known.
fn store_all(block: u32, c: u32, o: u32) {
  for (var channel = c; channel < min(c + 8u, CI); channel++) {
    let n = channel - c;
    store(block, channel, o, TapsAt(at_a[n], at_minus_a[n], at_b[n], at_minus_b[n], at_c[n], at_minus_c[n], at_infinity[n]));
  }
}
