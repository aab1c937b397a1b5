use crate::error::Error;

/// Why a sign-in with a provider came to nothing. The sign-in page has words for each.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It took too long, or was answered before.
    #[error("the sign-in is too old, or was used already")]
    Expired,
    /// The person, or the provider, said no.
    #[error("the provider says that it was not allowed")]
    Denied,
    /// The provider does not answer as it should.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// An answer that must not be believed.
    #[error("the answer is not the one that was asked for: {0}")]
    Failed(String),
    /// A new account needs an address that the provider has verified.
    #[error("the provider told no verified mail address")]
    UnverifiedEmail,
    /// The address has an account: its person links the provider after signing in.
    #[error("the mail address has an account")]
    AccountExists,
    /// Nobody, or only the invited, may make an account.
    #[error("no account may be made")]
    SignUpClosed,
    /// The account is suspended.
    #[error("the account is suspended")]
    Suspended,
    /// The identity is linked to somebody else.
    #[error("the identity is linked to another account")]
    IdentityTaken,
    /// Something else went wrong here.
    #[error(transparent)]
    Other(#[from] Error),
}

impl Refusal {
    /// Its name in the address of the sign-in page.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Unavailable(_)
            | Self::Other(Error::Unavailable(_) | Error::Store(crate::store::Error::Unavailable(_))) => "unavailable",
            Self::Failed(_) => "failed",
            Self::UnverifiedEmail => "unverified_email",
            Self::AccountExists => "account_exists",
            Self::SignUpClosed => "sign_up_closed",
            Self::Suspended => "suspended",
            Self::IdentityTaken => "identity_taken",
            Self::Other(error) => error.kind().1,
        }
    }
}

impl From<crate::store::Error> for Refusal {
    fn from(error: crate::store::Error) -> Self {
        Self::Other(error.into())
    }
}
