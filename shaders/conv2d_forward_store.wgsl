// The end of the tiled forward kernels, with bias and ReLU, pooled, or masked: a pixel, a cell of two by two, or four or eight columns
// of two output rows.
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

// Tiles have 4 or 8 rows and 8 or 16 columns. On an image of whole ones no pixel need be asked for.
override RAGGED_ROWS: bool = HEIGHT % 16u != 0u;
override RAGGED_COLUMNS: bool = WIDTH % 16u != 0u;

fn store_pixel(image: u32, i: u32, j: u32, group: u32, sum: Outputs, b: Outputs) {
  if (!RAGGED_ROWS | (i < HEIGHT)) & (!RAGGED_COLUMNS | (j < WIDTH)) {
    put(((image * HEIGHT + i) * WIDTH + j) * (CO / OUTPUTS) + group, sum, b);
  }
}

// Rows i and i + 1 of columns j and j + 1, all even, as put_cell takes them. If pooled, y is [N][⌊HEIGHT/2⌋][⌊WIDTH/2⌋][CO/OUTPUTS].
fn store_cell(image: u32, i: u32, j: u32, group: u32, cell: Matrix, b: Outputs) {
  if EPILOGUE == 3u {
    let row = i / 2u;
    let column = j / 2u;
    if (!RAGGED_ROWS | (row < HEIGHT / 2u)) & (!RAGGED_COLUMNS | (column < WIDTH / 2u)) {
      put_cell(((image * (HEIGHT / 2u) + row) * (WIDTH / 2u) + column) * (CO / OUTPUTS) + group, cell, b);
    }
  } else {
    store_pixel(image, i, j, group, cell[0], b);
    store_pixel(image, i, j + 1u, group, cell[1], b);
    store_pixel(image, i + 1u, j, group, cell[2], b);
    store_pixel(image, i + 1u, j + 1u, group, cell[3], b);
  }
}

// Four columns of both rows.
fn store_cells(image: u32, i: u32, j: u32, group: u32, upper: Matrix, lower: Matrix, b: Outputs) {
  store_cell(image, i, j, group, Matrix(upper[0], upper[1], lower[0], lower[1]), b);
  store_cell(image, i, j + 2u, group, Matrix(upper[2], upper[3], lower[2], lower[3]), b);
}

// Eight columns of both rows. Whether the tile begins on the image, and whether there are such outputs, is the kernel's concern.
fn store(image: u32, i: u32, j: u32, group: u32, upper: Strip, lower: Strip, b: Outputs) {
  store_cells(image, i, j, group, upper.left, lower.left, b);
  store_cells(image, i, j + 4u, group, upper.right, lower.right, b);
}
