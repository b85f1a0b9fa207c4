// Rung 5 of the dense product, loads shared by a subgroup: eight terms of a row of a, for
// dense_product_by_lanes.wgsl. Each of eight neighbouring lanes loads one and all of them get all. All lanes of a workgroup work on the same rows, so subgroups may have any size
// from eight on; they are taken to hold a workgroup's invocations in their order.

fn eight(row: u32, k: u32, end: u32, lane: u32) -> mat2x4f {
  let mine = term_of_a(row, k + (lane & 7u), end);
  return mat2x4f(
    subgroupBroadcast(mine, 0u), subgroupBroadcast(mine, 1u), subgroupBroadcast(mine, 2u),
    subgroupBroadcast(mine, 3u), subgroupBroadcast(mine, 4u), subgroupBroadcast(mine, 5u),
    subgroupBroadcast(mine, 6u), subgroupBroadcast(mine, 7u));
}
