// An invocation has two neighbouring numbers of each tensor, which words.wgsl loads and stores as one.

const NUMBERS = 2u;
alias Numbers = vec2f;
alias Wholes = vec2u;                  // as many whole numbers
const BYTE = vec2u(0u, 8u);            // the bits before each one's byte, where bytes stand together in a word
