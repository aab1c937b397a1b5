use hub::Name;

use crate::outbound::Response;

/// What a callback decides. The reasons are for the publisher or player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may begin.
    Allow,
    /// It may begin, under this name instead of the one it asked for.
    AllowAs(Name),
    /// It may not.
    Deny {
        /// Why.
        reason: String,
    },
    /// Nobody can tell now.
    Unavailable {
        /// What to say meanwhile.
        reason: String,
    },
}

impl Verdict {
    pub(super) fn deny(reason: impl Into<String>) -> Self {
        Self::Deny { reason: reason.into() }
    }

    pub(super) fn unavailable() -> Self {
        Self::Unavailable {
            reason: "the server that decides about this stream does not answer".into(),
        }
    }

    /// What a redirect means: the name to publish or play instead.
    pub(super) fn of_redirect(response: &Response) -> Self {
        let Some(location) = response.headers.get(http::header::LOCATION) else {
            return Self::Allow;
        };
        let text = location.to_str().unwrap_or_default();
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        if scheme.eq_ignore_ascii_case("rtmp") || scheme.eq_ignore_ascii_case("rtmps") {
            return Self::deny("redirects to another server are not supported yet");
        }
        Self::named(text)
    }

    /// Allows under a name that the answer gives.
    pub(super) fn named(name: &str) -> Self {
        match Name::parse(name) {
            Ok(name) => Self::AllowAs(name),
            Err(invalid) => Self::deny(format!("the server that decides gave a wrong name: {invalid}")),
        }
    }
}
