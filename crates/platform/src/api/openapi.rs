//! The OpenAPI 3.1 document: made from the code, committed as `docs/api/openapi.json`, served as it stands.

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::OpenApi;
use utoipa::openapi::content::Content;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Schema};

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

/// What every operation shares: it may answer with a problem, and that has a type of its own (RFC 9457 §3).
fn complete(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            for response in responses.values_mut() {
                if let RefOr::T(response) = response {
                    name_problems(response);
                }
            }
            let other = ResponseBuilder::new()
                .description("Anything else is refused with a problem")
                .content(PROBLEM, Content::new(Some(problem())))
                .build();
            responses.entry("default".into()).or_insert(RefOr::T(other));
        }
    }
}

const PROBLEM: &str = "application/problem+json";

fn problem() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Problem"))
}

fn name_problems(response: &mut utoipa::openapi::Response) {
    let is_problem =
        |content: &RefOr<Content>| matches!(content, RefOr::T(content) if content.schema == Some(problem()));
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove("application/json")
    {
        response.content.insert(PROBLEM.into(), content);
    }
}

/// The whole document as JSON, one line a value, so that a change can be read.
pub fn document() -> String {
    let mut document = super::routes().to_openapi();
    complete(&mut document);
    document.to_pretty_json().expect("a document is plain JSON") + "\n"
}

pub(super) async fn serve() -> Response {
    static DOCUMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(document);
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_OPENAPI=1 cargo test -p platform the_committed_document_is_fresh` writes it.
    #[test]
    fn the_committed_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == document(),
            "docs/api/openapi.json is stale: UPDATE_OPENAPI=1 cargo test -p platform the_committed_document_is_fresh"
        );
    }

    /// Lists that fit on one page.
    const WHOLE: &[&str] = &[
        "/api/v1/me/",
        "/api/v1/admin/links",
        "/api/v1/admin/live",
        "/api/v1/admin/providers",
    ];

    /// The name that a type has in the document: of two with the same name one would hide the other.
    fn schema_name(declaration: &str) -> Option<String> {
        let word = |after: &str| {
            let rest = declaration.split_once(after)?.1;
            let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
            Some(word)
        };
        word("schema(as = ")
            .or_else(|| word("struct "))
            .or_else(|| word("enum "))
    }

    fn sources(folder: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn no_two_types_of_the_document_share_a_name() {
        let mut texts = Vec::new();
        sources(
            std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
            &mut texts,
        );
        let mut names = std::collections::BTreeSet::new();
        for text in &texts {
            for declaration in text.split("#[derive(").skip(1) {
                let Some((derived, rest)) = declaration.split_once(")]") else {
                    continue;
                };
                // A struct or enum ends its own attributes: what follows belongs to others.
                let own = rest.split_once('{').map_or(rest, |(own, _)| own);
                if !derived.split(", ").any(|derive| derive.ends_with("ToSchema")) {
                    continue;
                }
                let name = schema_name(own).unwrap();
                assert!(
                    names.insert(name.clone()),
                    "two types are called {name} in the document"
                );
            }
        }
        assert!(names.len() > 50);
    }

    #[test]
    fn the_parts_of_every_path_and_the_pages_of_every_list_are_told() {
        let document: serde_json::Value = serde_json::from_str(&document()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let empty = Vec::new();
                let parameters = operation["parameters"].as_array().unwrap_or(&empty);
                let of = |place: &str| parameters.iter().filter(|p| p["in"] == place).count();
                assert_eq!(of("path"), path.matches('{').count(), "{method} {path}");
                let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
                let is_page = answer["$ref"].as_str().is_some_and(|name| name.contains("/Items_"));
                let is_whole = WHOLE.iter().any(|whole| path.starts_with(whole)) || path.ends_with("/keys");
                let pages = parameters.iter().any(|p| p["name"] == "cursor");
                assert!(
                    !is_page || is_whole || pages,
                    "{method} {path} does not say how to turn its pages"
                );
            }
        }
    }

    #[test]
    fn every_operation_says_how_it_refuses() {
        let document: serde_json::Value = serde_json::from_str(&document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses["default"]["content"][PROBLEM].is_object(), "{operation}");
            for (status, response) in responses {
                let typed_as_json = &response["content"]["application/json"]["schema"]["$ref"];
                assert_ne!(typed_as_json, "#/components/schemas/Problem", "{status} {operation}");
            }
        }
    }
}
