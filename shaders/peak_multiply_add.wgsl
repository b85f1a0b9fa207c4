// How fast the device multiplies and adds when it does nothing else:
//
//   v ← v·a + b,  again and again
//
//   x   [2]              a and b, from memory so that no compiler knows them
//   y   [invocations]    a sum of all v, so that none is left out
//
// An invocation keeps three vec4s in registers, few enough for any device. Each step of a chain waits for
// the one before it, but the chains and their components do not wait for one another: twelve
// multiply-adds are always ready, as many as a processor or a GPU has in flight for one invocation. A
// round is 8 steps: 96 multiply-adds of two floating-point operations each. Fewer, and the loop around
// them would count; more, and they would not be ready any more where registers are few: a compiler that has
// sixteen puts all steps of a chain before the next chain, and a processor looks only so far ahead.
// Dispatch: linear_grid(invocations, 64).

override ROUNDS: u32;

struct Chains { c0: vec4f, c1: vec4f, c2: vec4f }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn two_steps(v: Chains, a: vec4f, b: vec4f) -> Chains {
  return Chains(fma(fma(v.c0, a, b), a, b), fma(fma(v.c1, a, b), a, b), fma(fma(v.c2, a, b), a, b));
}
fn eight_steps(v: Chains, a: vec4f, b: vec4f) -> Chains {
  return two_steps(two_steps(two_steps(two_steps(v, a, b), a, b), a, b), a, b);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&y) { return; }
  let a = vec4f(x[0]);
  let b = vec4f(x[1]);
  let start = vec4f(f32(at % 7u));
  var v = Chains(start, start + 1.0, start + 2.0);
  for (var i = 0u; i < ROUNDS; i++) {
    v = eight_steps(v, a, b);
  }
  y[at] = dot(v.c0 + v.c1 + v.c2, vec4f(1.0));
}
