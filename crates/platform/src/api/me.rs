//! The person who is signed in.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::{Actor, Credential};
use crate::api::{Body, FreshInPerson, InPerson, Items, PathParameters};
use crate::audit::Act;
use crate::authorize::Binding;
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::factors::{self, Factors};
use crate::people::profile::{self, Changes, Profile};
use crate::people::{erase, export};
use crate::platform::Platform;
use crate::settings::Settings;
use crate::store::{self, Conn};
use crate::{all, one, run};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(me, change_me, delete_me))
        .routes(routes!(request_creator))
        .routes(routes!(sessions, end_other_sessions))
        .routes(routes!(end_session))
        .routes(routes!(export_me))
}

/// The person who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Who.
    pub id: Id,
    /// The mail address.
    pub email: Option<String>,
    /// Whether it was shown to be theirs.
    pub email_verified: bool,
    /// What they are called.
    pub name: String,
    /// The language they read, as a BCP 47 tag.
    pub locale: String,
    /// What they are, where.
    pub roles: Vec<Binding>,
    /// Whether they may stream.
    pub creator: Creator,
    /// How much of what they may have.
    pub quotas: Quotas,
    /// How they prove who they are.
    pub factors: Factors,
    /// Whether a second factor is asked of their roles and missing.
    pub factor_required: bool,
    /// Whether they proved who they are within the last ten minutes.
    pub fresh: bool,
    /// When the account was made.
    pub created_at: Time,
}

/// Whether somebody may stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Creator {
    /// They may not, and have not asked.
    None,
    /// They have asked.
    Requested,
    /// They may.
    Granted,
}

impl Creator {
    /// What it is for a person with these roles.
    pub fn of(settings: &Settings, profile: &Profile, roles: &[Binding]) -> Self {
        match profile::may_stream(settings, roles) {
            true => Self::Granted,
            false if profile.creator_requested_at.is_some() => Self::Requested,
            false => Self::None,
        }
    }
}

/// How much of what somebody may have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnQuotas)]
pub struct Quotas {
    /// Channels.
    pub channels: Quota,
    /// Streams.
    pub streams: Quota,
    /// Keys of one stream.
    pub keys_per_stream: u32,
    /// Broadcasts that are live at once.
    pub broadcasts_at_once: u32,
}

/// How many there are, and may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quota {
    /// There are.
    pub used: i64,
    /// There may be.
    pub max: u32,
}

impl Me {
    /// Reads everything that is told of whoever is signed in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load(platform: &Platform, user: &Id, fresh: bool) -> Result<Self> {
        let (settings, who) = (platform.settings().clone(), user.clone());
        let me = platform
            .db
            .read(|c| Box::pin(async move { Self::read(c, &settings, &who, fresh).await }));
        Ok(me.await?)
    }

    async fn read(conn: &mut Conn<'_>, settings: &Settings, user: &Id, fresh: bool) -> store::Result<Self> {
        let profile = profile::find(conn, user).await?;
        let roles = crate::people::roles::of(conn, user).await?;
        let factors = factors::of(conn, user).await?;
        let (channels, streams) = one!(
            conn,
            (i64, i64),
            "select (select count(*) from channels where owner_id = $1 and deleted_at is null),
                    (select count(*) from streams where owner_id = $1 and deleted_at is null)",
            user
        )?;
        Ok(Self {
            creator: Creator::of(settings, &profile, &roles),
            quotas: Quotas {
                channels: Quota {
                    used: channels,
                    max: settings.quotas.channels,
                },
                streams: Quota {
                    used: streams,
                    max: settings.quotas.streams,
                },
                keys_per_stream: settings.quotas.keys_per_stream,
                broadcasts_at_once: settings.quotas.broadcasts_at_once,
            },
            factor_required: factors::demanded(settings, &roles) && !factors.second(),
            factors,
            fresh,
            id: profile.id,
            email_verified: profile.email_verified_at.is_some(),
            email: profile.email,
            name: profile.name,
            locale: profile.locale,
            roles,
            created_at: profile.created_at,
        })
    }
}

/// The person who is signed in
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses(
    (status = 200, body = Me), (status = 401, body = Problem)))]
async fn me(State(platform): State<Platform>, actor: Actor) -> Result<Json<Me>> {
    let fresh = actor.must_be_fresh(platform.clock.now()).is_ok();
    Ok(Json(Me::load(&platform, &actor.user, fresh).await?))
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    /// What you are called.
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// The language you read, as a BCP 47 tag.
    #[schema(min_length = 1, max_length = 35)]
    locale: Option<String>,
}

