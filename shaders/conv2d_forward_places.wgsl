// Pooling that goes back: where the largest of a cell was, a byte each, 0 to 3 in row order.
//
//   places [N][⌊HEIGHT/2⌋][⌊WIDTH/2⌋][CO/OUTPUTS] words, the first output in the lowest byte

@group(0) @binding(4) var<storage, read_write> places: array<u32>;

fn keep_places(at: u32, found: Places) {
  places[at] = dot(found, BYTES);
}
