// sum + d ⊗ x: column c gains d·x[c].
fn outer_product(d: vec4f, x: vec4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(fma(d, vec4f(x.x), sum[0]), fma(d, vec4f(x.y), sum[1]),
                 fma(d, vec4f(x.z), sum[2]), fma(d, vec4f(x.w), sum[3]));
}
