//! The OpenAPI 3.1 document: made from the code, committed as `docs/api/openapi.json`, served as it stands.

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

/// The head of the document: what it is, and how one shows who one is.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Headwater",
        description = "The platform's own API. Every error is a problem of RFC 9457 (`application/problem+json`); lists are pages with a cursor.",
        license(name = "Apache-2.0")
    ),
    components(schemas(crate::error::Problem)),
    modifiers(&Security)
)]
struct Head;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", token);
    }
}

pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// The whole document as JSON, one line a value, so that a change can be read.
pub fn document() -> String {
    let document = super::routes().to_openapi();
    document.to_pretty_json().expect("a document is plain JSON") + "\n"
}

pub(super) async fn serve() -> Response {
    static DOCUMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(document);
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}
