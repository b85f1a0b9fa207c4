// What the convolutions by shared rows have in common: channels that go together, and a row of the kernel on pixels.
// A round of the loop takes TOGETHER channels, 1 or 2.

override TOGETHER: u32;

// A row of the kernel on four pixels and the three to their right.
fn tap(sum: Outputs, k: Taps, p: vec4f) -> Outputs {
  var s = fma(k.k0, Outputs(p.x), sum);
  if KW > 1u { s = fma(k.k1, Outputs(p.y), s); }
  if KW > 2u { s = fma(k.k2, Outputs(p.z), s); }
  if KW > 3u { s = fma(k.k3, Outputs(p.w), s); }
  return s;
}
