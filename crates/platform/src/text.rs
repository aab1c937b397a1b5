//! Texts that people write: how long they may be, and what may stand in them.

use crate::error::{Error, Result};

/// One line, without the space around it: `min` to `max` characters.
///
/// # Errors
/// [`Error::Field`] that says what is wrong at `pointer`.
pub fn line(pointer: &'static str, text: &str, min: usize, max: usize) -> Result<String> {
    checked(pointer, text, (min, max), char::is_control)
}

/// Several lines, without the space around them: up to `max` characters.
///
/// # Errors
/// [`Error::Field`] that says what is wrong at `pointer`.
pub fn lines(pointer: &'static str, text: &str, max: usize) -> Result<String> {
    let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    checked(pointer, text, (0, max), strange)
}

fn checked(pointer: &'static str, text: &str, (min, max): (usize, usize), strange: fn(char) -> bool) -> Result<String> {
    if text.contains(strange) {
        return Err(Error::field(pointer, "it holds a control character"));
    }
    // What is said of the length in the document holds for what is sent, with the space around it.
    if text.chars().count() > max {
        return Err(Error::field(pointer, format!("at most {max} characters")));
    }
    let text = text.trim();
    if text.chars().count() < min {
        return Err(Error::field(pointer, "it may not be empty"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_counted_in_characters() {
        assert_eq!(line("/name", " Ünal ", 1, 6).unwrap(), "Ünal");
        for bad in ["", "  ", "Ünals", "a\nb", "a\0"] {
            assert!(line("/name", bad, 1, 4).is_err(), "{bad:?}");
        }
        assert!(lines("/description", "a\n\tb", 9).is_ok());
        assert!(lines("/description", "a\0b", 9).is_err());
    }
}
