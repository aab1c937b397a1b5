//! What operators ask: is it alive, is it ready, what does it count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::metrics::Metrics;

/// Whether new work may be sent here.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says so from now on.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(ready: Ready, metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/healthz", get(async || plain(StatusCode::OK, "alive\n".into())))
        .route(
            "/readyz",
            get(async move || {
                if ready.0.load(Ordering::Relaxed) {
                    plain(StatusCode::OK, "ready\n".into())
                } else {
                    plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".into())
                }
            }),
        )
        .route("/metrics", get(async move || exposition(metrics.text())))
}

fn plain(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}

fn exposition(body: String) -> Response {
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (
        [(header::CONTENT_TYPE, form), (header::CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response()
}
