// An invocation's numbers as they lie in memory, with nothing to do about loading and storing them: for devices whose loads are
// wide, and for numbers that are not two. words.wgsl is the other way. Numbers is the kernel's.

alias Stored = Numbers;

fn loaded(numbers: Stored) -> Numbers { return numbers; }
fn stored(numbers: Numbers) -> Stored { return numbers; }
