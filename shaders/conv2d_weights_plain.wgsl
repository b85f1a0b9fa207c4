// Weights of two output channels as two numbers.

alias Weights = vec2f;

fn weights_of(loaded: Weights) -> vec2f {
  return loaded;
}
