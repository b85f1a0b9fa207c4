// The sums of Winograd's kernels as arrays, whose elements the end takes by a number that the compiler does not know. llvmpipe then
// keeps them in memory, and what a round adds to them there. As single numbers they are copied from one round to the next, and
// moved about within it, for there are many more than registers; and the end is compiled for every column or channel anew. Compilers
// that make a search of every access by number must not have it, nor GPUs. AtPoint is the kernel's.

var<private> at_a: AtPoint;
var<private> at_minus_a: AtPoint;
var<private> at_b: AtPoint;
var<private> at_minus_b: AtPoint;
var<private> at_c: AtPoint;
var<private> at_minus_c: AtPoint;
var<private> at_infinity: AtPoint;
