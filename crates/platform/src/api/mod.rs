//! The platform's own API, `/api/v1`.

mod extract;
mod guard;
mod openapi;
mod page;
mod server;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub use extract::{Body, COOKIE_PLAIN, COOKIE_SECURE, Fresh, MaybeActor, PathParameters, Query};
pub use openapi::document;
pub use page::{Items, PageQuery};

use crate::platform::Platform;

/// Every route of the API. Each area adds its own.
fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::with_openapi(openapi::head()).merge(server::routes())
}

/// Answers `/api/v1/…` and `/api/openapi.json`.
pub fn router(platform: Platform) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .layer(axum::middleware::from_fn(guard::same_origin))
        .route("/api/openapi.json", axum::routing::get(openapi::serve))
        .with_state(platform)
}
