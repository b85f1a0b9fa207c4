//! Progress bars: rate and time left on a terminal, nothing elsewhere.

use super::Common;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `total` things called `unit`, hidden where nobody would see it.
pub fn bar(common: &Common, total: u64, label: &str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if common.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = format!(
        "{label} [{{wide_bar}}] {{human_pos}}/{{human_len}} {unit} {{per_sec:.1}} {{eta}} left {{msg}}"
    );
    // A template that does not parse would be a slip of the line above; the default style then does.
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(
        style
            .with_key("per_sec", |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = write!(w, "{:.1}/s", state.per_sec());
            })
            .progress_chars("█▉▊▋▌▍▎▏ "),
    );
    bar
}

/// A sign of life for work whose length is not known, hidden where nobody would see it.
pub fn spinner(common: &Common, label: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(label.to_owned());
    if common.quiet {
        spinner.set_draw_target(ProgressDrawTarget::hidden());
    }
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    spinner
}
