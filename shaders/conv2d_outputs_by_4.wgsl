// Four output channels an invocation, for layers of at least 32 of them.
const OUTPUTS = 4u;
alias Outputs = vec4f;      // one pixel's
alias Matrix = mat4x4f;     // four columns of them
