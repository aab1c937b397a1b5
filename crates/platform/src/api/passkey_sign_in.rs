//! The second step of a sign-in, and signing in with a passkey, which needs no other.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::browser::{self, SignedIn};
use super::me_passkeys::PasskeyChallenge;
use super::{Body, InPerson};
use crate::actor::Client;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::sign_in::{self, Browser, FACTOR, Outcome, Waiting};
use crate::people::{challenges, factors, passkeys};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(factor))
        .routes(routes!(start))
        .routes(routes!(finish))
        .routes(routes!(start_confirm))
}

/// The second step of a sign-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondStep {
    /// As the first step gave it.
    #[schema(value_type = String, max_length = 64)]
    pub challenge: Secret,
    /// Six digits of the app, or a recovery code.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    pub code: Secret,
}

/// What a passkey answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// As it was given.
    #[schema(value_type = String, max_length = 64)]
    pub challenge: Secret,
    /// What `PublicKeyCredential.toJSON` wrote.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Take the second step of a sign-in with a code
#[utoipa::path(
    post, path = "/api/v1/auth/sign-in/factor", tag = "auth", request_body = SecondStep,
    responses(
        (status = 200, body = SignedIn),
        (status = 400, body = Problem),
        (status = 401, body = Problem, description = "The code is wrong, or was used already"),
        (status = 403, body = Problem),
        (status = 410, body = Problem, description = "Sign in again: it took too long, or too many codes were wrong"),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    )
)]
async fn factor(
    State(platform): State<Platform>,
    browser: Browser,
    Body(SecondStep { challenge, code }): Body<SecondStep>,
) -> Result<Response> {
    let (user, method) = waiting(&platform, &challenge).await?;
    let address = browser.client.address;
    if factors::check_code(&platform, &user, code.expose()).await?.is_none() {
        info!(%address, reason = "code", %user, "sign-in refused");
        return Err(Error::Unauthenticated("this code does not fit".into()));
    }
    let now = platform.clock.now();
    let taken = platform
        .db
        .write(move |c| Box::pin(async move { challenges::take(c, FACTOR, &challenge, now).await }))
        .await?;
    taken.ok_or_else(over)?;
    let opened = sign_in::open(&platform, &user, method, &browser).await?;
    browser::answer(&platform, Outcome::Open(opened), &browser.client).await
}

/// Whose sign-in waits, and how it began.
async fn waiting(platform: &Platform, challenge: &Secret) -> Result<(Id, &'static str)> {
    let (challenge, now) = (challenge.clone(), platform.clock.now());
    let held = platform
        .db
        .write(move |c| Box::pin(async move { challenges::attempt(c, FACTOR, &challenge, now).await }))
        .await?;
    let held = held.ok_or_else(over)?;
    let waiting: Waiting = held.open(&platform.ring())?;
    let method = match waiting.method.as_str() {
        "oidc" => "oidc",
        "link" => "link",
        _ => "password",
    };
    Ok((held.user.ok_or_else(over)?, method))
}

fn over() -> Error {
    Error::Gone("this sign-in is over: begin again".into())
}

/// Begin to sign in with a passkey
#[utoipa::path(
    post, path = "/api/v1/auth/passkey/start", tag = "auth", request_body = Nothing,
    responses(
        (status = 200, body = PasskeyChallenge),
        (status = 400, body = Problem),
        (status = 409, body = Problem, description = "Passkeys do not work on this page"),
        (status = 422, body = Problem),
    )
)]
async fn start(
    State(platform): State<Platform>,
    client: Client,
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<PasskeyChallenge>> {
    Ok(Json(passkeys::start_sign_in(&platform, &client).await?.into()))
}

/// Sign in with a passkey
#[utoipa::path(
    post, path = "/api/v1/auth/passkey/finish", tag = "auth", request_body = PasskeyAnswer,
    responses(
        (status = 200, body = SignedIn),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "Passkeys do not work on this page"),
        (status = 410, body = Problem, description = "It took too long, or was used already"),
        (status = 422, body = Problem),
    )
)]
async fn finish(
    State(platform): State<Platform>,
    browser: Browser,
    Body(answer): Body<PasskeyAnswer>,
) -> Result<Response> {
    let client = &browser.client;
    let user = passkeys::sign_in(&platform, client, &answer.challenge, answer.credential)
        .await
        .inspect_err(|reason| {
            if matches!(reason, Error::Unauthenticated(_)) {
                info!(address = %client.address, reason = "passkey", "sign-in refused");
            }
        })?;
    let opened = sign_in::open(&platform, &user, "passkey", &browser).await?;
    browser::answer(&platform, Outcome::Open(opened), client).await
}

