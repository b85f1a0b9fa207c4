// The way back through 2×2 max-pooling whose largest elements are known: a cell's gradient goes to the element that
// `places` names, and every other gets 0. After numbers_one.wgsl, or numbers_two.wgsl and words.wgsl, and
// max_pool_cells.wgsl.
//
//   places  [B][⌊H/2⌋][⌊W/2⌋][C/OUTPUTS] words, a byte for each of OUTPUTS channels, the first in the lowest: 0 to 3
//           for top left, top right, bottom left, bottom right. C is a multiple of OUTPUTS, so that words and bytes are
//           counted through all cells
//
// Dispatch: (⌈⌈W/2⌉·C/NUMBERS / 64⌉, ⌈H/2⌉, B).

override OUTPUTS: u32;

@group(0) @binding(1) var<storage, read> places: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if !has_cell(id) { return; }
  let cell = cell_of(id);
  var values = Values();
  if is_whole(cell) {
    let channel = cell.output * NUMBERS;
    let bytes = places[channel / OUTPUTS] >> (8u * (channel % OUTPUTS));
    let place = (Wholes(bytes) >> Wholes(BYTE)) & Wholes(3u);
    let gradient = loaded(g[cell.output]);
    values = Values(select(Numbers(), gradient, place == Wholes(0u)), select(Numbers(), gradient, place == Wholes(1u)),
                    select(Numbers(), gradient, place == Wholes(2u)), select(Numbers(), gradient, place == Wholes(3u)));
  }
  put(cell, values);
}
