//! Providers of identities, as an administrator sets them up.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, Fresh, Items, PathParameters};
use crate::actor::Actor;
use crate::audit::Act;
use crate::authorize::{Action, Resource};
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::{oidc, providers};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(change, remove))
}

/// A provider of identities. Its secret is never shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityProvider {
    /// Its id.
    pub id: Id,
    /// Its place in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Its own name for itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// Whether there is a secret to show it.
    pub has_secret: bool,
    /// Whether somebody it knows may make an account here, as far as the server's settings allow.
    pub sign_up: bool,
    /// Whether it is offered.
    pub enabled: bool,
    /// What it must be told as redirect URI; none while the server's own address is not set.
    pub redirect_uri: Option<String>,
    /// Since when it is there.
    pub created_at: Time,
}

impl IdentityProvider {
    fn of(platform: &Platform, provider: providers::Provider) -> Self {
        Self {
            redirect_uri: oidc::redirect_uri(platform, &provider.slug).ok(),
            has_secret: provider.client_secret.is_some(),
            id: provider.id,
            slug: provider.slug,
            name: provider.name,
            issuer: provider.issuer,
            client_id: provider.client_id,
            sign_up: provider.sign_up,
            enabled: provider.enabled,
            created_at: provider.created_at,
        }
    }
}

/// A provider to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIdentityProvider {
    /// Its place in addresses; it stays.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9-]+$")]
    pub slug: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// Its own name for itself, letter by letter as its discovery document says it; it stays.
    #[schema(min_length = 1, max_length = 500)]
    pub issuer: String,
    /// What it calls this server.
    #[schema(min_length = 1, max_length = 500)]
    pub client_id: String,
    /// What this server shows it, where it wants that.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    pub client_secret: Option<Secret>,
    /// Whether somebody it knows may make an account here.
    #[serde(default)]
    pub sign_up: bool,
    /// Whether it is offered.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What to change of a provider; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityProviderChanges {
    /// What people call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// What it calls this server.
    #[schema(min_length = 1, max_length = 500)]
    pub client_id: Option<String>,
    /// What this server shows it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    pub client_secret: Option<Secret>,
    /// Whether somebody it knows may make an account here.
    pub sign_up: Option<bool>,
    /// Whether it is offered.
    pub enabled: Option<bool>,
}

/// Every provider of identities, by name
#[utoipa::path(
    get, path = "/api/v1/admin/providers", tag = "admin",
    responses((status = 200, body = Items<IdentityProvider>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn list(State(platform): State<Platform>, actor: Actor) -> Result<Json<Items<IdentityProvider>>> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let found = platform
        .db
        .read(|c| Box::pin(async move { providers::list(c).await }))
        .await?;
    let shown = found
        .into_iter()
        .map(|provider| IdentityProvider::of(&platform, provider));
    Ok(Json(Items::whole(shown.collect())))
}

/// Set up a provider of identities
#[utoipa::path(
    post, path = "/api/v1/admin/providers", tag = "admin", request_body = NewIdentityProvider,
    responses(
        (status = 201, body = IdentityProvider),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn create(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    Body(new): Body<NewIdentityProvider>,
) -> Result<(StatusCode, Json<IdentityProvider>)> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let new = providers::New {
        slug: new.slug,
        name: new.name,
        issuer: new.issuer,
        client_id: new.client_id,
        client_secret: new.client_secret,
        sign_up: new.sign_up,
        enabled: new.enabled,
    };
    let (ring, now) = (platform.ring(), platform.clock.now());
    let near = platform.options.outbound_allow.clone();
    let provider = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let provider = providers::create(c, &ring, &near, new, now).await?;
                Act::by(&actor, "provider.create", ("provider", provider.id.as_str()))
                    .with(json!({ "slug": provider.slug, "issuer": provider.issuer }))
                    .record(c, now)
                    .await?;
                Ok(provider)
            })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(IdentityProvider::of(&platform, provider))))
}

