// One step of Adam (Kingma & Ba 2015) on a parameter, or on several side by side, in place:
//
//   m ← β₁·m + (1−β₁)·g
//   v ← β₂·v + (1−β₂)·g²
//   p ← p − rate·m / (√v·root + ε)
//
// with rate = α/(1−β₁ᵗ) and root = 1/√(1−β₂ᵗ), which the host computes once a step in f64, as it
// does rest1 = 1−β₁ and rest2 = 1−β₂: from β₂ = 0.999 in f32, the difference would keep five digits.
//
//   g, p, m, v   flat, the same number of elements; zeros that lie between parameters stay zeros, since 0/ε is 0
//
// One invocation an element, after numbers_one.wgsl and plain.wgsl, or two, after numbers_two.wgsl and words.wgsl.
// Dispatch: linear_grid(n / NUMBERS, 256).

struct Immediates { rate: f32, root: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, epsilon: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read_write> p: array<Stored>;
@group(0) @binding(2) var<storage, read_write> m: array<Stored>;
@group(0) @binding(3) var<storage, read_write> v: array<Stored>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 256u) + id.x;
  if i >= arrayLength(&p) { return; }
  let gradient = loaded(g[i]);
  let first = fma(Numbers(given.beta1), loaded(m[i]), given.rest1 * gradient);
  let second = fma(Numbers(given.beta2), loaded(v[i]), given.rest2 * gradient * gradient);
  m[i] = stored(first);
  v[i] = stored(second);
  let step = given.rate * first / fma(sqrt(second), Numbers(given.root), Numbers(given.epsilon));
  p[i] = stored(loaded(p[i]) - step);
}
