//! Passkeys: added, named and removed by their person.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::me_totp::RecoveryCodes;
use super::{Body, FreshInPerson, InPerson, Items, PathParameters};
use crate::actor::{Actor, Client};
use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::people::passkeys;
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(list, add))
        .routes(routes!(rename, remove))
}

/// What the browser is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyChallenge {
    /// To be sent back with the browser's answer, within ten minutes.
    pub challenge: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub options: Value,
}

impl From<passkeys::Asked> for PasskeyChallenge {
    fn from(asked: passkeys::Asked) -> Self {
        Self {
            challenge: asked.challenge.expose().to_owned(),
            options: asked.options,
        }
    }
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passkey {
    /// Its id.
    pub id: Id,
    /// What you call it.
    pub name: String,
    /// Since when it is there.
    pub created_at: Time,
    /// When it last signed in.
    pub used_at: Option<Time>,
}

impl From<passkeys::Passkey> for Passkey {
    fn from(passkey: passkeys::Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created_at: passkey.created_at,
            used_at: passkey.used_at,
        }
    }
}

/// A passkey that the browser made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// As it was given.
    #[schema(value_type = String, max_length = 64)]
    pub challenge: Secret,
    /// What to call it.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// What `PublicKeyCredential.toJSON` wrote.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// A passkey that was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedPasskey {
    /// The passkey.
    #[serde(flatten)]
    pub passkey: Passkey,
    /// Codes for when it is lost, shown this once; empty where you have some.
    pub recovery_codes: Vec<String>,
}

/// What to call a passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyName {
    /// What to call it.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

/// Your passkeys, the oldest first
#[utoipa::path(
    get, path = "/api/v1/me/passkeys", tag = "me",
    responses((status = 200, body = Items<Passkey>), (status = 401, body = Problem))
)]
async fn list(State(platform): State<Platform>, actor: Actor) -> Result<Json<Items<Passkey>>> {
    let passkeys = platform
        .db
        .read(|c| Box::pin(async move { passkeys::list(c, &actor.user).await }))
        .await?;
    Ok(Json(Items::whole(passkeys.into_iter().map(Passkey::from).collect())))
}

/// Begin to add a passkey
#[utoipa::path(
    post, path = "/api/v1/me/passkeys/start", tag = "me",
    responses(
        (status = 200, body = PasskeyChallenge),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
    )
)]
async fn start(
    State(platform): State<Platform>,
    client: Client,
    FreshInPerson(actor): FreshInPerson,
) -> Result<Json<PasskeyChallenge>> {
    Ok(Json(passkeys::start(&platform, &client, &actor.user).await?.into()))
}

