//! Sign-ins with a provider that says what the test wants, and every way in which one tries to get in by it.

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

#[tokio::test]
async fn somebody_whom_the_provider_knows_gets_an_account_and_comes_back_to_it() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        let first = sign_in(&world, &provider, "next=/studio", ann()).await;
        assert_eq!(location(&first), "/studio");
        let person = me(&world, &first).await;
        assert_eq!(
            (&person["email"], &person["email_verified"]),
            (&json!("ann@example.org"), &json!(true))
        );
        assert_eq!(person["name"], "Ann");
        // The address there may change, and need not be verified: the subject is who they are.
        let again = json!({ "sub": "ann-there", "email": "other@example.org", "email_verified": false });
        let second = sign_in(&world, &provider, "", again).await;
        assert_eq!(location(&second), "/");
        assert_eq!(me(&world, &second).await["id"], person["id"]);
    }
}

#[tokio::test]
async fn the_provider_is_asked_with_everything_that_protects_a_sign_in() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    let begun = begin(&world, "club", "", None).await;
    let query = &begun.query;
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(
        query["redirect_uri"],
        "https://live.example.org/api/v1/auth/oidc/club/callback"
    );
    provider.says(json!({ "nonce": begun.nonce, "sub": "x" }));
    come_back(&world, "club", &begun, "", None).await;
    let asked = provider.server.last();
    let body: HashMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(body["code_verifier"].as_bytes()).as_bytes());
    assert_eq!(challenge, query["code_challenge"]);
    assert!(asked.header("authorization").unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn an_address_that_has_an_account_is_never_linked_by_itself() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        world.person("ann", &[]).await;
        refused(&sign_in(&world, &provider, "", ann()).await, "account_exists");
        for verified in [json!(false), json!(null)] {
            let mut claims = ann();
            claims["email_verified"] = verified;
            refused(
                &sign_in(&world, &provider, "", claims.clone()).await,
                "unverified_email",
            );
            claims["email"] = "new@example.org".into();
            refused(&sign_in(&world, &provider, "", claims).await, "unverified_email");
        }
        refused(
            &sign_in(&world, &provider, "", json!({ "sub": "ann-there" })).await,
            "unverified_email",
        );
        assert_eq!(count(&world, "select count(*) from identities").await, 0);
        assert_eq!(count(&world, "select count(*) from users").await, 2);
    }
}

#[tokio::test]
async fn whoever_is_signed_in_links_the_provider_and_signs_in_with_it_from_then_on() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, false).await;
        let (person, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
        let begun = begin(&world, "club", "link=1&next=/me/security", Some(&person)).await;
        let mut claims = ann();
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims.clone());
        let linked = come_back(&world, "club", &begun, "", Some(&person)).await;
        assert_eq!(location(&linked), "/me/security");
        let list = world.get("/api/v1/me/identities", Some(&person)).await;
        assert_eq!(list.body["items"][0]["provider"], "club");
        let back = sign_in(&world, &provider, "", ann()).await;
        assert_eq!(me(&world, &back).await["id"], json!(person.id));

        // Nobody else gets it.
        let begun = begin(&world, "club", "link=1", Some(&bob)).await;
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims);
        refused(
            &come_back(&world, "club", &begun, "", Some(&bob)).await,
            "identity_taken",
        );

        let path = format!(
            "/api/v1/me/identities/{}",
            list.body["items"][0]["id"].as_str().unwrap()
        );
        assert_eq!(world.call(Method::DELETE, &path, Some(&bob), None).await.status, 404);
        let locked_out = world.call(Method::DELETE, &path, Some(&person), None).await;
        assert_eq!(locked_out.status, 409, "there is no password");
    }
}

#[tokio::test]
async fn linking_is_asked_for_by_our_own_page_and_ends_for_whoever_began_it() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        let (person, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
        let path = "/api/v1/auth/oidc/club/start?link=1";
        for (site, status) in [
            (Some("cross-site"), 403),
            (Some("same-site"), 403),
            (Some("none"), 403),
            (None, 403),
        ] {
            assert_eq!(visit(&world, path, &[&person.cookie], site).await.status, status);
        }
        assert_eq!(visit(&world, path, &[], Some("same-origin")).await.status, 401);
        let begun = begin(&world, "club", "link=1", Some(&person)).await;
        provider.says(json!({ "nonce": begun.nonce, "sub": "evil" }));
        refused(&come_back(&world, "club", &begun, "", Some(&bob)).await, "failed");
        let begun = begin(&world, "club", "link=1", Some(&person)).await;
        provider.says(json!({ "nonce": begun.nonce, "sub": "evil" }));
        refused(&come_back(&world, "club", &begun, "", None).await, "failed");
        world
            .platform
            .clock
            .advance(crate::actor::FRESH + std::time::Duration::from_secs(1));
        assert_eq!(
            visit(&world, path, &[&person.cookie], Some("same-origin")).await.status,
            403
        );
        assert_eq!(count(&world, "select count(*) from identities").await, 0);
    }
}

