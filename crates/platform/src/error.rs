//! Why a request was not carried out, and how that is said: RFC 9457 problem details.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tracing::{debug, error, warn};
use utoipa::ToSchema;

use crate::secret::RingError;
use crate::store;

tokio::task_local! {
    /// What the request is called that is being answered.
    pub(crate) static REQUEST_ID: String;
}

/// What an operation of the platform may end with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was not carried out. The texts are for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request says something that cannot be.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// A field of the request's body says something that cannot be.
    #[error("{pointer}: {detail}")]
    Field {
        /// JSON pointer (RFC 6901) of the field.
        pointer: Cow<'static, str>,
        /// What it should be.
        detail: Cow<'static, str>,
    },
    /// Nobody is signed in, or what was shown is not right.
    #[error("{0}")]
    Unauthenticated(Cow<'static, str>),
    /// Somebody is signed in who may not do this.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// The last sign-in is too long ago for this.
    #[error("please confirm that it is you")]
    FreshSignIn,
    /// What the person is on this server asks for a second factor, and they have none.
    #[error("your role here asks for a second factor: add an authenticator app or a passkey first")]
    FactorRequired,
    /// It is not there, or not for whoever asks.
    #[error("there is no such thing, or it is not yours")]
    NotFound,
    /// It was there and is no more: a link that was used or is too old.
    #[error("{0}")]
    Gone(Cow<'static, str>),
    /// It stands against something else that is there. The code tells programs which of the conflicts it is.
    #[error("{detail}")]
    Conflict {
        /// `conflict`, `taken`, `rotation_warning`, …
        code: &'static str,
        /// What stands against it.
        detail: Cow<'static, str>,
    },
    /// The person has as many of these as allowed.
    #[error("{0}")]
    Quota(Cow<'static, str>),
    /// The body is longer than allowed.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// The body is of a type that is not understood.
    #[error("{0}")]
    MediaType(Cow<'static, str>),
    /// The address knows other methods than this one.
    #[error("this address does not know that method")]
    Method,
    /// Too often; later it is allowed again.
    #[error("too many requests: try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
    /// Something that is needed is away for now.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
    /// The database refused or failed.
    #[error(transparent)]
    Store(store::Error),
    /// A sealed value does not open.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// A fault of ours, with what is known of it.
    #[error("{0}")]
    Fault(String),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Refused(refusal) => *refusal,
            error => Self::Store(error),
        }
    }
}

impl Error {
    /// A field of the body is wrong.
    pub fn field(pointer: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Field {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// A value that must be unique is there already.
    pub fn taken(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict {
            code: "taken",
            detail: detail.into(),
        }
    }

    /// Status and code. What a stranger should not read is left to [`detail`](Self::detail).
    pub fn kind(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Invalid(_) => (S::BAD_REQUEST, "invalid"),
            Self::Field { .. } | Self::Store(store::Error::Nul) => (S::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Unauthenticated(_) => (S::UNAUTHORIZED, "unauthenticated"),
            Self::Forbidden(_) => (S::FORBIDDEN, "forbidden"),
            Self::FactorRequired => (S::FORBIDDEN, "factor_required"),
            Self::FreshSignIn => (S::FORBIDDEN, "fresh_sign_in_required"),
            Self::NotFound | Self::Store(store::Error::Missing) => (S::NOT_FOUND, "not_found"),
            Self::Gone(_) => (S::GONE, "gone"),
            Self::Conflict { code, .. } => (S::CONFLICT, code),
            Self::Store(store::Error::Taken(_)) => (S::CONFLICT, "taken"),
            Self::Quota(_) => (S::FORBIDDEN, "quota_exceeded"),
            Self::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::MediaType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::TooMany(_) => (S::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Unavailable(_) | Self::Store(store::Error::Unavailable(_)) => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Store(_) | Self::Ring(_) | Self::Fault(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Field { detail, .. } => detail.clone().into_owned(),
            Self::Store(store::Error::Missing) => Self::NotFound.to_string(),
            Self::Store(store::Error::Taken(_)) => "it is already taken".into(),
            Self::Store(store::Error::Unavailable(_)) => {
                "the database is away for the moment: try again shortly".into()
            }
            Self::Store(store::Error::Nul) => "a text may not hold a NUL character".into(),
            Self::Store(_) | Self::Ring(_) | Self::Fault(_) => {
                "something went wrong here; the server's log says what".into()
            }
            other => other.to_string(),
        }
    }

    fn log(&self) {
        match self {
            Self::Store(store::Error::Unavailable(reason)) => warn!(%reason, "the database is away"),
            Self::Store(store::Error::Missing | store::Error::Taken(_) | store::Error::Nul) => {}
            Self::Store(_) | Self::Ring(_) | Self::Fault(_) => {
                error!(error = %self, request = request_id(), "a request failed");
            }
            other => debug!(reason = %other, "a request was refused"),
        }
    }
}

fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// A problem, as RFC 9457 (Problem Details for HTTP APIs) §3 writes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A path that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status code of the answer.
    pub status: u16,
    /// What is wrong this time, for people.
    pub detail: String,
    /// The kind, for programs.
    pub code: String,
    /// What the request is called in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Which fields of the body are meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// A field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) into the request's body.
    pub pointer: String,
    /// What it should be.
    pub detail: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let (status, code) = self.kind();
        let errors = match &self {
            Self::Field { pointer, detail } => vec![FieldProblem {
                pointer: pointer.clone().into_owned(),
                detail: detail.clone().into_owned(),
            }],
            _ => Vec::new(),
        };
        let problem = Problem {
            kind: format!("/problems/{code}"),
            title: code.replace('_', " "),
            status: status.as_u16(),
            detail: self.detail(),
            code: code.to_owned(),
            request_id: request_id(),
            errors,
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let retry_after = match &self {
            Self::TooMany(wait) => Some(wait.as_secs().max(1)),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(2),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