/// Change a provider of identities
#[utoipa::path(
    patch, path = "/api/v1/admin/providers/{id}", tag = "admin", request_body = IdentityProviderChanges,
    params(("id" = Id, Path, description = "Of the provider")),
    responses(
        (status = 200, body = IdentityProvider),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
async fn change(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters(id): PathParameters<Id>,
    Body(changes): Body<IdentityProviderChanges>,
) -> Result<Json<IdentityProvider>> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let changes = providers::Changes {
        name: changes.name,
        client_id: changes.client_id,
        client_secret: changes.client_secret,
        sign_up: changes.sign_up,
        enabled: changes.enabled,
    };
    let (ring, now) = (platform.ring(), platform.clock.now());
    let provider = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let secret = changes.client_secret.is_some();
                let provider = providers::change(c, &ring, &id, changes, now).await?;
                Act::by(&actor, "provider.change", ("provider", id.as_str()))
                    .with(json!({ "sign_up": provider.sign_up, "enabled": provider.enabled, "secret_changed": secret }))
                    .record(c, now)
                    .await?;
                Ok(provider)
            })
        })
        .await?;
    Ok(Json(IdentityProvider::of(&platform, provider)))
}

/// Remove a provider of identities, and every link to it
#[utoipa::path(
    delete, path = "/api/v1/admin/providers/{id}", tag = "admin", params(("id" = Id, Path, description = "Of the provider")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem))
)]
async fn remove(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let now = platform.clock.now();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let unlinked = providers::remove(c, &id).await?.ok_or(Error::NotFound)?;
                Act::by(&actor, "provider.remove", ("provider", id.as_str()))
                    .with(json!({ "identities": unlinked }))
                    .record(c, now)
                    .await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::Value;

    use super::*;
    use crate::authorize::Role;
    use crate::testing::{Answer, Person, World};

    const PATH: &str = "/api/v1/admin/providers";

    fn new() -> Value {
        json!({
            "slug": "club", "name": "The club", "issuer": "https://id.example.org", "client_id": "headwater",
            "client_secret": "canary-secret", "sign_up": true,
        })
    }

    async fn made(world: &World, admin: &Person) -> Answer {
        let made = world.post(PATH, Some(admin), new()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made
    }

    #[tokio::test]
    async fn a_provider_is_set_up_changed_and_removed_and_its_secret_never_shown() {
        for world in World::both().await {
            let admin = world.person("ann", &[Role::Admin]).await;
            let provider = made(&world, &admin).await.body;
            assert_eq!(
                provider["redirect_uri"],
                "https://live.example.org/api/v1/auth/oidc/club/callback"
            );
            let path = format!("{PATH}/{}", provider["id"].as_str().unwrap());
            let body = Some(json!({ "name": "Our club", "enabled": false }));
            let changed = world.call(Method::PATCH, &path, Some(&admin), body).await;
            assert_eq!(
                (changed.status.as_u16(), &changed.body["has_secret"]),
                (200, &json!(true))
            );
            let list = world.get(PATH, Some(&admin)).await;
            assert_eq!(list.body["items"], json!([changed.body]));
            let audit = world.get("/api/v1/admin/audit", Some(&admin)).await;
            for answer in [&provider, &changed.body, &list.body, &audit.body] {
                assert!(!answer.to_string().contains("canary"), "{answer}");
            }
            assert_eq!(world.call(Method::DELETE, &path, Some(&admin), None).await.status, 204);
            assert_eq!(world.call(Method::DELETE, &path, Some(&admin), None).await.status, 404);
        }
    }

    #[tokio::test]
    async fn only_administrators_see_and_make_providers() {
        for world in World::both().await {
            let moderator = world.person("mo", &[Role::Moderator, Role::Creator]).await;
            assert_eq!(world.get(PATH, Some(&moderator)).await.status, 403);
            assert_eq!(world.post(PATH, Some(&moderator), new()).await.status, 403);
            assert_eq!(world.post(PATH, None, new()).await.status, 401);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_a_provider_is_refused() {
        for world in World::both().await {
            let admin = world.person("ann", &[Role::Admin]).await;
            made(&world, &admin).await;
            assert_eq!(world.post(PATH, Some(&admin), new()).await.status, 409);
            for (field, bad) in [
                ("slug", "A b"),
                ("issuer", "http://id.example.org"),
                ("name", ""),
                ("client_secret", "a\nb"),
            ] {
                let mut body = new();
                body["slug"] = "other".into();
                body[field] = bad.into();
                let refused = world.post(PATH, Some(&admin), body).await;
                let pointer = json!(format!("/{field}"));
                assert_eq!(
                    (refused.status.as_u16(), &refused.body["errors"][0]["pointer"]),
                    (422, &pointer)
                );
            }
        }
    }
}
