//! Personal API tokens: made, listed and revoked by their person.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, FreshInPerson, InPerson, Items, PathParameters};
use crate::actor::Actor;
use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::people::tokens::{self, Scope};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// An API token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Its id: the part before the dot.
    pub id: Id,
    /// What you call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Since when it is there.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When it was last used, to within five minutes.
    pub used_at: Option<Time>,
}

impl From<tokens::Token> for Token {
    fn from(token: tokens::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes.0,
            created_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
        }
    }
}

/// A token to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What to call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// What it is good for. It never gives more than you may.
    #[schema(min_items = 1, max_items = 4)]
    pub scopes: Vec<Scope>,
    /// When it ends by itself, in days from now; never where this is left out.
    #[schema(minimum = 1, maximum = 3650)]
    pub expires_in_days: Option<u32>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// What is kept of it.
    pub token: Token,
    /// `ID.SECRET`, shown this once: for `Authorization: Bearer`, or as user and password of `Basic`.
    #[schema(value_type = String)]
    pub secret: String,
}

/// Your API tokens, the newest first
#[utoipa::path(
    get, path = "/api/v1/me/tokens", tag = "me",
    responses((status = 200, body = Items<Token>), (status = 401, body = Problem))
)]
async fn list(State(platform): State<Platform>, actor: Actor) -> Result<axum::Json<Items<Token>>> {
    let (user, environment) = (actor.user, actor.environment);
    let tokens = platform
        .db
        .read(|c| Box::pin(async move { tokens::list(c, &user, &environment).await }))
        .await?;
    Ok(axum::Json(Items::whole(tokens.into_iter().map(Token::from).collect())))
}

