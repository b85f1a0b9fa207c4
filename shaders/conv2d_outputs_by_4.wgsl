// Four output channels an invocation, for layers of at least 32 of them.
const OUTPUTS = 4u;
alias Outputs = vec4f;      // one pixel's
alias Numbers = Outputs;    // what is loaded and stored together
alias Matrix = mat4x4f;     // four columns of them
alias Places = vec4u;       // where in their cells the largest were
const BYTES = vec4u(1u, 1u << 8u, 1u << 16u, 1u << 24u);
