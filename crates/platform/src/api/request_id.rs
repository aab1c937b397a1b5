//! Every request has a name, which its answer, its problem and the log carry.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::REQUEST_ID;
use crate::id::random_text;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a name that a proxy gave.
const LEN_MAX: usize = 64;

/// Names the request, by what a proxy calls it or anew.
pub(super) async fn name(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(random_text);
    let mut response = REQUEST_ID.scope(id.clone(), next.run(request)).await;
    let value = HeaderValue::try_from(id).expect("an id is plain text");
    response.headers_mut().insert(HEADER, value);
    response
}

/// A name from outside goes into the log: only what cannot be mistaken for anything else is taken.
fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((8..=LEN_MAX).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;

    use crate::testing::World;

    #[tokio::test]
    async fn an_answer_and_its_problem_carry_the_name_of_the_request() {
        let world = World::new().await;
        for (sent, kept) in [("proxy-7c9e6679", true), ("two words", false), ("short", false)] {
            let request = Request::get("/api/v1/nowhere").header("x-request-id", sent);
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 404);
            let name = answer.headers["x-request-id"].to_str().unwrap();
            assert_eq!(name == sent, kept, "{name}");
            assert_eq!(answer.body["request_id"], name);
        }
    }
}
