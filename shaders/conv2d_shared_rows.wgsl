// What the kernels of shared rows have in common: a row of eleven pixels of one channel, which eight
// outputs and kernels of up to four columns need, each number the same in every lane; and a row of
// the kernel for the output channels of a lane.

struct Pixels { a: vec4f, b: vec4f, c: vec3f }
struct Taps { k0: Outputs, k1: Outputs, k2: Outputs, k3: Outputs }
// The rows of the kernel, the last one in r3: r2 is there where KH > 1, and so on.
struct Kernel { r0: Taps, r1: Taps, r2: Taps, r3: Taps }

// A row from its first eight pixels, a lane each, and its last three.
fn spread_before(near: f32, last: vec3f) -> Pixels {
  return Pixels(
    vec4f(subgroupBroadcast(near, 0u), subgroupBroadcast(near, 1u), subgroupBroadcast(near, 2u), subgroupBroadcast(near, 3u)),
    vec4f(subgroupBroadcast(near, 4u), subgroupBroadcast(near, 5u), subgroupBroadcast(near, 6u), subgroupBroadcast(near, 7u)),
    last);
}
// The same with the last three in lanes 0 to 2 of another number.
fn spread(near: f32, far: f32) -> Pixels {
  return spread_before(near, vec3f(subgroupBroadcast(far, 0u), subgroupBroadcast(far, 1u), subgroupBroadcast(far, 2u)));
}

// Four pixels from pixel 1, 2 or 3 on, and from 5, 6 or 7.
fn left_1(p: Pixels) -> vec4f { return vec4f(p.a.yzw, p.b.x); }
fn left_2(p: Pixels) -> vec4f { return vec4f(p.a.zw, p.b.xy); }
fn left_3(p: Pixels) -> vec4f { return vec4f(p.a.w, p.b.xyz); }
fn right_1(p: Pixels) -> vec4f { return vec4f(p.b.yzw, p.c.x); }
fn right_2(p: Pixels) -> vec4f { return vec4f(p.b.zw, p.c.xy); }
fn right_3(p: Pixels) -> vec4f { return vec4f(p.b.w, p.c); }