#[tokio::test]
async fn a_state_counts_once_in_time_in_its_browser_and_for_its_provider() {
    for world in World::both().await {
        let (provider, other) = (Provider::start("club").await, Provider::start("other").await);
        provider.enrol(&world, true).await;
        other.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);

        let begun = begin(&world, "club", "", None).await;
        let mut claims = ann();
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims);
        assert_eq!(location(&come_back(&world, "club", &begun, "", None).await), "/");
        refused(&come_back(&world, "club", &begun, "", None).await, "expired");

        // A link that somebody else made signs nobody in as them.
        let (mut theirs, mine) = (
            begin(&world, "club", "", None).await,
            begin(&world, "club", "", None).await,
        );
        theirs.cookie = mine.cookie;
        refused(&come_back(&world, "club", &theirs, "", None).await, "failed");
        let mut theirs = begin(&world, "club", "", None).await;
        theirs.cookie = "a=b".into();
        refused(&come_back(&world, "club", &theirs, "", None).await, "failed");

        let begun = begin(&world, "club", "", None).await;
        refused(&come_back(&world, "other", &begun, "", None).await, "failed");

        let begun = begin(&world, "club", "", None).await;
        world.platform.clock.advance(std::time::Duration::from_secs(601));
        refused(&come_back(&world, "club", &begun, "", None).await, "expired");
        let no_state = visit(&world, "/api/v1/auth/oidc/club/callback?code=c", &[], None).await;
        refused(&no_state, "expired");
    }
}

#[tokio::test]
async fn the_answer_of_another_provider_is_not_taken() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.script.lock().unwrap().names_itself = true;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        for (named, good) in [("&iss=https://evil.example", false), ("", false), ("right", true)] {
            let begun = begin(&world, "club", "", None).await;
            let mut claims = ann();
            claims["nonce"] = json!(begun.nonce);
            provider.says(claims);
            let named = if good {
                format!("&iss={}", provider.issuer())
            } else {
                named.to_owned()
            };
            let asked = provider.server.count();
            let back = come_back(&world, "club", &begun, &named, None).await;
            if good {
                assert_eq!(location(&back), "/");
            } else {
                refused(&back, "failed");
                assert_eq!(provider.server.count(), asked, "the code was not shown to anybody");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_was_made_for_somebody_or_something_else_is_not_taken() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "somebody-else" }),
        json!({ "aud": [CLIENT, "somebody-else"] }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": now() - 10 }),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
    ] {
        let mut claims = ann();
        merge(&mut claims, &wrong);
        refused(&sign_in(&world, &provider, "", claims).await, "failed");
    }
    provider.script.lock().unwrap().forged = true;
    refused(&sign_in(&world, &provider, "", ann()).await, "failed");
    provider.script.lock().unwrap().forged = false;
    assert_eq!(location(&sign_in(&world, &provider, "", ann()).await), "/");
}

#[tokio::test]
async fn a_sign_in_leads_nowhere_else() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    for next in [
        "//evil.example",
        "%2F%2Fevil.example",
        "/\\evil.example",
        "/%5Cevil.example",
        "https:evil.example",
        "https://evil.example",
        "/%09/evil.example",
        "/%0D%0ALocation:%20https://evil.example",
    ] {
        let done = sign_in(&world, &provider, &format!("next={}", next.replace('\\', "%5C")), ann()).await;
        assert_eq!(location(&done), "/", "{next}");
    }
}

