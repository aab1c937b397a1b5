//! A signed JSON object, and what answers mean to it.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use url::Url;

use super::question::Question;
use super::signature;
use super::verdict::Verdict;
use crate::clock::Time;
use crate::id;
use crate::outbound::{Request, Response};
use crate::secret::Secret;

/// Characters of a reason that are handed on to the publisher.
const REASON_CHARS_MAX: usize = 200;

/// What is sent.
#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    at: Time,
    event: &'static str,
    /// What a publisher shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// What a player asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    query: &'a str,
    app: &'a str,
    tc_url: &'a str,
    agent: &'a str,
    address: String,
    protocol: &'static str,
    client: u64,
}

/// What an answer may say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    name: Option<String>,
    reason: Option<String>,
}

pub(super) fn request(url: Url, question: &Question, secret: &Secret, now: Time) -> Request {
    let id = format!("msg_{}", id::random_text());
    let stream = Some(question.stream.expose());
    let message = Message {
        id: &id,
        at: now,
        event: question.event.as_str(),
        key: stream.filter(|_| question.event.is_of_publisher()),
        name: stream.filter(|_| !question.event.is_of_publisher()),
        query: question.query.expose(),
        app: &question.app,
        tc_url: &question.tc_url,
        agent: &question.agent,
        address: question.address.to_canonical().to_string(),
        protocol: question.protocol.as_str(),
        client: question.client,
    };
    let body = serde_json::to_vec(&message).expect("a message is plain JSON");
    let headers = signature::headers(secret, &id, now, &body);
    let mut request = Request::post(url, body);
    request.headers = headers;
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// 2xx allows, under the `name` of the body if it has one; 3xx as nginx-rtmp has it; 4xx refuses for the `reason` of the body. What else
/// a proxy in between may say is no decision.
pub(super) fn verdict(response: &Response) -> Verdict {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    match response.status.as_u16() {
        200..=299 => answer.name.map_or(Verdict::Allow, |name| Verdict::named(&name)),
        300..=399 => Verdict::of_redirect(response),
        // Timeouts and limits of a proxy.
        408 | 425 | 429 => Verdict::unavailable(),
        400..=499 => Verdict::deny(answer.reason.map_or_else(
            || "the server that decides about this stream refused it".to_owned(),
            |reason| printable(&reason),
        )),
        _ => Verdict::unavailable(),
    }
}

fn printable(reason: &str) -> String {
    let shown = |c: &char| !c.is_control();
    reason.chars().filter(shown).take(REASON_CHARS_MAX).collect()
}
