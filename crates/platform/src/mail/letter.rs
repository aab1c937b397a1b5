//! What stands in a mail: plain text, and the same as simple HTML.

use std::net::IpAddr;

use crate::clock::Time;
use crate::people::email::Email;

/// What a mail says.
#[derive(Clone, Debug)]
pub enum Text {
    /// Somebody signed up with this address.
    Verify,
    /// Somebody signed up with an address that has an account.
    AccountExists,
    /// Somebody wants a new password.
    Reset,
    /// Somebody is invited by the person of that name.
    Invitation(String),
    /// An account is to have this address.
    NewAddress,
    /// An account is to have another address: told to the old one.
    AddressChanges,
    /// The password was changed.
    PasswordChanged,
    /// Somebody signed in with a browser that had not been used for the account.
    NewBrowser {
        /// What it is called.
        browser: String,
        /// From where.
        address: IpAddr,
        /// When.
        at: Time,
    },
    /// The administrator tries whether mail leaves.
    Test,
}

/// A mail to somebody. The link in it is a secret.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub to: Email,
    /// What the server is called.
    pub server: String,
    /// What it says.
    pub text: Text,
    /// What is to be opened.
    pub link: Option<String>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

impl Letter {
    /// Its subject.
    pub fn subject(&self) -> String {
        let server = one_line(&self.server);
        match &self.text {
            Text::Verify | Text::NewAddress => format!("{server}: is this your mail address?"),
            Text::AccountExists => format!("{server}: you have an account already"),
            Text::Reset => format!("{server}: a new password"),
            Text::Invitation(_) => format!("You are invited to {server}"),
            Text::AddressChanges => format!("{server}: your mail address is being changed"),
            Text::PasswordChanged => format!("{server}: your password was changed"),
            Text::NewBrowser { .. } => format!("{server}: a sign-in from a new browser"),
            Text::Test => format!("{server}: mail works"),
        }
    }

    fn paragraphs(&self) -> Vec<String> {
        let server = one_line(&self.server);
        let (said, otherwise) = match &self.text {
            Text::Verify => (
                format!(
                    "Somebody, probably you, made an account at {server} with this mail address. Open this to confirm it:"
                ),
                "If that was not you, ignore this mail: nothing happens.",
            ),
            Text::AccountExists => (
                format!(
                    "Somebody, probably you, wanted to make an account at {server} with this mail address. You have one already. Sign in, or choose a new password here:"
                ),
                "If that was not you, ignore this mail: nothing happened.",
            ),
            Text::Reset => (
                format!(
                    "Somebody, probably you, wants a new password for your account at {server}. Open this to choose one:"
                ),
                "If that was not you, ignore this mail: your password stays as it is.",
            ),
            Text::Invitation(by) => (
                format!(
                    "{} invites you to {server}. Open this to make an account:",
                    one_line(by)
                ),
                "If you do not know what this is about, ignore this mail.",
            ),
            Text::NewAddress => (
                format!("An account at {server} is to have this mail address. Open this to confirm it:"),
                "If that was not you, ignore this mail: nothing happens.",
            ),
            Text::AddressChanges => (
                format!("Your account at {server} is to have another mail address, as soon as that one is confirmed."),
                "If that was not you, choose a new password at once and end all other sessions.",
            ),
            Text::PasswordChanged => (
                format!("The password of your account at {server} was changed, and all other sessions have ended."),
                "If that was not you, ask for a new password on the sign-in page at once.",
            ),
            Text::NewBrowser { browser, address, at } => (
                format!(
                    "Somebody, probably you, signed in to your account at {server} with a browser that had not been used for it before: {browser}, from the address {address}, at {}. Your password and everybody who is signed in are here:",
                    at.in_words()
                ),
                "If that was you, there is nothing to do. If not, choose a new password there at once: that ends all other sessions.",
            ),
            Text::Test => (
                format!("This is how mails of {server} arrive."),
                "There is nothing to do.",
            ),
        };
        let mut paragraphs = vec![said];
        paragraphs.extend(self.link.clone());
        paragraphs.push(otherwise.into());
        paragraphs
    }

    /// As plain text.
    pub fn plain(&self) -> String {
        self.paragraphs().join("\r\n\r\n") + "\r\n"
    }

    /// As HTML.
    pub fn html(&self) -> String {
        let body: String = self
            .paragraphs()
            .iter()
            .map(|paragraph| match &self.link {
                Some(link) if link == paragraph => {
                    let link = escaped(link);
                    format!("<p><a href=\"{link}\">{link}</a></p>\n")
                }
                _ => format!("<p>{}</p>\n", escaped(paragraph)),
            })
            .collect();
        format!("<!doctype html>\n<html><body style=\"font-family:sans-serif;max-width:36em\">\n{body}</body></html>\n")
    }
}

/// A name that somebody chose must not begin a line of its own.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_calls_themselves_is_text_and_nothing_else() {
        let letter = Letter {
            to: Email::new("ben@example.org"),
            server: "Live <b>".into(),
            text: Text::Invitation("Ann\r\nBcc: x@example.org <script>".into()),
            link: Some("https://live.example.org/invite?token=a&b".into()),
        };
        assert_eq!(letter.subject(), "You are invited to Live <b>");
        assert!(
            letter
                .html()
                .contains("AnnBcc: x@example.org &lt;script&gt; invites you to Live &lt;b&gt;.")
        );
        assert!(
            letter
                .html()
                .contains("<a href=\"https://live.example.org/invite?token=a&amp;b\">")
        );
        assert!(
            letter
                .plain()
                .contains("\r\n\r\nhttps://live.example.org/invite?token=a&b\r\n\r\n")
        );
        assert!(!format!("{letter:?}").contains("token"));
    }
    #[test]
    fn a_new_browser_is_told_with_what_it_is_where_from_when_and_what_to_do() {
        let letter = Letter {
            to: Email::new("ann@example.org"),
            server: "Harbour".into(),
            text: Text::NewBrowser {
                browser: "Firefox on Linux".into(),
                address: "192.0.2.7".parse().unwrap(),
                at: Time(1_800_000_000_000_000),
            },
            link: Some("https://live.example.org/me/security".into()),
        };
        let plain = letter.plain();
        assert!(
            plain.contains("before: Firefox on Linux, from the address 192.0.2.7, at 2027-01-15 08:00 UTC."),
            "{plain}"
        );
        assert!(
            plain.contains("\r\n\r\nhttps://live.example.org/me/security\r\n\r\n")
                && plain.contains("choose a new password"),
            "{plain}"
        );
    }
}
