// The sums of Winograd's forward kernel as single numbers, wherever the compiler has room for them.
// conv2d_winograd_sums_in_memory.wgsl is the other way.

struct Tile { left: Strip, right: Strip }
struct TilesAt { a: Tile, minus_a: Tile, b: Tile, minus_b: Tile, c: Tile, minus_c: Tile, infinity: Tile }
alias Sums = Matrix;
var<private> sums: TilesAt;

// A round's operands at a point: a channel's taps, those of the next channel, and a strip of pixels of both.
fn add_strip(sum: Strip, k: Taps, l: Taps, p: Pixels, q: Pixels) -> Strip {
  return Strip(
    Matrix(taps(sum.left[0], k, l, p.a, q.a), taps(sum.left[1], k, l, left_1(p), left_1(q)),
           taps(sum.left[2], k, l, left_2(p), left_2(q)), taps(sum.left[3], k, l, left_3(p), left_3(q))),
    Matrix(taps(sum.right[0], k, l, p.b, q.b), taps(sum.right[1], k, l, right_1(p), right_1(q)),
           taps(sum.right[2], k, l, right_2(p), right_2(q)), taps(sum.right[3], k, l, right_3(p), right_3(q))));
}
fn add_tile(sum: Tile, k: Taps, l: Taps, r: Row, f: Row, g: Row) -> Tile {
  return Tile(add_strip(sum.left, k, l, spread(r.x, r.y), spread(r.z, r.w)),
              add_strip(sum.right, k, l, spread_before(r.y, f.xyz), spread_before(r.w, g.xyz)));
}
fn add(k: TapsAt, l: TapsAt, rows: LoadedAt) {
  let r = rows.near;
  let f = rows.far;
  let g = rows.far_next;
  if KH > 2u { sums.infinity = add_tile(sums.infinity, k.infinity, l.infinity, r.infinity, f.infinity, g.infinity); }
  if KH > 3u { sums.minus_c = add_tile(sums.minus_c, k.minus_c, l.minus_c, r.minus_c, f.minus_c, g.minus_c); }
  sums.c = add_tile(sums.c, k.c, l.c, r.c, f.c, g.c);
  sums.a = add_tile(sums.a, k.a, l.a, r.a, f.a, g.a);
  sums.minus_a = add_tile(sums.minus_a, k.minus_a, l.minus_a, r.minus_a, f.minus_a, g.minus_a);
  sums.b = add_tile(sums.b, k.b, l.b, r.b, f.b, g.b);
  sums.minus_b = add_tile(sums.minus_b, k.minus_b, l.minus_b, r.minus_b, f.minus_b, g.minus_b);
}

// a + s·b, of four columns.
fn plus(a: Matrix, s: f32, b: Matrix) -> Matrix { return plus_columns(a, s, b); }

// The first four columns are used up: the others move up.
fn moved(t: Tile) -> Tile { return Tile(Strip(t.left.right, t.right.left), Strip(t.right.right, Matrix())); }

// The rows from i on and the columns from j on of a group of outputs, by four columns. Compiled for all sixteen, the end would be a
// third of what a driver for the processor takes its time over when it compiles the kernel; counted from 0 the loop would be unrolled.
fn store_tile(image: u32, i: u32, j: u32, group: u32, b: Outputs) {
  for (var column = j; column < min(j + 16u, WIDTH); column += 4u) {
    let four = finish(SumsAt(sums.a.left.left, sums.minus_a.left.left, sums.b.left.left, sums.minus_b.left.left,
                             sums.c.left.left, sums.minus_c.left.left, sums.infinity.left.left));
    store_cells(image, i, column, group, four.r0, four.r1, b);
    store_cells(image, i + 2u, column, group, four.r2, four.r3, b);
    sums = TilesAt(moved(sums.a), moved(sums.minus_a), moved(sums.b), moved(sums.minus_b), moved(sums.c), moved(sums.minus_c),
                   moved(sums.infinity));
  }
}
