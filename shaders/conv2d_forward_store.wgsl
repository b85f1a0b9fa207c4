// The end of the tiled forward kernels, with bias and ReLU, pooled, or masked: a pixel, a cell, or eight pixels of two output
// rows.
//
// A largest number of four is the same before the bias is added as after, to the last bit, since adding keeps
// the order; so pooling comes first and spares three quarters of what follows, and of what is stored.
//
// `bias` is what the epilogue reads beside the sums: the bias, or, to mask, a tensor of y's layout. Both lie in memory as
// `Stored` (plain.wgsl, or words.wgsl for two outputs).

// 0: none; 1: + bias; 2: + bias, then ReLU; 3: 2×2 pooled, then as 2; 4: 0 where the tensor beside it is not positive
override EPILOGUE: u32;

struct Strip { left: Matrix, right: Matrix } // eight output pixels, a column each

// The bias of a group of outputs; where there is none, anything.
fn bias_of(group: u32) -> Outputs {
  return loaded(bias[select(group, 0u, EPILOGUE == 0u || EPILOGUE == 4u)]);
}

fn finished(sum: Outputs, b: Outputs) -> Outputs {
  switch EPILOGUE {
    case 0u: { return sum; }
    case 1u: { return sum + b; }
    // Not max(): a NaN must pass, so that a diverged network shows instead of going quiet.
    default: { let v = sum + b; return select(v, Outputs(), v <= Outputs()); }
  }
}

// A pixel's outputs in their place.
fn put(at: u32, sum: Outputs, b: Outputs) {
  if EPILOGUE == 4u {
    y[at] = stored(select(sum, Outputs(), loaded(bias[at]) <= Outputs()));
  } else {
    y[at] = stored(finished(sum, b));
  }
}

fn store_pixel(image: u32, i: u32, j: u32, group: u32, sum: Outputs, b: Outputs) {
  if j >= WIDTH { return; }
  put(((image * HEIGHT + i) * WIDTH + j) * (CO / OUTPUTS) + group, sum, b);
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

// Two columns of both rows.
fn left_cell(upper: Matrix, lower: Matrix) -> Matrix {
  return Matrix(upper[0], upper[1], lower[0], lower[1]);
}
fn right_cell(upper: Matrix, lower: Matrix) -> Matrix {
  return Matrix(upper[2], upper[3], lower[2], lower[3]);
}

// What is left of a cell, in its place: four pixels, two of either row, as a column each.
fn put_cell(at: u32, cell: Matrix, b: Outputs) {
  let above = max(cell[0], cell[1]);
  let below = max(cell[2], cell[3]);
  y[at] = stored(finished(max(above, below), b));
  // The first of equals.
  let right = select(Places(), Places(1u), cell[1] > cell[0]);
  let low = select(Places(2u), Places(3u), cell[3] > cell[2]);
  keep_places(at, select(right, low, below > above));
}

// y is [N][⌊HEIGHT/2⌋][⌊WIDTH/2⌋][CO/OUTPUTS].
fn store_cell(image: u32, i: u32, j: u32, group: u32, cell: Matrix, b: Outputs) {
  if j / 2u >= WIDTH / 2u { return; }
  put_cell(((image * (HEIGHT / 2u) + i / 2u) * (WIDTH / 2u) + j / 2u) * (CO / OUTPUTS) + group, cell, b);
}

// Rows i, which is even, and i + 1, from column j on, which is even.
fn store(image: u32, i: u32, j: u32, group: u32, upper: Strip, lower: Strip, b: Outputs) {
  if EPILOGUE != 3u {
    store_row(image, i, j, group, upper, b);
    store_row(image, i + 1u, j, group, lower, b);
    return;
  }
  if i / 2u >= HEIGHT / 2u || group >= CO / OUTPUTS { return; }
  store_cell(image, i, j, group, left_cell(upper.left, lower.left), b);
  store_cell(image, i, j + 2u, group, right_cell(upper.left, lower.left), b);
  store_cell(image, i, j + 4u, group, left_cell(upper.right, lower.right), b);
  store_cell(image, i, j + 6u, group, right_cell(upper.right, lower.right), b);
}
