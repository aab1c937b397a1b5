//! Sign-ins with a provider that says what the test wants, and every way in which one tries to get in by it.

mod arriving;
mod forged;
mod linking;
mod provider_changes;
mod real;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use url::Url;

use crate::authorize::Role;
use crate::id::Id;
use crate::outbound::testing::{Heard, Server, answer};
use crate::people::links::{self, Kind};
use crate::secret::Digest;
use crate::settings::SignUp;
use crate::testing::{Answer, Person, World};
use crate::{one, run};

const CLIENT: &str = "headwater";

/// What the provider's next ID token says.
#[derive(Clone)]
struct Script {
    claims: Value,
    /// Whether it says that it names itself in its answers.
    names_itself: bool,
    /// Somebody else's key signs.
    forged: bool,
    /// The provider has a new key.
    renewed: bool,
}

/// A provider of identities on this machine.
struct Provider {
    server: Server,
    script: Arc<Mutex<Script>>,
    slug: &'static str,
}

fn new_key(id: &str) -> (EncodingKey, Value) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap()).unwrap();
    jwk["kid"] = id.into();
    jwk["use"] = "sig".into();
    (key, jwk)
}

fn json_answer(body: &Value) -> Option<String> {
    Some(answer(
        "200 OK",
        "content-type: application/json\r\n",
        &body.to_string(),
    ))
}

impl Provider {
    async fn start(slug: &'static str) -> Self {
        let script = Arc::new(Mutex::new(Script {
            claims: json!({}),
            names_itself: false,
            forged: false,
            renewed: false,
        }));
        let told = Arc::clone(&script);
        let ((old, old_jwk), (new, new_jwk), (others, _)) = (new_key("old"), new_key("new"), new_key("old"));
        let server = Server::start(move |heard: &Heard| {
            let script = told.lock().unwrap().clone();
            let issuer = format!("http://{}", heard.header("host").unwrap());
            match heard.head.split(' ').nth(1).unwrap() {
                "/.well-known/openid-configuration" => json_answer(&json!({
                    "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
                    "response_types_supported": ["code"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                    "authorization_response_iss_parameter_supported": script.names_itself,
                })),
                "/jwks" => json_answer(&json!({ "keys": [if script.renewed { &new_jwk } else { &old_jwk }] })),
                "/token" => {
                    let mut header = Header::new(Algorithm::ES256);
                    header.kid = Some(if script.renewed { "new" } else { "old" }.into());
                    let key = match (script.forged, script.renewed) {
                        (true, _) => &others,
                        (false, true) => &new,
                        (false, false) => &old,
                    };
                    let mut claims = json!({ "iss": issuer, "aud": CLIENT, "exp": now() + 300, "iat": now() });
                    merge(&mut claims, &script.claims);
                    let token = match claims["alg"].as_str() {
                        Some(algorithm) => unsigned(algorithm, &claims),
                        None => encode(&header, &claims, key).unwrap(),
                    };
                    json_answer(&json!({ "access_token": "a", "token_type": "Bearer", "id_token": token }))
                }
                _ => Some(answer("404 Not Found", "", "")),
            }
        })
        .await;
        Self { server, script, slug }
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn says(&self, claims: Value) {
        self.script.lock().unwrap().claims = claims;
    }

    /// Makes it known to the server.
    async fn enrol(&self, world: &World, sign_up: bool) {
        let admin = world
            .person(if self.slug == "club" { "root" } else { "toor" }, &[Role::Owner])
            .await;
        let body = json!({
            "slug": self.slug, "name": self.slug, "issuer": self.issuer(), "client_id": CLIENT, "client_secret": "s3cret",
            "sign_up": sign_up,
        });
        let made = world.post("/api/v1/admin/providers", Some(&admin), body).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

/// A token with a header of its own: `none`, or signed with what both know.
fn unsigned(algorithm: &str, claims: &Value) -> String {
    if algorithm == "HS256" {
        return encode(
            &Header::new(Algorithm::HS256),
            claims,
            &EncodingKey::from_secret(b"s3cret"),
        )
        .unwrap();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": algorithm })), part(claims))
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A sign-in that has begun, as its browser knows it.
struct Begun {
    cookie: String,
    state: String,
    nonce: String,
    query: HashMap<String, String>,
}

async fn visit(world: &World, path: &str, cookies: &[&str], site: Option<&str>) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    if !cookies.is_empty() {
        request = request.header(header::COOKIE, cookies.join("; "));
    }
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    world.send(request.body(axum::body::Body::empty()).unwrap()).await
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers[header::LOCATION].to_str().unwrap()
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter();
    let pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned));
    pairs.into_iter().find(|pair| pair.starts_with(&format!("{name}=")))
}

async fn begin(world: &World, slug: &str, query: &str, who: Option<&Person>) -> Begun {
    let path = format!("/api/v1/auth/oidc/{slug}/start?{query}");
    let cookies: Vec<&str> = who.iter().map(|person| person.cookie.as_str()).collect();
    let answer = visit(world, &path, &cookies, Some("same-origin")).await;
    let url = Url::parse(location(&answer)).unwrap();
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    Begun {
        cookie: cookie(&answer, "__Host-oidc").unwrap(),
        state: query["state"].clone(),
        nonce: query["nonce"].clone(),
        query,
    }
}

/// The provider sends the browser back.
async fn come_back(world: &World, slug: &str, begun: &Begun, more: &str, who: Option<&Person>) -> Answer {
    let path = format!("/api/v1/auth/oidc/{slug}/callback?code=c&state={}{more}", begun.state);
    let mut cookies = vec![begun.cookie.as_str()];
    cookies.extend(who.map(|person| person.cookie.as_str()));
    visit(world, &path, &cookies, Some("cross-site")).await
}

/// A whole sign-in in which the provider says this.
async fn sign_in(world: &World, provider: &Provider, query: &str, claims: Value) -> Answer {
    let begun = begin(world, provider.slug, query, None).await;
    let mut said = json!({ "nonce": begun.nonce });
    merge(&mut said, &claims);
    provider.says(said);
    come_back(world, provider.slug, &begun, "", None).await
}

fn ann() -> Value {
    json!({ "sub": "ann-there", "email": "ann@example.org", "email_verified": true, "name": "Ann" })
}

fn set_sign_up(world: &World, sign_up: SignUp) {
    let mut settings = (**world.platform.settings()).clone();
    settings.sign_up = sign_up;
    world.platform.set_settings(settings);
}

async fn count(world: &World, sql: &'static str) -> i64 {
    let row = world
        .platform
        .db
        .read(move |c| Box::pin(async move { one!(c, (i64,), sql) }));
    row.await.unwrap().0
}

async fn me(world: &World, answer: &Answer) -> Value {
    let cookie = cookie(answer, "__Host-session").expect("a session");
    visit(world, "/api/v1/me", &[&cookie], None).await.body
}

fn refused(answer: &Answer, code: &str) {
    assert_eq!(location(answer), format!("/login?problem={code}"));
    assert!(cookie(answer, "__Host-session").is_none(), "nobody is signed in");
}
