//! People, for those who run the server.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::me::Creator;
use crate::api::{Body, Items, PageQuery, PathParameters, Query};
use crate::audit::Act;
use crate::authorize::{Action, Binding, Resource, Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::profile::{self, Profile};
use crate::people::{erase, roles};
use crate::platform::{Change, Platform};
use crate::settings::Settings;
use crate::store::{self, Conn};
use crate::{all, run};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, change))
        .routes(routes!(suspend))
        .routes(routes!(restore))
}

/// A person, as those see them who run the server.
#[derive(Debug, Serialize, ToSchema)]
struct Person {
    /// Who.
    id: Id,
    /// The mail address.
    email: Option<String>,
    /// Whether it was shown to be theirs.
    email_verified: bool,
    /// What they are called.
    name: String,
    /// What they are, where.
    roles: Vec<Binding>,
    /// Whether they may stream.
    creator: Creator,
    /// When they were suspended.
    suspended_at: Option<Time>,
    /// Why.
    suspended_reason: Option<String>,
    /// When the account was made.
    created_at: Time,
    /// When they signed in last.
    signed_in_at: Option<Time>,
}

impl Person {
    async fn load(conn: &mut Conn<'_>, settings: &Settings, profile: Profile) -> store::Result<Self> {
        let roles = roles::of(conn, &profile.id).await?;
        Ok(Self {
            creator: Creator::of(settings, &profile, &roles),
            id: profile.id,
            email_verified: profile.email_verified_at.is_some(),
            email: profile.email,
            name: profile.name,
            roles,
            suspended_at: profile.suspended_at,
            suspended_reason: profile.suspended_reason,
            created_at: profile.created_at,
            signed_in_at: profile.signed_in_at,
        })
    }
}

/// Which people.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Part of the name or of the mail address.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Only who has this role on the server.
    role: Option<Role>,
    /// Only who is in this state.
    #[param(inline)]
    state: Option<State_>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The state of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountState)]
enum State_ {
    /// It may be used.
    Active,
    /// It was suspended.
    Suspended,
    /// Its person asked to stream and waits for an answer.
    Requested,
}

/// People
#[utoipa::path(get, path = "/api/v1/admin/users", tag = "admin", params(Filter), responses(
    (status = 200, body = Items<Person>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    Query(filter): Query<Filter>,
) -> Result<Json<Items<Person>>> {
    actor.must(Action::PeopleSee, Resource::Server)?;
    let page = PageQuery {
        limit: filter.limit,
        cursor: filter.cursor,
    };
    let (limit, (at, id)) = (page.limit()?, page.after()?);
    let like = filter
        .q
        .filter(|q| !q.is_empty())
        .map(|q| format!("%{}%", escaped(&q.to_lowercase())));
    let (role, state, settings) = (filter.role, filter.state, platform.settings().clone());
    let people = platform
        .db
        .read(|c| {
            Box::pin(async move {
                let profiles = all!(
                    c,
                    Profile,
                    "select id, email, email_verified_at, name, locale, creator_requested_at, suspended_at, suspended_reason, created_at, signed_in_at
                     from users where erased_at is null and (created_at, id) < ($1, $2)
                       and ($3 is null or lower(name) like $3 escape '!' or email_key like $3 escape '!')
                       and ($4 is null or exists (select 1 from role_bindings r where r.subject_id = users.id and r.role = $4 and r.scope = 'server'))
                       and (not $5 or suspended_at is null) and (not $6 or suspended_at is not null)
                       and (not $7 or (creator_requested_at is not null and not exists
                            (select 1 from role_bindings r where r.subject_id = users.id and r.role = 'creator' and r.scope = 'server')))
                     order by created_at desc, id desc limit $8",
                    at,
                    id,
                    like,
                    role,
                    state == Some(State_::Active),
                    state == Some(State_::Suspended),
                    state == Some(State_::Requested),
                    limit + 1
                )?;
                let mut people = Vec::new();
                for profile in profiles {
                    people.push(Person::load(c, &settings, profile).await?);
                }
                Ok(people)
            })
        })
        .await?;
    Ok(Json(Items::page(people, limit, |person| {
        (person.created_at, &person.id)
    })))
}

/// What stands for itself in a pattern.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(c);
    }
    escaped
}

/// One person
#[utoipa::path(get, path = "/api/v1/admin/users/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = Person), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
) -> Result<Json<Person>> {
    actor.must(Action::PeopleSee, Resource::Server)?;
    Ok(Json(load(&platform, id).await?))
}

