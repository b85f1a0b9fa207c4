// Rung 3 of the dense product, a tile of outputs in registers: eight terms of a row of a, for
// dense_product_by_lanes.wgsl. Every lane loads all of them, from the same addresses; that works
// everywhere, also where subgroups are missing or narrower than eight.

fn eight(row: u32, k: u32, end: u32, lane: u32) -> mat2x4f {
  return mat2x4f(
    term_of_a(row, k, end), term_of_a(row, k + 1u, end), term_of_a(row, k + 2u, end),
    term_of_a(row, k + 3u, end), term_of_a(row, k + 4u, end), term_of_a(row, k + 5u, end),
    term_of_a(row, k + 6u, end), term_of_a(row, k + 7u, end));
}
