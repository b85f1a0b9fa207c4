// One step of Adam (Kingma & Ba 2015) on one parameter, in place:
//
//   m ← β₁·m + (1−β₁)·g
//   v ← β₂·v + (1−β₂)·g²
//   p ← p − rate·m / (√v·root + ε)
//
// with rate = α/(1−β₁ᵗ) and root = 1/√(1−β₂ᵗ), which the host computes once a step in f64, as it
// does rest1 = 1−β₁ and rest2 = 1−β₂: from β₂ = 0.999 in f32, the difference would keep five digits.
//
//   g, p, m, v   flat, the same number of elements
//
// One invocation an element; dispatch: linear_grid(n, 256).

struct Immediates { rate: f32, root: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, epsilon: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 256u) + id.x;
  if i >= arrayLength(&p) { return; }
  let first = fma(given.beta1, m[i], given.rest1 * g[i]);
  let second = fma(given.beta2, v[i], given.rest2 * g[i] * g[i]);
  m[i] = first;
  v[i] = second;
  p[i] -= given.rate * first / fma(sqrt(second), given.root, given.epsilon);
}
