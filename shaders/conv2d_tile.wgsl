// What the convolution kernels from the second rung on share: their sizes, the border, the
// arithmetic. The first part of each module sets OUTPUTS, the output channels that stand together,
// and the types Outputs and Matrix of that width. All of them multiply 4-vectors by small matrices.

override HEIGHT: u32;
override WIDTH: u32;
override CO: u32;
override KH: u32;
override KW: u32;
override PAD_TOP: u32;
override PAD_LEFT: u32;

// Whether a pixel lies on the image or on its border of zeros.
fn inside(i: i32, j: i32) -> bool {
  return i >= 0 && i < i32(HEIGHT) && j >= 0 && j < i32(WIDTH);
}

// The number of a pixel, counted over the whole batch; beyond the border, that of the nearest.
fn place(image: u32, i: i32, j: i32) -> u32 {
  return (image * HEIGHT + u32(clamp(i, 0, i32(HEIGHT) - 1))) * WIDTH + u32(clamp(j, 0, i32(WIDTH) - 1));
}

// sum + weights·x: a column of weights for each of the four components of x.
fn multiply_add(weights: Matrix, x: vec4f, sum: Outputs) -> Outputs {
  return fma(weights[3], Outputs(x.w), fma(weights[2], Outputs(x.z),
         fma(weights[1], Outputs(x.y), fma(weights[0], Outputs(x.x), sum))));
}

// The same for four pixels at once, a column each.
fn multiply_add_4(weights: Matrix, x: mat4x4f, sum: Matrix) -> Matrix {
  return Matrix(multiply_add(weights, x[0], sum[0]), multiply_add(weights, x[1], sum[1]),
                multiply_add(weights, x[2], sum[2]), multiply_add(weights, x[3], sum[3]));
}
