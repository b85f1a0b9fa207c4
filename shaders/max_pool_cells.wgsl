// What the ways back through 2×2 max-pooling have in common: which cell an invocation has, and to write its gradient.
//
//   g    [B][⌊H/2⌋][⌊W/2⌋][C/NUMBERS] Stored
//   dx   [B][H][W][C/NUMBERS] Stored
//
// One invocation a cell and channel, over the ⌈H/2⌉×⌈W/2⌉ cells that cover x: one that sticks out of an odd edge
// had no output and writes zeros to what it has of x. Each element of dx is written once, so nothing is cleared
// first and nothing is atomic. Lanes run over channels as in max_pool.wgsl. After numbers_one.wgsl, or after
// numbers_two.wgsl for two channels at once. `channels` is C/NUMBERS.
// Dispatch: (⌈⌈W/2⌉·C/NUMBERS / 64⌉, ⌈H/2⌉, B).

struct Immediates { height: u32, width: u32, channels: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;

// Where a cell's left elements are in x and dx, which of its others there are, and where its output is in g.
struct Cell { top: u32, bottom: u32, has_right: bool, has_bottom: bool, output: u32 }

// Whether the invocation has a cell at all.
fn has_cell(id: vec3u) -> bool {
  return 2u * (id.x / given.channels) < given.width;
}

fn cell_of(id: vec3u) -> Cell {
  let step = given.channels;
  let column = id.x / step;
  let top = (id.z * given.height + 2u * id.y) * (given.width * step) + id.x + column * step;
  return Cell(top, top + given.width * step, 2u * column + 1u < given.width, 2u * id.y + 1u < given.height,
              (id.z * (given.height / 2u) + id.y) * (given.width / 2u * step) + id.x);
}

fn is_whole(cell: Cell) -> bool {
  return cell.has_right && cell.has_bottom;
}

// What the elements of a cell get: top left, top right, bottom left, bottom right.
struct Values { a: Numbers, b: Numbers, c: Numbers, d: Numbers }
fn put(cell: Cell, values: Values) {
  dx[cell.top] = stored(values.a);
  if cell.has_right { dx[cell.top + given.channels] = stored(values.b); }
  if cell.has_bottom { dx[cell.bottom] = stored(values.c); }
  if is_whole(cell) { dx[cell.bottom + given.channels] = stored(values.d); }
}
