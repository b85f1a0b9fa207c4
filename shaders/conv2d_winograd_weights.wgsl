// The weights of Winograd's forward kernel where the layer has them. conv2d_winograd_weights_laid_out.wgsl is the other way.
//
//   w      [KH][KW][CI][CO/OUTPUTS] Stored

@group(0) @binding(1) var<storage, read> w: array<Stored>;

// The group of outputs of a lane.
fn outputs_of(group: u32, local: u32) -> u32 { return group * LANES + local; }

// Column kx of the kernel for channel c and for the group o of outputs.
fn column(kx: u32, c: u32, o: u32) -> Column {
  let first = (kx * CI + c) * (CO / OUTPUTS) + o;
  let next = KW * CI * (CO / OUTPUTS);
  var column = Column(loaded(w[first]), loaded(w[first + next]), Outputs(), Outputs());
  if KH > 2u { column.w2 = loaded(w[first + 2u * next]); }
  if KH > 3u { column.w3 = loaded(w[first + 3u * next]); }
  return column;
}
fn columns(kx: u32, c: u32, o: u32, local: u32) -> Columns {
  var columns = Columns(column(kx, c, o), Column());
  if TOGETHER > 1u { columns.next = column(kx, c + 1u, o); }
  return columns;
}
