//! Just as much XML as a manifest needs.

use std::fmt::{self, Display, Write};

/// Writes elements in the order in which they are named.
#[derive(Debug)]
pub(super) struct Xml(String);

impl Xml {
    pub(super) fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into())
    }

    /// Begins an element; its attributes follow.
    pub(super) fn open(&mut self, name: &str) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        self
    }

    pub(super) fn attribute(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.write(format_args!(" {name}=\""));
        let _ = write!(Escaped(&mut self.0), "{value}");
        self.0.push('"');
        self
    }

    /// An attribute that may not be there.
    pub(super) fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Ends the attributes; children follow, then [`Self::close`].
    pub(super) fn content(&mut self) {
        self.0.push_str(">\n");
    }

    /// Ends an element that has no children.
    pub(super) fn empty(&mut self) {
        self.0.push_str("/>\n");
    }

    /// Ends an element behind its children.
    pub(super) fn close(&mut self, name: &str) {
        self.write(format_args!("</{name}>\n"));
    }

    /// An element that holds nothing but text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.write(format_args!("<{name}>"));
        let _ = Escaped(&mut self.0).write_str(text);
        self.close(name);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }
}

/// Writes what an attribute or a text may not hold as references.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '"' => self.0.push_str("&quot;"),
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

/// Microseconds as `xs:duration`: `PT1.6S`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds(pub(super) i64);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PT{}S", Decimal(self.0))
    }
}

/// Microseconds as seconds with as many digits as it takes. Negative ones are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal(pub(super) i64);

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.max(0);
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        if fraction == 0 {
            return write!(f, "{seconds}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{seconds}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_escaped() {
        let mut xml = Xml::new();
        xml.open("A")
            .attribute("b", "<\"&\">")
            .optional("c", None::<u8>)
            .empty();
        assert!(xml.finish().ends_with("<A b=\"&lt;&quot;&amp;&quot;>\"/>\n"));
    }

    #[test]
    fn durations_have_no_needless_digits() {
        for (micros, text) in [
            (0, "PT0S"),
            (1_600_000, "PT1.6S"),
            (2_000_000, "PT2S"),
            (12_000_001, "PT12.000001S"),
            (-5, "PT0S"),
        ] {
            assert_eq!(Seconds(micros).to_string(), text);
        }
    }
}