async fn load(platform: &Platform, id: Id) -> Result<Person> {
    let settings = platform.settings().clone();
    let person = platform.db.read(|c| {
        Box::pin(async move {
            let profile = profile::find(c, &id).await?;
            Person::load(c, &settings, profile).await
        })
    });
    Ok(person.await?)
}

/// What to change of a person; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePerson {
    /// The roles on the whole server, all of them. Needs a fresh sign-in.
    roles: Option<Vec<Role>>,
    /// Whether they may stream.
    creator: Option<bool>,
}

/// Change what a person is
#[utoipa::path(patch, path = "/api/v1/admin/users/{id}", tag = "admin", params(("id" = String, Path)), request_body = ChangePerson,
    responses((status = 200, body = Person), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn change(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
    Body(wanted): Body<ChangePerson>,
) -> Result<Json<Person>> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    let before = load(&platform, id.clone()).await?;
    if let Some(roles) = wanted.roles {
        change_roles(&platform, &actor, &before, roles).await?;
    }
    if let Some(creator) = wanted.creator {
        change_creator(&platform, &actor, &id, creator).await?;
    }
    platform.changed(Change::User(id.clone()));
    Ok(Json(load(&platform, id).await?))
}

async fn change_roles(platform: &Platform, actor: &Actor, before: &Person, wanted: Vec<Role>) -> Result<()> {
    actor.must(Action::RolesManage, Resource::Server)?;
    actor.must_be_fresh(platform.clock.now())?;
    let had: Vec<Role> = before
        .roles
        .iter()
        .filter(|binding| binding.scope == Scope::Server)
        .map(|binding| binding.role)
        .collect();
    let owns = actor
        .roles
        .iter()
        .any(|binding| binding.role == Role::Owner && binding.scope == Scope::Server);
    if had.contains(&Role::Owner) != wanted.contains(&Role::Owner) && !owns {
        return Err(Error::Forbidden("only an owner makes and unmakes owners".into()));
    }
    let (id, by, now) = (before.id.clone(), actor.user.clone(), platform.clock.now());
    let detail = json!({"before": had, "after": wanted});
    let act = Act::by(actor, "role.change", ("user", id.as_str())).with(detail);
    let changed = platform.db.write(move |c| {
        Box::pin(async move {
            if had.contains(&Role::Owner) && !wanted.contains(&Role::Owner) && erase::is_last_owner(c, &id).await? {
                return Ok(false);
            }
            for role in Role::ALL {
                match (had.contains(&role), wanted.contains(&role)) {
                    (false, true) => roles::grant(c, &id, role, (Scope::Server, SERVER), Some(&by), now).await?,
                    (true, false) => drop(roles::withdraw(c, &id, role, (Scope::Server, SERVER)).await?),
                    _ => {}
                }
            }
            act.record(c, now).await?;
            Ok(true)
        })
    });
    changed.await?.then_some(()).ok_or(Error::Conflict {
        code: "last_owner",
        detail: "a server needs an owner: make somebody else one first".into(),
    })
}

async fn change_creator(platform: &Platform, actor: &Actor, id: &Id, creator: bool) -> Result<()> {
    let (id, by, now) = (id.clone(), actor.user.clone(), platform.clock.now());
    let action = if creator { "creator.grant" } else { "creator.withdraw" };
    let act = Act::by(actor, action, ("user", id.as_str()));
    let done = platform.db.write(move |c| {
        Box::pin(async move {
            if creator {
                roles::grant(c, &id, Role::Creator, (Scope::Server, SERVER), Some(&by), now).await?;
            } else {
                roles::withdraw(c, &id, Role::Creator, (Scope::Server, SERVER)).await?;
            }
            run!(c, "update users set creator_requested_at = null where id = $1", &id)?;
            act.record(c, now).await
        })
    });
    Ok(done.await?)
}

/// Why somebody is suspended: they are told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// In plain words.
    #[schema(min_length = 1, max_length = 300)]
    reason: String,
}

