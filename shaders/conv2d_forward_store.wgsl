// The end of the tiled forward kernels: eight pixels of two output rows, with bias and ReLU, and pooled.
//
// A largest number of four is the same before the bias is added as after, to the last bit, since adding keeps
// the order; so pooling comes first and spares three quarters of what follows, and of what is stored.

override EPILOGUE: u32;                      // 0: none; 1: + bias; 2: + bias, then ReLU; 3: 2×2 pooled, then as 2

struct Strip { left: Matrix, right: Matrix } // eight output pixels, a column each

fn finished(sum: Outputs, b: Outputs) -> Outputs {
  switch EPILOGUE {
    case 0u: { return sum; }
    case 1u: { return sum + b; }
    // Not max(): a NaN must pass, so that a diverged network shows instead of going quiet.
    default: { let v = sum + b; return select(v, Outputs(), v <= Outputs()); }
  }
}

fn store_pixel(image: u32, i: u32, j: u32, group: u32, sum: Outputs, b: Outputs) {
  if j < WIDTH { y[((image * HEIGHT + i) * WIDTH + j) * (CO / OUTPUTS) + group] = finished(sum, b); }
}

fn store_row(image: u32, i: u32, j: u32, group: u32, sums: Strip, b: Outputs) {
  if i >= HEIGHT || group >= CO / OUTPUTS { return; }
  store_pixel(image, i, j, group, sums.left[0], b);
  store_pixel(image, i, j + 1u, group, sums.left[1], b);
  store_pixel(image, i, j + 2u, group, sums.left[2], b);
  store_pixel(image, i, j + 3u, group, sums.left[3], b);
  store_pixel(image, i, j + 4u, group, sums.right[0], b);
  store_pixel(image, i, j + 5u, group, sums.right[1], b);
  store_pixel(image, i, j + 6u, group, sums.right[2], b);
  store_pixel(image, i, j + 7u, group, sums.right[3], b);
}

// The largest of two pixels in each of two rows; y is [N][⌊HEIGHT/2⌋][⌊WIDTH/2⌋][CO/OUTPUTS].
fn store_cell(image: u32, i: u32, j: u32, group: u32, upper: Outputs, lower: Outputs, b: Outputs) {
  if j / 2u >= WIDTH / 2u { return; }
  y[((image * (HEIGHT / 2u) + i / 2u) * (WIDTH / 2u) + j / 2u) * (CO / OUTPUTS) + group] = finished(max(upper, lower), b);
}

// Rows i, which is even, and i + 1, from column j on, which is even.
fn store(image: u32, i: u32, j: u32, group: u32, upper: Strip, lower: Strip, b: Outputs) {
  if EPILOGUE != 3u {
    store_row(image, i, j, group, upper, b);
    store_row(image, i + 1u, j, group, lower, b);
    return;
  }
  if i / 2u >= HEIGHT / 2u || group >= CO / OUTPUTS { return; }
  store_cell(image, i, j, group, max(upper.left[0], upper.left[1]), max(lower.left[0], lower.left[1]), b);
  store_cell(image, i, j + 2u, group, max(upper.left[2], upper.left[3]), max(lower.left[2], lower.left[3]), b);
  store_cell(image, i, j + 4u, group, max(upper.right[0], upper.right[1]), max(lower.right[0], lower.right[1]), b);
  store_cell(image, i, j + 6u, group, max(upper.right[2], upper.right[3]), max(lower.right[2], lower.right[3]), b);
}
