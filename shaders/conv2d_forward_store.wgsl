// The end of the tiled forward kernels: eight pixels of one output row, with bias and ReLU.

override EPILOGUE: u32;                      // 0: none; 1: + bias; 2: + bias, then ReLU

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

fn store(image: u32, i: u32, j: u32, group: u32, sums: Strip, b: Outputs) {
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
