// The way back through 2×2 max-pooling: a cell's gradient goes to the element that was the largest,
// the first of equals in row order; every other element gets 0. With RECTIFY = 1 so does the largest
// where it is not positive.
//
//   g    [B][⌊H/2⌋][⌊W/2⌋][C]
//   x    [B][H][W][C], the input of the pooling
//   dx   [B][H][W][C]
//
// One invocation a cell and channel, over the ⌈H/2⌉×⌈W/2⌉ cells that cover x: one that sticks out
// of an odd edge had no output and writes zeros to what it has of x. Each element of dx is written
// once, so nothing is cleared first and nothing is atomic. Lanes run over channels as in
// max_pool.wgsl. Dispatch: (⌈⌈W/2⌉·C / 64⌉, ⌈H/2⌉, B).

override RECTIFY: u32;

struct Immediates { height: u32, width: u32, channels: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
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
    let v = vec4f(x[top], x[top + step], x[bottom], x[bottom + step]);
    let d = g[(id.z * (given.height / 2u) + id.y) * (given.width / 2u * step) + id.x];
    let largest = max(max(v.x, v.y), max(v.z, v.w));
    let is = v == vec4f(largest);
    let first = vec4<bool>(is.x, is.y && !is.x, is.z && !(is.x || is.y), !(is.x || is.y || is.z));
    let passes = RECTIFY == 0u || !(largest <= 0.0);
    cell = select(vec4f(), vec4f(d), first & vec4<bool>(passes));
  }
  dx[top] = cell.x;
  if has_right { dx[top + step] = cell.y; }
  if has_bottom { dx[bottom] = cell.z; }
  if has_right && has_bottom { dx[bottom + step] = cell.w; }
}
