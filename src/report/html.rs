//! HTML's own alphabet.

/// A text such that HTML, SVG and their attributes show it as it is.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no place for these, escaped or not.
            c if c.is_control() && !c.is_whitespace() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn no_text_ends_its_element_or_attribute() {
        assert_eq!(
            escape("<a b=\"c\" d='e'> & \u{0}"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt; &amp; \u{fffd}"
        );
    }
}
