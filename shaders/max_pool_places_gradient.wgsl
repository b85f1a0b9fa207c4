// The way back through 2×2 max-pooling whose largest elements are known: a cell's gradient goes to the element that
// `places` names, and every other gets 0.
//
//   g       [B][⌊H/2⌋][⌊W/2⌋][C]
//   places  [B][⌊H/2⌋][⌊W/2⌋][C/OUTPUTS] words, a byte for each of OUTPUTS channels, the first in the lowest: 0 to 3
//           for top left, top right, bottom left, bottom right
//   dx      [B][H][W][C]
//
// One invocation a cell and channel, over the ⌈H/2⌉×⌈W/2⌉ cells that cover x, as in max_pool_gradient.wgsl.
// Dispatch: (⌈⌈W/2⌉·C / 64⌉, ⌈H/2⌉, B).

override OUTPUTS: u32;

struct Immediates { height: u32, width: u32, channels: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let step = given.channels;
  let column = id.x / step;
  if 2u * column >= given.width { return; }
  let in_row = given.width * step;
  let top = (id.z * given.height + 2u * id.y) * in_row + id.x + column * step;
  let bottom = top + in_row;
  let has_right = 2u * column + 1u < given.width;
  let has_bottom = 2u * id.y + 1u < given.height;
  var cell = vec4f();                                  // top left, top right, bottom left, bottom right
  if has_right && has_bottom {
    let at = (id.z * (given.height / 2u) + id.y) * (given.width / 2u * step) + id.x;
    // C is a multiple of OUTPUTS, so that words and bytes are counted through all cells.
    let place = places[at / OUTPUTS] >> (8u * (at % OUTPUTS)) & 3u;
    cell = select(vec4f(), vec4f(g[at]), vec4u(0u, 1u, 2u, 3u) == vec4u(place));
  }
  dx[top] = cell.x;
  if has_right { dx[top + step] = cell.y; }
  if has_bottom { dx[bottom] = cell.z; }
  if has_right && has_bottom { dx[bottom + step] = cell.w; }
}