/// Change your profile
#[utoipa::path(patch, path = "/api/v1/me", tag = "me", request_body = ChangeMe, responses(
    (status = 200, body = Me), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn change_me(State(platform): State<Platform>, actor: Actor, Body(wanted): Body<ChangeMe>) -> Result<Json<Me>> {
    let changes = Changes {
        name: wanted.name,
        locale: wanted.locale,
    }
    .check()?;
    let (user, now) = (actor.user.clone(), platform.clock.now());
    platform
        .db
        .write(move |c| Box::pin(async move { profile::change(c, &user, changes, now).await }))
        .await?;
    me(State(platform), actor).await
}

/// Delete your account
///
/// Your channels and streams end; what the audit log says of you stays, without your name.
#[utoipa::path(delete, path = "/api/v1/me", tag = "me", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn delete_me(State(platform): State<Platform>, FreshInPerson(actor): FreshInPerson) -> Result<StatusCode> {
    erase::erase(&platform, &actor.user).await?;
    let (act, now) = (
        Act::by(&actor, "account.delete", ("user", actor.user.as_str())),
        platform.clock.now(),
    );
    platform.db.write(move |c| Box::pin(act.record(c, now))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask to stream
#[utoipa::path(post, path = "/api/v1/me/creator-request", tag = "me", responses(
    (status = 200, body = Me), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn request_creator(State(platform): State<Platform>, actor: Actor) -> Result<Json<Me>> {
    if platform.settings().creators == crate::settings::Creators::Invite {
        return Err(Error::Forbidden(
            "who may stream is chosen by the people who run this server".into(),
        ));
    }
    let (user, now) = (actor.user.clone(), platform.clock.now());
    let act = Act::by(&actor, "creator.request", ("user", actor.user.as_str()));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                profile::request_creator(c, &user, now).await?;
                act.record(c, now).await
            })
        })
        .await?;
    me(State(platform), actor).await
}

/// A signed-in browser.
#[derive(Debug, Serialize, ToSchema)]
struct SessionItem {
    /// Of the session.
    id: Id,
    /// The one that asks.
    current: bool,
    /// How it signed in.
    method: String,
    /// The browser, as it calls itself.
    user_agent: String,
    /// From where it signed in.
    address: String,
    /// When it signed in.
    created_at: Time,
    /// When it was used last, to five minutes.
    seen_at: Time,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Id,
    method: String,
    user_agent: String,
    address: String,
    created_at: Time,
    seen_at: Time,
}

/// Where you are signed in
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses(
    (status = 200, body = Items<SessionItem>), (status = 401, body = Problem)))]
async fn sessions(State(platform): State<Platform>, actor: Actor) -> Result<Json<Items<SessionItem>>> {
    let (user, now) = (actor.user.clone(), platform.clock.now());
    let rows = platform
        .db
        .read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    SessionRow,
                    "select id, method, user_agent, address, created_at, seen_at from sessions
                     where user_id = $1 and revoked_at is null and expires_at > $2 order by seen_at desc limit 100",
                    user,
                    now
                )
            })
        })
        .await?;
    let own = current(&actor);
    let items = rows.into_iter().map(|row| SessionItem {
        current: own == Some(&row.id),
        id: row.id,
        method: row.method,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        seen_at: row.seen_at,
    });
    Ok(Json(Items::whole(items.collect())))
}

fn current(actor: &Actor) -> Option<&Id> {
    match &actor.credential {
        Credential::Session { id, .. } => Some(id),
        Credential::Token { .. } => None,
    }
}

/// Sign one browser out
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "me", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn end_session(
    State(platform): State<Platform>,
    InPerson(actor): InPerson,
    PathParameters(id): PathParameters<String>,
) -> Result<StatusCode> {
    let (user, now) = (actor.user.clone(), platform.clock.now());
    let act = Act::by(&actor, "session.end", ("session", &id));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let sql = "update sessions set revoked_at = $1 where id = $2 and user_id = $3 and revoked_at is null";
                match run!(c, sql, now, id, &user)? {
                    0 => Err(store::Error::Missing),
                    _ => act.record(c, now).await,
                }
            })
        })
        .await?;
    platform.changed(crate::platform::Change::User(actor.user));
    Ok(StatusCode::NO_CONTENT)
}

