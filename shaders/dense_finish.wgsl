// The end of a dense layer:  y[m][n] = f(bias[n] + Σ_s partial[s][m][n]),  f(v) = max(v, 0) or v.
//
//   partial   [chunks][rows][columns], from a kernel of the dense_product ladder
//   bias      [columns]
//   y         [rows][columns]
//   relu      1: f is the rectifier (which keeps NaN, so that a diverged network shows), 0: identity
//
// One invocation an output adds the chunks in their order, the same bits every time; neighbouring
// lanes read neighbouring outputs. Dispatch: linear_grid(rows·columns, 64).

struct Immediates { chunks: u32, columns: u32, relu: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.y * (groups.x * 64u) + g.x;
  let n = arrayLength(&y);
  if i >= n { return; }
  var v = bias[i % given.columns];
  for (var s = 0u; s < given.chunks; s++) { v += partial[s * n + i]; }
  y[i] = select(v, 0.0, given.relu == 1u && v <= 0.0);
}
