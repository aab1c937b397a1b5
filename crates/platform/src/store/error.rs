use sqlx::error::ErrorKind;

/// What a query may end with.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a query was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached now; later it may.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The row that was asked for is not there.
    #[error("no such row")]
    Missing,
    /// A value that must be unique is already there.
    #[error("already taken: {0}")]
    Taken(String),
    /// The tables were changed by a newer version of the program.
    #[error(
        "the database has version {found}, and this program knows only {known}: run the newer program, or restore a backup"
    )]
    Newer {
        /// Of the tables.
        found: i64,
        /// Of the program.
        known: i64,
    },
    /// A text holds a character (NUL) that no engine can keep.
    #[error("text with a NUL character cannot be kept")]
    Nul,
    /// The work itself gave up.
    #[error("{0}")]
    GivenUp(String),
    /// The work found that it must not be done.
    #[error(transparent)]
    Refused(Box<crate::Error>),
    /// Something else: a fault of ours.
    #[error(transparent)]
    Fault(sqlx::Error),
}

/// So that work on a connection can refuse in the platform's own words; outside, the words come back.
impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Store(error) => error,
            refusal => Self::Refused(Box::new(refusal)),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::Missing,
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::Database(fault) => match (fault.kind(), fault.code().as_deref()) {
                (ErrorKind::UniqueViolation, _) => {
                    Self::Taken(fault.constraint().unwrap_or_else(|| fault.message()).to_owned())
                }
                (_, Some("22021")) => Self::Nul,
                // The server is stopping or starting (class 57), has no room (53), was cut off (08), took too long; SQLite: busy, locked, full, IO.
                (_, Some(code)) if away(code) => Self::Unavailable(fault.message().to_owned()),
                _ => Self::Fault(error),
            },
            _ => Self::Fault(error),
        }
    }
}

fn away(code: &str) -> bool {
    let postgres = code.len() == 5 && (code.starts_with("57") || code.starts_with("53") || code.starts_with("08"));
    let sqlite = matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 10 | 13 | 14));
    postgres || (code.len() < 5 && sqlite)
}
