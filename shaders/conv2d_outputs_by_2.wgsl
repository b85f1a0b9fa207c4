// Two output channels an invocation, for layers of fewer than 32: a subgroup of eight lanes then
// still has work for all of them.
const OUTPUTS = 2u;
alias Outputs = vec2f;      // one pixel's
alias Numbers = Outputs;    // what is loaded and stored together
alias Matrix = mat4x2f;     // four columns of them
alias Places = vec2u;       // where in their cells the largest were
const BYTES = vec2u(1u, 1u << 8u);
