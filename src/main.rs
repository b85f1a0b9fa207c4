//! The `legato` command.

fn main() -> std::process::ExitCode {
    legato::cli::main()
}
