// An invocation has one number of each tensor. numbers_two.wgsl is the other way.

const NUMBERS = 1u;
alias Numbers = f32;
alias Wholes = u32;                    // as many whole numbers
const BYTE = 0u;                       // the bits before each one's byte, where bytes stand together in a word

alias Stored = f32;

fn loaded(number: Stored) -> Numbers { return number; }
fn stored(number: Numbers) -> Stored { return number; }
