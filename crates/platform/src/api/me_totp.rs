//! An authenticator app as second factor, and recovery codes.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, FreshInPerson};
use crate::audit::Act;
use crate::error::{Error, Problem, Result};
use crate::people::{factors, recovery, totp};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(confirm, remove))
        .routes(routes!(recovery_codes))
}

/// What the app must be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolment {
    /// The secret, for typing.
    pub secret: String,
    /// The same as an `otpauth:` address, for a QR code.
    pub uri: String,
}

/// A code of the app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits.
    #[schema(min_length = 1, max_length = 64)]
    pub code: String,
}

/// Codes for when the app or the passkey is lost, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each works once.
    pub recovery_codes: Vec<String>,
}

impl From<Vec<Secret>> for RecoveryCodes {
    fn from(codes: Vec<Secret>) -> Self {
        Self {
            recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect(),
        }
    }
}

/// Begin to set up an authenticator app
///
/// It holds once its first code was confirmed.
#[utoipa::path(
    post, path = "/api/v1/me/totp/start", tag = "me",
    responses(
        (status = 200, body = Enrolment),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
    )
)]
async fn start(State(platform): State<Platform>, FreshInPerson(actor): FreshInPerson) -> Result<Json<Enrolment>> {
    let (ring, now) = (platform.ring(), platform.clock.now());
    let server = platform.settings().name.clone();
    let enrolment = platform
        .db
        .write(move |c| Box::pin(async move { Ok(totp::start(c, &ring, &actor.user, &server, now).await?) }))
        .await?;
    Ok(Json(Enrolment {
        secret: enrolment.secret.expose().to_owned(),
        uri: enrolment.uri.expose().to_owned(),
    }))
}

/// Turn the authenticator app on with its first code
#[utoipa::path(
    post, path = "/api/v1/me/totp", tag = "me", request_body = Code,
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn confirm(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
    Body(Code { code }): Body<Code>,
) -> Result<Json<RecoveryCodes>> {
    let (ring, now) = (platform.ring(), platform.clock.now());
    let codes = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let codes = totp::confirm(c, &ring, &actor.user, &code, now).await?;
                Act::by(&actor, "totp.add", ("user", actor.user.as_str()))
                    .record(c, now)
                    .await?;
                Ok(codes)
            })
        })
        .await?;
    Ok(Json(codes.into()))
}