/// Add the passkey that the browser made
#[utoipa::path(
    post, path = "/api/v1/me/passkeys", tag = "me", request_body = NewPasskey,
    responses(
        (status = 201, body = AddedPasskey),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
        (status = 410, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn add(
    State(platform): State<Platform>,
    client: Client,
    FreshInPerson(actor): FreshInPerson,
    Body(new): Body<NewPasskey>,
) -> Result<(StatusCode, Json<AddedPasskey>)> {
    let added = passkeys::finish(&platform, &client, actor, &new.challenge, &new.name, new.credential).await?;
    let added = AddedPasskey {
        passkey: added.passkey.into(),
        recovery_codes: RecoveryCodes::from(added.recovery_codes).recovery_codes,
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Call a passkey something else
#[utoipa::path(
    patch, path = "/api/v1/me/passkeys/{id}", tag = "me", request_body = PasskeyName,
    params(("id" = Id, Path, description = "Of the passkey")),
    responses(
        (status = 200, body = Passkey),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn rename(
    State(platform): State<Platform>,
    InPerson(actor): InPerson,
    PathParameters(id): PathParameters<Id>,
    Body(PasskeyName { name }): Body<PasskeyName>,
) -> Result<Json<Passkey>> {
    let passkey = platform
        .db
        .write(move |c| Box::pin(async move { Ok(passkeys::rename(c, &actor.user, &id, &name).await?) }))
        .await?;
    Ok(Json(passkey.into()))
}

/// Remove a passkey
#[utoipa::path(
    delete, path = "/api/v1/me/passkeys/{id}", tag = "me", params(("id" = Id, Path, description = "Of the passkey")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem))
)]
async fn remove(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let there = passkeys::remove(c, &actor.user, &id).await?;
                Act::by(&actor, "passkey.remove", ("passkey", id.as_str()))
                    .record_if(there, c, now)
                    .await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::error::Error;
    use crate::people::challenges;
    use crate::people::passkeys::testing::Authenticator;
    use crate::testing::{Answer, Person, World, client};

    async fn asked(world: &World, person: &Person) -> (Value, Value) {
        let start = world
            .call(Method::POST, "/api/v1/me/passkeys/start", Some(person), None)
            .await;
        assert_eq!(start.status, 200, "{}", start.body);
        (start.body["challenge"].clone(), start.body["options"].clone())
    }

    async fn added(world: &World, person: &Person, key: &mut Authenticator) -> Answer {
        let (challenge, options) = asked(world, person).await;
        let body = json!({ "challenge": challenge, "name": "Phone", "credential": key.create(&options) });
        world.post("/api/v1/me/passkeys", Some(person), body).await
    }

    async fn signs_in(world: &World, key: &Authenticator) -> Result<Id> {
        let asked = passkeys::start_sign_in(&world.platform, &client()).await?;
        let answer = key.get(&asked.options);
        passkeys::sign_in(&world.platform, &client(), &asked.challenge, answer).await
    }

    #[tokio::test]
    async fn a_passkey_is_added_named_used_and_removed() {
        for world in World::both().await {
            let (ann, mut key) = (world.person("ann", &[]).await, Authenticator::new());
            let add = added(&world, &ann, &mut key).await;
            assert_eq!(add.status, 201, "{}", add.body);
            assert_eq!(add.body["recovery_codes"].as_array().unwrap().len(), 10);
            let path = format!("/api/v1/me/passkeys/{}", add.body["id"].as_str().unwrap());
            assert_eq!(signs_in(&world, &key).await.unwrap(), ann.id);

            let body = Some(json!({ "name": "Old phone" }));
            let named = world.call(Method::PATCH, &path, Some(&ann), body.clone()).await;
            assert_eq!(named.body["name"], "Old phone");
            let list = world.get("/api/v1/me/passkeys", Some(&ann)).await;
            assert_eq!(list.body["items"][0]["name"], "Old phone");
            assert!(list.body["items"][0]["used_at"].is_string());

            let bob = world.person("bob", &[]).await;
            assert_eq!(world.call(Method::PATCH, &path, Some(&bob), body).await.status, 404);
            assert_eq!(world.call(Method::DELETE, &path, Some(&bob), None).await.status, 404);
            assert_eq!(world.call(Method::DELETE, &path, Some(&ann), None).await.status, 204);
            assert!(matches!(signs_in(&world, &key).await, Err(Error::Unauthenticated(_))));
        }
    }

    #[tokio::test]
    async fn a_question_is_answered_once_in_time_and_by_whom_it_was_put_to() {
        for world in World::both().await {
            let (ann, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
            let mut key = Authenticator::new();
            let (challenge, options) = asked(&world, &ann).await;
            let body = json!({ "challenge": challenge, "name": "Key", "credential": key.create(&options) });
            let stolen = world.post("/api/v1/me/passkeys", Some(&bob), body.clone()).await;
            assert_eq!(stolen.status, 410, "{}", stolen.body);
            let late = world.post("/api/v1/me/passkeys", Some(&ann), body).await;
            assert_eq!(late.status, 410);

            assert_eq!(added(&world, &ann, &mut key).await.status, 201);
            let asked = passkeys::start_sign_in(&world.platform, &client()).await.unwrap();
            let answer = key.get(&asked.options);
            let again = async || passkeys::sign_in(&world.platform, &client(), &asked.challenge, answer.clone()).await;
            again().await.unwrap();
            assert!(matches!(again().await, Err(Error::Gone(_))));
            let asked = passkeys::start_sign_in(&world.platform, &client()).await.unwrap();
            world
                .platform
                .clock
                .advance(challenges::LIFETIME + Duration::from_secs(1));
            let late = passkeys::sign_in(&world.platform, &client(), &asked.challenge, key.get(&asked.options)).await;
            assert!(matches!(late, Err(Error::Gone(_))));
        }
    }

    #[tokio::test]
    async fn another_page_a_copy_and_a_key_that_asks_for_no_finger_are_refused() {
        for world in World::both().await {
            let (ann, mut key) = (world.person("ann", &[]).await, Authenticator::new());
            assert_eq!(added(&world, &ann, &mut key).await.status, 201);
            signs_in(&world, &key).await.unwrap();
            key.counter.fetch_sub(1, Ordering::SeqCst);
            assert!(matches!(signs_in(&world, &key).await, Err(Error::Unauthenticated(_))));
            signs_in(&world, &key).await.unwrap();

            key.origin = "https://live.example.org.evil.example".into();
            assert!(matches!(signs_in(&world, &key).await, Err(Error::Unauthenticated(_))));
            key.origin = "https://live.example.org".into();
            key.flags &= !0x04;
            assert!(matches!(signs_in(&world, &key).await, Err(Error::Unauthenticated(_))));
        }
    }

    #[tokio::test]
    async fn confirming_takes_a_passkey_of_the_same_person() {
        for world in World::both().await {
            let (ann, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
            let (mut ann_s, mut bob_s) = (Authenticator::new(), Authenticator::new());
            let none = passkeys::start_confirm(&world.platform, &client(), &ann.id).await;
            assert!(matches!(none, Err(Error::Conflict { .. })));
            added(&world, &ann, &mut ann_s).await;
            added(&world, &bob, &mut bob_s).await;
            let confirm = async |user: &Id, key: &Authenticator| {
                let asked = passkeys::start_confirm(&world.platform, &client(), user).await?;
                let answer = key.get(&asked.options);
                passkeys::confirm(&world.platform, &client(), user, &asked.challenge, answer).await
            };
            confirm(&ann.id, &ann_s).await.unwrap();
            assert!(matches!(confirm(&ann.id, &bob_s).await, Err(Error::Unauthenticated(_))));
        }
    }

    #[tokio::test]
    async fn what_is_no_passkey_is_said_to_be_none() {
        let world = World::new().await;
        let (ann, mut key) = (world.person("ann", &[]).await, Authenticator::new());
        let (challenge, options) = asked(&world, &ann).await;
        let nonsense = json!({ "challenge": challenge, "name": "Key", "credential": {} });
        let refused = world.post("/api/v1/me/passkeys", Some(&ann), nonsense).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["errors"][0]["pointer"]),
            (422, &json!("/credential"))
        );
        key.origin = "https://evil.example".into();
        let body = json!({ "challenge": challenge, "name": "Key", "credential": key.create(&options) });
        let refused = world.post("/api/v1/me/passkeys", Some(&ann), body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
}