/// Make an API token
///
/// Only a person who signed in a moment ago may: a token makes no tokens.
#[utoipa::path(
    post, path = "/api/v1/me/tokens", tag = "me", request_body = NewToken,
    responses(
        (status = 201, body = MadeToken),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn create(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, axum::Json<MadeToken>)> {
    let now = platform.clock.now();
    let (token, secret) = platform
        .db
        .write(move |c| Box::pin(async move { Ok(make(c, &actor, &new, now).await?) }))
        .await?;
    let made = MadeToken {
        token: token.into(),
        secret: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

async fn make(
    conn: &mut crate::store::Conn<'_>,
    actor: &Actor,
    new: &NewToken,
    now: Time,
) -> Result<(tokens::Token, Secret)> {
    let wanted = tokens::New {
        user: &actor.user,
        environment: &actor.environment,
        name: &new.name,
        scopes: &new.scopes,
        expires_in_days: new.expires_in_days,
    };
    let (token, secret) = tokens::create(conn, wanted, now).await?;
    Act::by(actor, "token.create", ("token", token.id.as_str()))
        .with(json!({ "scopes": token.scopes.0 }))
        .record(conn, now)
        .await?;
    Ok((token, secret))
}

/// Revoke an API token
#[utoipa::path(
    delete, path = "/api/v1/me/tokens/{id}", tag = "me", params(("id" = Id, Path, description = "Of the token")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem))
)]
async fn revoke(
    State(platform): State<Platform>,
    InPerson(actor): InPerson,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let there = tokens::revoke(c, &actor.user, &actor.environment, &id, now).await?;
                Act::by(&actor, "token.revoke", ("token", id.as_str()))
                    .record_if(there, c, now)
                    .await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use http::{Method, Request, header};

    use super::*;
    use crate::actor::FRESH;
    use crate::authorize::Role;
    use crate::testing::{Answer, Person, World};

    async fn made(world: &World, person: &Person, body: serde_json::Value) -> (String, String) {
        let made = world.post("/api/v1/me/tokens", Some(person), body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&made.body["token"]["id"]), text(&made.body["secret"]))
    }

    async fn shown(world: &World, method: Method, path: &str, authorization: String) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, authorization)
            .body(Body::empty())
            .unwrap();
        world.send(request).await
    }

    async fn lists(world: &World, secret: &str) -> u16 {
        let answer = shown(world, Method::GET, "/api/v1/me/tokens", format!("Bearer {secret}")).await;
        answer.status.as_u16()
    }

    #[tokio::test]
    async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let new = json!({ "name": "deploy", "scopes": ["write", "read", "read"] });
            let (id, secret) = made(&world, &ann, new).await;
            let list = world.get("/api/v1/me/tokens", Some(&ann)).await;
            assert_eq!(list.body["items"][0]["scopes"], json!(["read", "write"]));
            let kept = secret.split_once('.').unwrap().1;
            assert!(!list.body.to_string().contains(kept));

            assert_eq!(lists(&world, &secret).await, 200);
            let basic = STANDARD.encode(secret.replacen('.', ":", 1));
            let answer = shown(&world, Method::GET, "/api/v1/me/tokens", format!("Basic {basic}")).await;
            assert_eq!(answer.status, 200);

            let path = format!("/api/v1/me/tokens/{id}");
            let gone = world.call(Method::DELETE, &path, Some(&ann), None).await;
            assert_eq!(gone.status, 204);
            assert_eq!(lists(&world, &secret).await, 401);
            assert_eq!(world.call(Method::DELETE, &path, Some(&ann), None).await.status, 404);
        }
    }

    #[tokio::test]
    async fn a_token_ends_when_it_was_said_to() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let new = json!({ "name": "a day", "scopes": ["read"], "expires_in_days": 1 });
            let (_, secret) = made(&world, &ann, new).await;
            world.platform.clock.advance(Duration::from_secs(86_399));
            assert_eq!(lists(&world, &secret).await, 200);
            world.platform.clock.advance(Duration::from_secs(1));
            assert_eq!(lists(&world, &secret).await, 401);
        }
    }

    #[tokio::test]
    async fn nobody_else_s_token_can_be_revoked_or_used_with_another_id() {
        for world in World::both().await {
            let (ann, bob) = (
                world.person("ann", &[]).await,
                world.person("bob", &[Role::Owner]).await,
            );
            let new = || json!({ "name": "mine", "scopes": ["admin"] });
            let (id, secret) = made(&world, &ann, new()).await;
            let (others_id, _) = made(&world, &bob, new()).await;
            let path = format!("/api/v1/me/tokens/{id}");
            assert_eq!(world.call(Method::DELETE, &path, Some(&bob), None).await.status, 404);
            assert_eq!(lists(&world, &secret.replace(&id, &others_id)).await, 401);
            assert_eq!(lists(&world, &secret).await, 200);
        }
    }

    #[tokio::test]
    async fn a_token_of_another_environment_is_neither_listed_nor_revoked() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            let (id, _) = made(&world, &ann, json!({ "name": "there", "scopes": ["read"] })).await;
            world
                .platform
                .db
                .write(|c| {
                    Box::pin(async move {
                        crate::run!(
                            c,
                            "insert into environments (id, organisation_id, name, created_at)
                             select 'enother', organisation_id, 'Other', created_at from environments"
                        )?;
                        crate::run!(c, "update tokens set environment_id = 'enother'")
                    })
                })
                .await
                .unwrap();
            let list = world.get("/api/v1/me/tokens", Some(&ann)).await;
            assert_eq!(list.body["items"], json!([]));
            let path = format!("/api/v1/me/tokens/{id}");
            assert_eq!(world.call(Method::DELETE, &path, Some(&ann), None).await.status, 404);
        }
    }

    #[tokio::test]
    async fn a_token_makes_no_tokens_and_an_old_sign_in_neither() {
        for world in World::both().await {
            let ann = world.person("ann", &[Role::Owner]).await;
            let new = json!({ "name": "all", "scopes": ["read", "write", "keys", "admin"] });
            let (id, secret) = made(&world, &ann, new.clone()).await;
            let request = Request::post("/api/v1/me/tokens")
                .header(header::AUTHORIZATION, format!("Bearer {secret}"))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(new.to_string()))
                .unwrap();
            assert_eq!(world.send(request).await.status, 403);
            let path = format!("/api/v1/me/tokens/{id}");
            let answer = shown(&world, Method::DELETE, &path, format!("Bearer {secret}")).await;
            assert_eq!(answer.status, 403);

            world.platform.clock.advance(FRESH + Duration::from_secs(1));
            let late = world.post("/api/v1/me/tokens", Some(&ann), new).await;
            assert_eq!(
                (late.status.as_u16(), &late.body["code"]),
                (403, &json!("fresh_sign_in_required"))
            );
        }
    }

    #[tokio::test]
    async fn what_a_token_may_be_has_limits() {
        for world in World::both().await {
            let ann = world.person("ann", &[]).await;
            for (bad, pointer) in [
                (json!({ "name": " ", "scopes": ["read"] }), "/name"),
                (json!({ "name": "n".repeat(81), "scopes": ["read"] }), "/name"),
                (json!({ "name": "a\u{0}", "scopes": ["read"] }), "/name"),
                (json!({ "name": "n", "scopes": [] }), "/scopes"),
                (
                    json!({ "name": "n", "scopes": ["read"], "expires_in_days": 0 }),
                    "/expires_in_days",
                ),
                (
                    json!({ "name": "n", "scopes": ["read"], "expires_in_days": 3651 }),
                    "/expires_in_days",
                ),
            ] {
                let refused = world.post("/api/v1/me/tokens", Some(&ann), bad).await;
                assert_eq!(
                    (refused.status.as_u16(), &refused.body["errors"][0]["pointer"]),
                    (422, &json!(pointer))
                );
            }
            let new = || json!({ "name": "n", "scopes": ["read"] });
            for _ in 0..tokens::QUOTA {
                made(&world, &ann, new()).await;
            }
            let refused = world.post("/api/v1/me/tokens", Some(&ann), new()).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["code"]),
                (403, &json!("quota_exceeded"))
            );
        }
    }
}