/// Begin to confirm with a passkey that it is you
#[utoipa::path(
    post, path = "/api/v1/auth/confirm/passkey/start", tag = "auth", request_body = Nothing,
    responses(
        (status = 200, body = PasskeyChallenge),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn start_confirm(
    State(platform): State<Platform>,
    client: Client,
    InPerson(actor): InPerson,
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<PasskeyChallenge>> {
    Ok(Json(
        passkeys::start_confirm(&platform, &client, &actor.user).await?.into(),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Method, header};
    use serde_json::json;
    use totp_rs::{Builder, Totp};

    use super::*;
    use crate::people::links;
    use crate::people::passkeys::testing::Authenticator;
    use crate::testing::{Answer, Person, World, client};

    fn browser() -> Browser {
        Browser {
            client: client(),
            user_agent: "test".into(),
            device: None,
            session: None,
        }
    }

    /// Somebody whose password was right a moment ago.
    async fn half_way(world: &World, person: &Person, method: &'static str) -> Secret {
        match sign_in::ask_for_factor(&world.platform, &person.id, &browser(), method)
            .await
            .unwrap()
        {
            Outcome::Factor { challenge, .. } => challenge,
            Outcome::Open(_) => panic!("a second factor is there"),
        }
    }

    async fn app(world: &World, person: &Person) -> Totp {
        let start = world
            .call(Method::POST, "/api/v1/me/totp/start", Some(person), None)
            .await;
        let secret = totp_rs::Secret::try_from_base32(start.body["secret"].as_str().unwrap()).unwrap();
        let app = Builder::new().with_secret(secret).build().unwrap();
        let on = world
            .post("/api/v1/me/totp", Some(person), json!({ "code": shows(world, &app) }))
            .await;
        assert_eq!(on.status, 200, "{}", on.body);
        world.platform.clock.advance(Duration::from_secs(30));
        app
    }

    fn shows(world: &World, app: &Totp) -> String {
        let now = world.platform.clock.now().unix_seconds();
        app.generate(now.try_into().unwrap()).to_string()
    }

    async fn second(world: &World, challenge: &Secret, code: &str) -> Answer {
        let body = json!({ "challenge": challenge.expose(), "code": code });
        world.post("/api/v1/auth/sign-in/factor", None, body).await
    }

    #[tokio::test]
    async fn a_right_code_signs_in_and_cannot_be_replayed() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let app = app(&world, &ann).await;
            let challenge = half_way(&world, &ann, "password").await;
            assert_eq!(second(&world, &challenge, "000000").await.status, 401);
            let code = shows(&world, &app);
            let done = second(&world, &challenge, &code).await;
            assert_eq!(done.status, 200, "{}", done.body);
            assert_eq!(done.body["state"], "signed_in");
            assert_eq!(done.body["user"]["id"], json!(ann.id));
            let cookies = done.headers.get_all(header::SET_COOKIE).iter();
            assert!(
                cookies
                    .into_iter()
                    .any(|cookie| cookie.to_str().unwrap().starts_with("__Host-session="))
            );

            assert_eq!(
                second(&world, &challenge, &code).await.status,
                410,
                "the challenge was used"
            );
            let again = half_way(&world, &ann, "password").await;
            assert_eq!(second(&world, &again, &code).await.status, 401, "the code was used");
        }
    }

    /// The secret of a link that confirms a person's address.
    async fn link(world: &World, person: &Person) -> Secret {
        let new = links::New {
            kind: links::Kind::Verify,
            user: Some(person.id.clone()),
            email: Some(crate::people::email::Email::new("ann@example.org")),
            detail: links::Detail::default(),
            by: None,
            lifetime: links::Kind::Verify.lifetime(),
        };
        let (ring, now) = (world.platform.ring(), world.platform.clock.now());
        let write = world
            .platform
            .db
            .write(move |c| Box::pin(async move { links::create(c, &ring, new, now).await }));
        write.await.unwrap().1
    }

    #[tokio::test]
    async fn a_link_that_confirms_an_address_leads_to_the_second_factor_as_a_password_does() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let app = app(&world, &ann).await;
            let token = link(&world, &ann).await;
            let body = json!({ "token": token.expose() });
            let half = world.post("/api/v1/auth/verify", None, body.clone()).await;
            assert_eq!(half.status, 200, "{}", half.body);
            assert_eq!(half.body["state"], "factor");
            assert_eq!(half.body["methods"], json!(["totp", "recovery"]));
            assert!(!half.headers.contains_key(header::SET_COOKIE));
            assert_eq!(world.post("/api/v1/auth/verify", None, body).await.status, 410);

            let challenge = Secret::new(half.body["challenge"].as_str().unwrap());
            let done = second(&world, &challenge, &shows(&world, &app)).await;
            assert_eq!(done.body["user"]["id"], json!(ann.id), "{}", done.body);
            let list = world.get("/api/v1/me/sessions", Some(&ann)).await;
            let methods: Vec<&str> = list.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|session| session["method"].as_str())
                .collect();
            assert!(methods.contains(&"link"), "{methods:?}");
        }
    }

    #[tokio::test]
    async fn five_wrong_codes_end_a_sign_in() {
        let world = World::new().await;
        let ann = world.person("ann", &[]).await;
        let app = app(&world, &ann).await;
        let challenge = half_way(&world, &ann, "password").await;
        for _ in 0..challenges::ATTEMPTS_MAX {
            assert_eq!(second(&world, &challenge, "000000").await.status, 401);
        }
        assert_eq!(second(&world, &challenge, &shows(&world, &app)).await.status, 410);
    }

    #[tokio::test]
    async fn a_made_up_challenge_and_one_for_something_else_are_over() {
        let world = World::new().await;
        assert_eq!(second(&world, &Secret::random(), "123456").await.status, 410);
        let start = world.post("/api/v1/auth/passkey/start", None, json!({})).await;
        let other = Secret::new(start.body["challenge"].as_str().unwrap());
        assert_eq!(second(&world, &other, "123456").await.status, 410);
    }

    #[tokio::test]
    async fn a_passkey_signs_in_unless_its_person_is_suspended() {
        for world in World::both().await {
            let (ann, mut key) = (world.person("ann", &[]).await, Authenticator::new());
            let start = world
                .call(Method::POST, "/api/v1/me/passkeys/start", Some(&ann), None)
                .await;
            let body = json!({
                "challenge": start.body["challenge"], "name": "Phone", "credential": key.create(&start.body["options"]),
            });
            assert_eq!(world.post("/api/v1/me/passkeys", Some(&ann), body).await.status, 201);

            let sign_in = async || {
                let start = world.post("/api/v1/auth/passkey/start", None, json!({})).await;
                assert_eq!(start.body["options"]["userVerification"], "required");
                let body =
                    json!({ "challenge": start.body["challenge"], "credential": key.get(&start.body["options"]) });
                world.post("/api/v1/auth/passkey/finish", None, body).await
            };
            let done = sign_in().await;
            assert_eq!(
                (done.status.as_u16(), &done.body["user"]["id"]),
                (200, &json!(ann.id)),
                "{}",
                done.body
            );
            world
                .platform
                .db
                .write(|c| Box::pin(async move { crate::run!(c, "update users set suspended_at = 1") }))
                .await
                .unwrap();
            assert_eq!(sign_in().await.status, 403);
        }
    }

    #[tokio::test]
    async fn a_page_without_passkeys_hears_why() {
        let world = World::new().await;
        let request = http::Request::post("/api/v1/auth/passkey/start")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(Client {
                secure: false,
                ..client()
            })
            .body("{}".into())
            .unwrap();
        let refused = world.send(request).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (409, &json!("passkeys_unavailable"))
        );
    }
}