/// Suspend a person
///
/// They are signed out everywhere, their tokens stop working, and their live sources end.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/suspend", tag = "admin", params(("id" = String, Path)), request_body = Reason,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn suspend(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<StatusCode> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    if reason.trim().is_empty() || reason.chars().count() > 300 {
        return Err(Error::field("/reason", "must have 1 to 300 characters"));
    }
    let person = load(&platform, id.clone()).await?;
    let is = |role| {
        person
            .roles
            .iter()
            .any(|binding| binding.role == role && binding.scope == Scope::Server)
    };
    if id == actor.user || is(Role::Owner) {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "neither an owner nor oneself can be suspended".into(),
        });
    }
    let (now, who) = (platform.clock.now(), id.clone());
    let act = Act::by(&actor, "account.suspend", ("user", id.as_str())).with(json!({"reason": reason}));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let sql = "update users set suspended_at = $1, suspended_reason = $2 where id = $3";
                run!(c, sql, now, reason, &who)?;
                run!(
                    c,
                    "update sessions set revoked_at = $1 where user_id = $2 and revoked_at is null",
                    now,
                    &who
                )?;
                act.record(c, now).await
            })
        })
        .await?;
    platform.changed(Change::User(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Let a suspended person in again
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/restore", tag = "admin", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn restore(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    let (now, who) = (platform.clock.now(), id.clone());
    let act = Act::by(&actor, "account.restore", ("user", id.as_str()));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let sql =
                    "update users set suspended_at = null, suspended_reason = null where id = $1 and erased_at is null";
                match run!(c, sql, &who)? {
                    0 => Err(store::Error::Missing),
                    _ => act.record(c, now).await,
                }
            })
        })
        .await?;
    platform.changed(Change::User(id));
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::authorize::Role;
    use crate::testing::World;

    #[tokio::test]
    async fn an_administrator_makes_creators_and_only_an_owner_makes_owners() {
        for world in World::both().await {
            let owner = world.person("owner", &[Role::Owner]).await;
            let admin = world.person("admin", &[Role::Admin]).await;
            let lin = world.person("lin", &[]).await;
            let path = format!("/api/v1/admin/users/{}", lin.id);
            assert_eq!(world.get("/api/v1/admin/users", Some(&lin)).await.status, 403);
            assert_eq!(
                world
                    .call(Method::PATCH, &path, Some(&lin), Some(json!({"creator": true})))
                    .await
                    .status,
                403
            );
            let made = world
                .call(Method::PATCH, &path, Some(&admin), Some(json!({"creator": true})))
                .await;
            assert_eq!(made.body["creator"], "granted", "{}", made.body);
            let refused = world
                .call(Method::PATCH, &path, Some(&admin), Some(json!({"roles": ["owner"]})))
                .await;
            assert_eq!(refused.status, 403, "{}", refused.body);
            let made = world
                .call(Method::PATCH, &path, Some(&owner), Some(json!({"roles": ["owner"]})))
                .await;
            assert_eq!(made.status, 200, "{}", made.body);
            let own = format!("/api/v1/admin/users/{}", owner.id);
            assert_eq!(
                world
                    .call(Method::PATCH, &own, Some(&owner), Some(json!({"roles": []})))
                    .await
                    .status,
                200
            );
            let last = world
                .call(Method::PATCH, &path, Some(&lin), Some(json!({"roles": []})))
                .await;
            assert_eq!(last.body["code"], "last_owner");
        }
    }

    #[tokio::test]
    async fn a_suspended_person_is_out_until_restored() {
        for world in World::both().await {
            let admin = world.person("admin", &[Role::Admin]).await;
            let lin = world.person("lin_%", &[]).await;
            let path = format!("/api/v1/admin/users/{}/suspend", lin.id);
            assert_eq!(world.post(&path, Some(&admin), json!({"reason": ""})).await.status, 422);
            assert_eq!(
                world.post(&path, Some(&admin), json!({"reason": "spam"})).await.status,
                204
            );
            assert_eq!(world.get("/api/v1/me", Some(&lin)).await.status, 401);
            let found = world
                .get("/api/v1/admin/users?state=suspended&q=N_%25", Some(&admin))
                .await;
            assert_eq!(found.body["items"][0]["suspended_reason"], "spam", "{}", found.body);
            assert_eq!(
                world.get("/api/v1/admin/users?q=n%25_", Some(&admin)).await.body["items"],
                json!([])
            );
            let restore = format!("/api/v1/admin/users/{}/restore", lin.id);
            assert_eq!(world.post(&restore, Some(&admin), json!({})).await.status, 204);
            assert_eq!(
                world.get("/api/v1/me", Some(&lin)).await.status,
                401,
                "the old session stays ended"
            );
        }
    }
}
