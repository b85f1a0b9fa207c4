// The way back through 2×2 max-pooling: a cell's gradient goes to the element that was the largest,
// the first of equals in row order; every other element gets 0. With RECTIFY = 1 so does the largest
// where it is not positive. After numbers_one.wgsl and max_pool_cells.wgsl.
//
//   x    [B][H][W][C], the input of the pooling
//
// Dispatch: (⌈⌈W/2⌉·C / 64⌉, ⌈H/2⌉, B).

override RECTIFY: u32;

@group(0) @binding(1) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if !has_cell(id) { return; }
  let cell = cell_of(id);
  var values = vec4f();
  if is_whole(cell) {
    let step = given.channels;
    let v = vec4f(x[cell.top], x[cell.top + step], x[cell.bottom], x[cell.bottom + step]);
    let largest = max(max(v.x, v.y), max(v.z, v.w));
    let is = v == vec4f(largest);
    let first = vec4<bool>(is.x, is.y && !is.x, is.z && !(is.x || is.y), !(is.x || is.y || is.z));
    let passes = RECTIFY == 0u || !(largest <= 0.0);
    values = select(vec4f(), vec4f(g[cell.output]), first & vec4<bool>(passes));
  }
  put(cell, Values(values.x, values.y, values.z, values.w));
}