/// Turn the authenticator app off
#[utoipa::path(
    delete, path = "/api/v1/me/totp", tag = "me",
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem))
)]
async fn remove(State(platform): State<Platform>, FreshInPerson(actor): FreshInPerson) -> Result<StatusCode> {
    let now = platform.clock.now();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let there = totp::remove(c, &actor.user).await?;
                Act::by(&actor, "totp.remove", ("user", actor.user.as_str()))
                    .record_if(there, c, now)
                    .await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get new recovery codes; the old ones hold no more
#[utoipa::path(
    post, path = "/api/v1/me/recovery-codes", tag = "me",
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
    )
)]
async fn recovery_codes(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
) -> Result<Json<RecoveryCodes>> {
    let now = platform.clock.now();
    let codes = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                if !factors::has_any(c, &actor.user).await? {
                    let detail = "recovery codes stand in for a second factor: set one up first";
                    return Err(Error::Conflict {
                        code: "conflict",
                        detail: detail.into(),
                    }
                    .into());
                }
                let codes = recovery::replace(c, &actor.user).await?;
                Act::by(&actor, "recovery_codes.replace", ("user", actor.user.as_str()))
                    .record(c, now)
                    .await?;
                Ok(codes)
            })
        })
        .await?;
    Ok(Json(codes.into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use serde_json::{Value, json};
    use totp_rs::{Builder, Secret, Totp};

    use super::*;
    use crate::people::factors::{Method as Way, check_code};
    use crate::testing::{Person, World};

    /// The app on somebody's phone.
    struct App(Totp);

    impl App {
        fn scan(enrolment: &Value) -> Self {
            let secret = Secret::try_from_base32(enrolment["secret"].as_str().unwrap()).unwrap();
            Self(Builder::new().with_secret(secret).build().unwrap())
        }

        fn shows(&self, world: &World) -> String {
            let now = world.platform.clock.now().unix_seconds();
            self.0.generate(now.try_into().unwrap()).to_string()
        }
    }

    async fn set_up(world: &World, person: &Person) -> (App, Vec<String>) {
        let start = world
            .call(Method::POST, "/api/v1/me/totp/start", Some(person), None)
            .await;
        assert_eq!(start.status, 200, "{}", start.body);
        let app = App::scan(&start.body);
        let code = app.shows(world);
        let on = world
            .post("/api/v1/me/totp", Some(person), json!({ "code": code }))
            .await;
        assert_eq!(on.status, 200, "{}", on.body);
        let codes = serde_json::from_value(on.body["recovery_codes"].clone()).unwrap();
        (app, codes)
    }

    async fn tried(world: &World, person: &Person, code: &str) -> Option<Way> {
        check_code(&world.platform, &person.id, code).await.unwrap()
    }

    #[tokio::test]
    async fn an_app_is_on_after_its_first_code_and_off_again() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let start = world
                .call(Method::POST, "/api/v1/me/totp/start", Some(&ann), None)
                .await;
            let app = App::scan(&start.body);
            assert!(
                start.body["uri"]
                    .as_str()
                    .unwrap()
                    .starts_with("otpauth://totp/Headwater:")
            );
            let wrong = world
                .post("/api/v1/me/totp", Some(&ann), json!({ "code": "abc" }))
                .await;
            assert_eq!(
                (wrong.status.as_u16(), &wrong.body["errors"][0]["pointer"]),
                (422, &json!("/code"))
            );
            assert_eq!(tried(&world, &ann, &app.shows(&world)).await, None, "it is not on yet");

            let (_, codes) = set_up(&world, &ann).await;
            assert_eq!(codes.len(), 10);
            let me = world.get("/api/v1/me", Some(&ann)).await;
            assert_eq!(me.body["factors"]["totp"], true);
            assert_eq!(me.body["factors"]["recovery_codes_left"], 10);
            let again = world
                .call(Method::POST, "/api/v1/me/totp/start", Some(&ann), None)
                .await;
            assert_eq!(again.status, 409);

            let off = world.call(Method::DELETE, "/api/v1/me/totp", Some(&ann), None).await;
            assert_eq!(off.status, 204);
            assert_eq!(tried(&world, &ann, &codes[0]).await, None);
            let off = world.call(Method::DELETE, "/api/v1/me/totp", Some(&ann), None).await;
            assert_eq!(off.status, 404);
        }
    }

    #[tokio::test]
    async fn a_code_is_accepted_once_and_none_before_it_afterwards() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let (app, _) = set_up(&world, &ann).await;
            assert_eq!(
                tried(&world, &ann, &app.shows(&world)).await,
                None,
                "setting up used it"
            );
            let before = app.shows(&world);
            world.platform.clock.advance(Duration::from_secs(30));
            let code = app.shows(&world);
            assert_eq!(tried(&world, &ann, &code).await, Some(Way::Totp));
            assert_eq!(tried(&world, &ann, &code).await, None);
            assert_eq!(tried(&world, &ann, &before).await, None);
        }
    }

    #[tokio::test]
    async fn a_recovery_code_works_once_and_for_its_person_only() {
        for world in World::both().await {
            let (ann, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
            let (_, codes) = set_up(&world, &ann).await;
            set_up(&world, &bob).await;
            assert_eq!(tried(&world, &bob, &codes[0]).await, None);
            assert_eq!(tried(&world, &ann, &codes[0].to_uppercase()).await, Some(Way::Recovery));
            assert_eq!(tried(&world, &ann, &codes[0]).await, None);

            let new = world
                .call(Method::POST, "/api/v1/me/recovery-codes", Some(&ann), None)
                .await;
            assert_eq!(new.status, 200);
            assert_eq!(tried(&world, &ann, &codes[1]).await, None);
            let code = new.body["recovery_codes"][1].as_str().unwrap();
            assert_eq!(tried(&world, &ann, code).await, Some(Way::Recovery));
        }
    }

    #[tokio::test]
    async fn who_guesses_codes_is_stopped() {
        let world = World::new().await;
        let ann = world.person("ann", &[]).await;
        let (app, _) = set_up(&world, &ann).await;
        for _ in 0..10 {
            assert_eq!(tried(&world, &ann, "000000").await, None);
        }
        world.platform.clock.advance(Duration::from_secs(60));
        let refused = check_code(&world.platform, &ann.id, &app.shows(&world)).await;
        assert!(matches!(refused, Err(Error::TooMany(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn without_a_second_factor_there_is_nothing_to_recover() {
        let world = World::new().await;
        let ann = world.person("ann", &[]).await;
        let refused = world
            .call(Method::POST, "/api/v1/me/recovery-codes", Some(&ann), None)
            .await;
        assert_eq!(refused.status, 409);
    }
}
