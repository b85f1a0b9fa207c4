// Two output channels an invocation: with 16 of them, eight lanes are still all at work.
const OUTPUTS = 2u;
alias Outputs = vec2f;      // one pixel's
alias Matrix = mat4x2f;     // four columns of them
