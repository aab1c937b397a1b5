//! What an authority is shown so that it sees to whom a name belongs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use http::{StatusCode, header};
use rustls::sign::CertifiedKey;

/// What is shown now. Each entry is there while its proof goes on.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    /// By name: the certificate of tls-alpn-01.
    certificates: HashMap<String, Arc<CertifiedKey>>,
    /// By token: the answer of http-01.
    answers: HashMap<String, String>,
}

/// Takes an entry away when dropped.
#[derive(Debug)]
pub(super) struct Guard {
    challenges: Arc<Challenges>,
    entry: String,
}

impl Challenges {
    /// Shows a certificate to whoever wants to see that one of a name.
    pub(super) fn show_certificate(self: &Arc<Self>, name: String, certificate: CertifiedKey) -> Guard {
        self.lock().certificates.insert(name.clone(), Arc::new(certificate));
        self.guard(name)
    }

    /// Answers whoever asks for a token.
    pub(super) fn show_answer(self: &Arc<Self>, token: String, answer: String) -> Guard {
        self.lock().answers.insert(token.clone(), answer);
        self.guard(token)
    }

    /// The certificate that an authority wants to see.
    pub(super) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.lock().certificates.get(name).cloned()
    }

    fn answer(&self, token: &str) -> Option<String> {
        self.lock().answers.get(token).cloned()
    }

    fn guard(self: &Arc<Self>, entry: String) -> Guard {
        let challenges = Arc::clone(self);
        Guard { challenges, entry }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut shown = self.challenges.lock();
        shown.certificates.remove(&self.entry);
        shown.answers.remove(&self.entry);
    }
}

/// Where an authority asks, by plain HTTP.
pub(super) fn router(challenges: Arc<Challenges>) -> Router {
    Router::new()
        .route("/.well-known/acme-challenge/{token}", routing::get(answer))
        .with_state(challenges)
}

async fn answer(State(challenges): State<Arc<Challenges>>, Path(token): Path<String>) -> Response {
    let Some(answer) = challenges.answer(&token) else {
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, answer).into_response()
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;
    use tower_service::Service;

    use super::*;

    async fn get(challenges: &Arc<Challenges>, token: &str) -> (StatusCode, String) {
        let request = Request::get(format!("/.well-known/acme-challenge/{token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = router(Arc::clone(challenges)).call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_answer_is_there_while_its_proof_goes_on() {
        let challenges = Arc::default();
        assert_eq!(get(&challenges, "token").await.0, StatusCode::NOT_FOUND);
        let guard = challenges.show_answer("token".into(), "token.key".into());
        assert_eq!(get(&challenges, "token").await, (StatusCode::OK, "token.key".into()));
        assert_eq!(get(&challenges, "other").await.0, StatusCode::NOT_FOUND);
        drop(guard);
        assert_eq!(get(&challenges, "token").await.0, StatusCode::NOT_FOUND);
    }
}
