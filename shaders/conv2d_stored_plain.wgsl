// The numbers of an invocation's output channels, as they lie in memory: for devices whose loads are wide. words.wgsl is
// the other way, for two channels.

alias Stored = Outputs;

fn loaded(outputs: Stored) -> Outputs { return outputs; }
fn stored(outputs: Outputs) -> Stored { return outputs; }