/// Sign all other browsers out
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "me", responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn end_other_sessions(State(platform): State<Platform>, actor: Actor) -> Result<StatusCode> {
    let own = actor.must_be_in_person()?.clone();
    let (user, now) = (actor.user.clone(), platform.clock.now());
    let act = Act::by(&actor, "session.end_others", ("user", actor.user.as_str()));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let sql = "update sessions set revoked_at = $1 where user_id = $2 and id <> $3 and revoked_at is null";
                run!(c, sql, now, &user, own)?;
                act.record(c, now).await
            })
        })
        .await?;
    platform.changed(crate::platform::Change::User(actor.user));
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is kept about you
#[utoipa::path(get, path = "/api/v1/me/export", tag = "me", responses(
    (status = 200, body = serde_json::Value), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn export_me(State(platform): State<Platform>, InPerson(actor): InPerson) -> Result<Response> {
    let user = actor.user.clone();
    let export = platform
        .db
        .read(|c| Box::pin(async move { export::of(c, &user).await }))
        .await?;
    let headers = [
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, Json(export)).into_response())
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::authorize::Role;
    use crate::testing::World;

    #[tokio::test]
    async fn somebody_sees_and_changes_only_what_is_theirs_to_change() {
        for world in World::both().await {
            let ada = world.person("ada", &[Role::Creator]).await;
            assert_eq!(world.get("/api/v1/me", None).await.status, 401);
            let me = world.get("/api/v1/me", Some(&ada)).await;
            assert_eq!(
                (me.status.as_u16(), &me.body["creator"]),
                (200, &json!("granted")),
                "{}",
                me.body
            );
            let changed = world
                .call(
                    Method::PATCH,
                    "/api/v1/me",
                    Some(&ada),
                    Some(json!({"name": " Ada L. "})),
                )
                .await;
            assert_eq!(changed.body["name"], "Ada L.");
            for bad in [
                json!({"name": ""}),
                json!({"name": "x".repeat(81)}),
                json!({"name": "a\u{0}b"}),
                json!({"locale": "../x"}),
                json!({"roles": []}),
                json!({"email_verified": true}),
            ] {
                let refused = world
                    .call(Method::PATCH, "/api/v1/me", Some(&ada), Some(bad.clone()))
                    .await;
                assert_eq!(refused.status, 422, "{bad}: {}", refused.body);
            }
        }
    }

    #[tokio::test]
    async fn a_browser_that_is_signed_out_is_out_at_once() {
        for world in World::both().await {
            let (ada, lin) = (world.person("ada", &[]).await, world.person("lin", &[]).await);
            let list = world.get("/api/v1/me/sessions", Some(&ada)).await;
            let id = list.body["items"][0]["id"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/me/sessions/{id}");
            assert_eq!(
                world.call(Method::DELETE, &path, Some(&lin), None).await.status,
                404,
                "not hers"
            );
            assert_eq!(
                world
                    .call(Method::DELETE, "/api/v1/me/sessions", Some(&ada), None)
                    .await
                    .status,
                204
            );
            assert_eq!(world.get("/api/v1/me", Some(&ada)).await.status, 200, "her own stays");
            assert_eq!(world.call(Method::DELETE, &path, Some(&ada), None).await.status, 204);
            assert_eq!(world.get("/api/v1/me", Some(&ada)).await.status, 401);
            assert_eq!(world.call(Method::DELETE, &path, Some(&lin), None).await.status, 404);
        }
    }

    #[tokio::test]
    async fn an_erased_person_is_forgotten_and_the_audit_log_is_not() {
        for world in World::both().await {
            let (ada, lin) = (
                world.person("ada", &[Role::Owner]).await,
                world.person("lin", &[]).await,
            );
            let refused = world.call(Method::DELETE, "/api/v1/me", Some(&ada), None).await;
            assert_eq!(refused.body["code"], "last_owner");
            let export = world.get("/api/v1/me/export", Some(&lin)).await;
            assert_eq!(export.body["account"]["email"], "lin@example.org");
            assert_eq!(
                world.call(Method::DELETE, "/api/v1/me", Some(&lin), None).await.status,
                204
            );
            assert_eq!(world.get("/api/v1/me", Some(&lin)).await.status, 401);
            let audit = world.get("/api/v1/admin/audit", Some(&ada)).await;
            let newest = &audit.body["items"][0];
            assert_eq!(
                (&newest["action"], &newest["actor"]["name"]),
                (&json!("account.delete"), &json!("deleted account"))
            );
            let people = world.get("/api/v1/admin/users?q=lin", Some(&ada)).await;
            assert_eq!(people.body["items"], json!([]));
        }
    }

    #[tokio::test]
    async fn an_old_sign_in_is_not_enough_to_delete_an_account() {
        let world = World::new().await;
        let lin = world.person("lin", &[]).await;
        world.platform.clock.advance(std::time::Duration::from_secs(601));
        let refused = world.call(Method::DELETE, "/api/v1/me", Some(&lin), None).await;
        assert_eq!(refused.body["code"], "fresh_sign_in_required");
    }
}
