// An invocation has one number of each tensor. numbers_two.wgsl is the other way, plain.wgsl belongs to this one.

const NUMBERS = 1u;
alias Numbers = f32;
alias Wholes = u32;                    // as many whole numbers
const BYTE = 0u;                       // the bits before each one's byte, where bytes stand together in a word
