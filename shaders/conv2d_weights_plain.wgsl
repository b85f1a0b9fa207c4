// Weights of two output channels as two numbers, for conv2d_outputs_by_2.wgsl: the way to load them of devices whose loads are
// wide. The other one is conv2d_weights_words.wgsl.

alias Weights = vec2f;

fn weights_of(loaded: Weights) -> vec2f {
  return loaded;
}
