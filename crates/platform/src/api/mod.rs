//! The platform's own API, `/api/v1`.

mod admin_live;
mod admin_providers;
mod admin_settings;
mod admin_transcoding;
mod admin_users;
mod audit_log;
mod auth;
mod browser;
mod channels;
mod extract;
mod guard;
mod idempotency;
mod images;
mod invitations;
mod keys;
mod limit;
pub mod me;
mod me_credentials;
mod me_identities;
mod me_passkeys;
mod me_tokens;
mod me_totp;
mod members;
mod obs;
mod oidc;
mod openapi;
#[cfg(test)]
mod ownership;
mod page;
mod passkey_sign_in;
mod request_id;
mod server;
mod setup;
mod stream_events;
mod stream_ladder;
mod stream_status;
mod streams;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;

pub use extract::{
    Body, COOKIE_PLAIN, COOKIE_SECURE, Fresh, FreshInPerson, InPerson, MaybeActor, PathParameters, Query,
};
pub(crate) use extract::{session_cookie, who};
pub use limit::{Allowances, Limits, Network, per_minute};
pub use openapi::document;
pub use page::{Flag, Items, PageQuery};

use crate::error::Error;
use crate::platform::Platform;

/// Every route of the API. Each area adds its own.
fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(server::routes())
        .merge(setup::routes())
        .merge(auth::routes())
        .merge(me::routes())
        .merge(me_credentials::routes())
        .merge(me_identities::routes())
        .merge(me_passkeys::routes())
        .merge(me_tokens::routes())
        .merge(me_totp::routes())
        .merge(obs::routes())
        .merge(oidc::routes())
        .merge(passkey_sign_in::routes())
        .merge(admin_providers::routes())
        .merge(admin_users::routes())
        .merge(invitations::routes())
        .merge(admin_settings::routes())
        .merge(audit_log::routes())
        .merge(channels::routes())
        .merge(members::routes())
        .merge(images::routes())
        .merge(streams::routes())
        .merge(keys::routes())
        .merge(stream_events::routes())
        .merge(stream_status::routes())
        .merge(stream_ladder::routes())
        .merge(admin_live::routes())
        .merge(admin_transcoding::routes())
}

/// Answers `/api/v1/…` and `/api/openapi.json`.
pub fn router(platform: Platform) -> Router {
    let limited = middleware::from_fn_with_state(platform.clone(), limit::limit);
    named(guarded(&platform).layer(limited), platform)
}

/// The same for tests that ask more often than anybody may.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn router_without_limits(platform: Platform) -> Router {
    named(guarded(&platform), platform)
}

fn guarded(platform: &Platform) -> Router<Platform> {
    let (router, _) = routes().split_for_parts();
    router
        .layer(middleware::from_fn_with_state(platform.clone(), idempotency::once))
        .route("/api/openapi.json", axum::routing::get(openapi::serve))
        // No fallback: the web app's pages have that.
        .route("/api/v1/{*unknown}", axum::routing::any(async || Error::NotFound))
        .method_not_allowed_fallback(async || Error::Method)
        .layer(DefaultBodyLimit::max(extract::BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard::same_origin))
}

fn named(router: Router<Platform>, platform: Platform) -> Router {
    router.layer(middleware::from_fn(request_id::name)).with_state(platform)
}
