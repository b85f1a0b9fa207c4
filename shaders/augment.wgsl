// Stamps flipped, zoomed and shifted, by bilinear interpolation with zeros outside:
//
//   out[i](p) = in[i](c + (p − c − shift)·scale)·factor,   c = ((W − 1)/2, (H − 1)/2)
//
//   stamps, out   [B][H][W]
//   placements    [B] × 5: shift x, shift y (pixels), scale x, scale y (±1/zoom), factor (1/zoom²)
//
// p = (column, row). One invocation an output pixel, lanes along a row. Without zoom and with whole
// shifts the weights are exactly 0 and 1. Dispatch: (⌈W/64⌉, H, B). Bound by memory: at zoom near 1
// neighbouring lanes read neighbouring pixels.

struct Immediates { height: u32, width: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> stamps: array<f32>;
@group(0) @binding(1) var<storage, read> placements: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

// A pixel of a stamp whose first one is at `first`, or 0 outside.
fn pixel(first: u32, x: i32, y: i32) -> f32 {
  let last = vec2i(i32(given.width), i32(given.height)) - 1;
  let inside = x >= 0 && y >= 0 && x <= last.x && y <= last.y;
  let at = first + u32(clamp(y, 0, last.y)) * given.width + u32(clamp(x, 0, last.x));
  return select(0.0, stamps[at], inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= given.width { return; }
  let size = vec2f(f32(given.width), f32(given.height));
  let place = 5u * id.z;
  let shift = vec2f(placements[place], placements[place + 1u]);
  let scale = vec2f(placements[place + 2u], placements[place + 3u]);
  let centre = 0.5 * (size - 1.0);
  let from_centre = vec2f(f32(id.x), f32(id.y)) - centre;
  // Two pixels outside everything is 0 as well, and stays within the range of i32.
  let source = clamp(centre + (from_centre - shift) * scale, vec2f(-2.0), size + 1.0);
  let corner = floor(source);
  let weight = source - corner;
  let x = i32(corner.x);
  let y = i32(corner.y);
  let first = id.z * given.height * given.width;
  let upper = mix(pixel(first, x, y), pixel(first, x + 1, y), weight.x);
  let lower = mix(pixel(first, x, y + 1), pixel(first, x + 1, y + 1), weight.x);
  out[first + id.y * given.width + id.x] = mix(upper, lower, weight.y) * placements[place + 4u];
}