#[tokio::test]
async fn who_may_make_an_account_is_the_servers_and_the_providers_to_say() {
    for world in World::both().await {
        let (provider, closed) = (Provider::start("club").await, Provider::start("other").await);
        provider.enrol(&world, true).await;
        closed.enrol(&world, false).await;
        set_sign_up(&world, SignUp::Open);
        refused(&sign_in(&world, &closed, "", ann()).await, "sign_up_closed");
        set_sign_up(&world, SignUp::Closed);
        refused(&sign_in(&world, &provider, "", ann()).await, "sign_up_closed");
        set_sign_up(&world, SignUp::Invite);
        refused(&sign_in(&world, &provider, "", ann()).await, "sign_up_closed");
        refused(
            &sign_in(&world, &provider, "invitation=made-up", ann()).await,
            "sign_up_closed",
        );

        let invitation = invite(&world).await;
        let query = format!("invitation={invitation}");
        let done = sign_in(&world, &provider, &query, ann()).await;
        assert_eq!(location(&done), "/");
        let bob = json!({ "sub": "bob-there", "email": "bob@example.org", "email_verified": true });
        refused(&sign_in(&world, &provider, &query, bob).await, "sign_up_closed");
    }
}

async fn invite(world: &World) -> String {
    let new = links::New {
        kind: Kind::Invite,
        user: None,
        email: None,
        detail: links::Detail::default(),
        by: None,
        lifetime: Kind::Invite.lifetime(),
    };
    let (ring, now) = (world.platform.ring(), world.platform.clock.now());
    let made = world
        .platform
        .db
        .write(move |c| Box::pin(async move { links::create(c, &ring, new, now).await }));
    made.await.unwrap().1.expose().to_owned()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_here_too_and_the_suspended_stay_out() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        let first = sign_in(&world, &provider, "", ann()).await;
        let id: Id = serde_json::from_value(me(&world, &first).await["id"].clone()).unwrap();
        change(
            &world,
            "insert into authenticators (user_id, secret, confirmed_at, step, created_at) values ($1, $2, 1, 1, 1)",
            &id,
        )
        .await;
        let second = sign_in(&world, &provider, "next=/studio", ann()).await;
        let (page, fragment) = location(&second).split_once('#').unwrap();
        assert_eq!(page, "/login?next=%2Fstudio");
        assert!(
            fragment.starts_with("challenge=") && fragment.ends_with("&methods=totp"),
            "{fragment}"
        );
        assert!(cookie(&second, "__Host-session").is_none());
        change(
            &world,
            "update users set suspended_at = 1, suspended_reason = $2 where id = $1",
            &id,
        )
        .await;
        refused(&sign_in(&world, &provider, "", ann()).await, "suspended");
    }
}

/// Runs a change of which `$1` is a person and `$2` some text or bytes that nobody reads.
async fn change(world: &World, sql: &'static str, user: &Id) {
    let user = user.clone();
    let bytes = sql.starts_with("insert");
    let done = world.platform.db.write(move |c| {
        Box::pin(async move {
            match bytes {
                true => run!(c, sql, user, b"sealed".to_vec()),
                false => run!(c, sql, user, "because"),
            }
        })
    });
    assert_eq!(done.await.unwrap(), 1);
}

#[tokio::test]
async fn a_provider_that_is_away_or_says_no_leads_back_to_the_sign_in_page() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    let begun = begin(&world, "club", "", None).await;
    let path = format!(
        "/api/v1/auth/oidc/club/callback?error=access_denied&state={}",
        begun.state
    );
    refused(&visit(&world, &path, &[&begun.cookie], None).await, "denied");
    drop(provider);
    world.platform.clock.advance(std::time::Duration::from_secs(3_601));
    refused(
        &visit(&world, "/api/v1/auth/oidc/club/start", &[], None).await,
        "unavailable",
    );
    assert_eq!(
        visit(&world, "/api/v1/auth/oidc/nobody/start", &[], None).await.status,
        404
    );
}

#[tokio::test]
async fn new_keys_of_a_provider_are_fetched_and_what_it_says_is_remembered() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 3, "discovery, keys, token");
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 4);
    provider.script.lock().unwrap().renewed = true;
    refused(&sign_in(&world, &provider, "", ann()).await, "failed");
    assert_eq!(provider.server.count(), 5, "it was asked a moment ago");
    world.platform.clock.advance(super::discovery::AGAIN_AFTER);
    assert_eq!(location(&sign_in(&world, &provider, "", ann()).await), "/");
    assert_eq!(provider.server.count(), 8, "token, discovery, keys");
    world.platform.clock.advance(super::discovery::KNOWN_FOR);
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 11);
}
