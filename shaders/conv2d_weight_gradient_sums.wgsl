// The sums of Winograd's weight gradient as single numbers, wherever the compiler has room for them.
// conv2d_weight_gradient_sums_in_memory.wgsl is the other way.

// A row of the kernel for eight input channels.
struct Channels { c0: Taps, c1: Taps, c2: Taps, c3: Taps, c4: Taps, c5: Taps, c6: Taps, c7: Taps }
struct ChannelsAt { a: Channels, minus_a: Channels, b: Channels, minus_b: Channels, c: Channels, minus_c: Channels, infinity: Channels }
var<private> sums: ChannelsAt;

fn add(s: Channels, r: Row, g: Gradients) -> Channels {
  return Channels(add_row(s.c0, spread_0(r), g), add_row(s.c1, spread_1(r), g), add_row(s.c2, spread_2(r), g),
                  add_row(s.c3, spread_3(r), g), add_row(s.c4, spread_4(r), g), add_row(s.c5, spread_5(r), g),
                  add_row(s.c6, spread_6(r), g), add_row(s.c7, spread_7(r), g));
}

fn add_all(r: RowsAt, g: GradientsAt) {
  sums.a = add(sums.a, r.a, g.a);
  sums.minus_a = add(sums.minus_a, r.minus_a, g.minus_a);
  sums.b = add(sums.b, r.b, g.b);
  sums.minus_b = add(sums.minus_b, r.minus_b, g.minus_b);
  sums.c = add(sums.c, r.c, g.c);
  if KH > 3u { sums.minus_c = add(sums.minus_c, r.minus_c, g.minus_c); }
  if KH > 2u { sums.infinity = add(sums.infinity, r.infinity, g.infinity); }
}

// Eight input channels from c on.
fn store_all(block: u32, c: u32, o: u32) {
  let s = sums;
  store(block, c, o, TapsAt(s.a.c0, s.minus_a.c0, s.b.c0, s.minus_b.c0, s.c.c0, s.minus_c.c0, s.infinity.c0));
  store(block, c + 1u, o, TapsAt(s.a.c1, s.minus_a.c1, s.b.c1, s.minus_b.c1, s.c.c1, s.minus_c.c1, s.infinity.c1));
  store(block, c + 2u, o, TapsAt(s.a.c2, s.minus_a.c2, s.b.c2, s.minus_b.c2, s.c.c2, s.minus_c.c2, s.infinity.c2));
  store(block, c + 3u, o, TapsAt(s.a.c3, s.minus_a.c3, s.b.c3, s.minus_b.c3, s.c.c3, s.minus_c.c3, s.infinity.c3));
  store(block, c + 4u, o, TapsAt(s.a.c4, s.minus_a.c4, s.b.c4, s.minus_b.c4, s.c.c4, s.minus_c.c4, s.infinity.c4));
  store(block, c + 5u, o, TapsAt(s.a.c5, s.minus_a.c5, s.b.c5, s.minus_b.c5, s.c.c5, s.minus_c.c5, s.infinity.c5));
  store(block, c + 6u, o, TapsAt(s.a.c6, s.minus_a.c6, s.b.c6, s.minus_b.c6, s.c.c6, s.minus_c.c6, s.infinity.c6));
  store(block, c + 7u, o, TapsAt(s.a.c7, s.minus_a.c7, s.b.c7, s.minus_b.c7, s.c.c7, s.minus_c.c7, s.infinity.c7));
}
