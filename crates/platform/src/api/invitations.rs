//! Invitations, and links that wait to be passed on, for those who run the server.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, InPerson, Items, PageQuery, PathParameters, Query};
use crate::actor::{Actor, Client};
use crate::audit::Act;
use crate::authorize::{Action, Binding, Resource, Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::mail::Text;
use crate::people::email::Email;
use crate::people::links::{self, Kind, Link};
use crate::people::{post, reset, roles, users};
use crate::platform::Platform;
use crate::settings::{SignUp, days};
use crate::store::{self, Conn};
use crate::{all, run};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(withdraw))
        .routes(routes!(pending))
        .routes(routes!(reset_link))
        .routes(routes!(test_mail))
}

/// An invitation that nobody has used yet.
#[derive(Debug, Serialize, ToSchema)]
struct PendingInvitation {
    /// Of the invitation.
    id: Id,
    /// The address it is for; none where anybody may use it.
    email: Option<Email>,
    /// What whoever accepts it becomes on the server.
    role: Option<Role>,
    /// Who made it.
    created_by: Option<Id>,
    /// When.
    created_at: Time,
    /// Until when it is good.
    expires_at: Time,
}

impl From<Link> for PendingInvitation {
    fn from(link: Link) -> Self {
        Self {
            id: link.id,
            email: link.email,
            role: link.detail.bindings.first().map(|binding| binding.role),
            created_by: link.created_by,
            created_at: link.created_at,
            expires_at: link.expires_at,
        }
    }
}

/// Invitations that nobody has used yet
#[utoipa::path(get, path = "/api/v1/admin/invitations", tag = "admin", params(PageQuery), responses(
    (status = 200, body = Items<PendingInvitation>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    Query(page): Query<PageQuery>,
) -> Result<Json<Items<PendingInvitation>>> {
    actor.must(Action::PeopleSee, Resource::Server)?;
    let (limit, (at, id), now) = (page.limit()?, page.after()?, platform.clock.now());
    let links = platform
        .db
        .read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    Link,
                    "select id, kind, user_id, email, detail, created_by, created_at, expires_at, sealed from links
                     where kind = 'invite' and used_at is null and expires_at > $1 and (created_at, id) < ($2, $3)
                     order by created_at desc, id desc limit $4",
                    now,
                    at,
                    id,
                    limit + 1
                )
            })
        })
        .await?;
    let items = links.into_iter().map(PendingInvitation::from).collect();
    Ok(Json(Items::page(items, limit, |item: &PendingInvitation| {
        (item.created_at, &item.id)
    })))
}

/// Somebody who is to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    /// Their address: they get a mail, where the server sends any. Without one, anybody who has the link may use it, once.
    email: Option<Email>,
    /// What they become on the server: not an owner.
    role: Option<Role>,
    /// How long the invitation is good.
    #[schema(minimum = 1, maximum = 90)]
    expires_in_days: Option<u32>,
}

/// A new invitation.
#[derive(Debug, Serialize, ToSchema)]
struct Invited {
    /// The invitation.
    invitation: PendingInvitation,
    /// What to pass on: a whole address where the server knows its own, else a path of this server.
    url: String,
}

/// Invite somebody
#[utoipa::path(post, path = "/api/v1/admin/invitations", tag = "admin", request_body = Invite, responses(
    (status = 201, body = Invited), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
async fn invite(
    State(platform): State<Platform>,
    actor: Actor,
    Body(wanted): Body<Invite>,
) -> Result<(StatusCode, Json<Invited>)> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    let by_mail = post::ready(&platform)? && wanted.email.is_some();
    let new = checked(&platform, &actor, wanted, by_mail)?;
    let (ring, now, by) = (platform.ring(), platform.clock.now(), actor.clone());
    let to = new.email.clone();
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let (id, secret) = links::create(c, &ring, new, now).await?;
            let act = Act::by(&by, "invitation.create", ("link", id.as_str()));
            act.record(c, now).await?;
            let link = links::find(c, Kind::Invite, &secret, now).await?;
            Ok((link.ok_or(store::Error::Missing)?, secret))
        })
    });
    let (link, secret) = write.await?;
    let path = Kind::Invite.path(&secret);
    if let Some(to) = to.filter(|_| by_mail) {
        post::send(&platform, to, Text::Invitation(actor.name), Some(&path)).await?;
    }
    let invited = Invited {
        invitation: link.into(),
        url: shown(&platform, path),
    };
    Ok((StatusCode::CREATED, Json(invited)))
}

fn checked(platform: &Platform, actor: &Actor, wanted: Invite, by_mail: bool) -> Result<links::New> {
    if platform.settings().sign_up == SignUp::Closed {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "nobody can make an account here: open the sign-up to the invited first".into(),
        });
    }
    if let Some(email) = &wanted.email {
        email.check("/email")?;
    }
    match wanted.role {
        Some(Role::Owner) => return Err(Error::field("/role", "an owner is made out of somebody who is here")),
        Some(Role::Admin | Role::Moderator) => {
            actor.must(Action::RolesManage, Resource::Server)?;
            actor.must_be_fresh(platform.clock.now())?;
        }
        _ => {}
    }
    let lifetime = match wanted.expires_in_days {
        None => Kind::Invite.lifetime(),
        Some(count @ 1..=90) => days(count),
        Some(_) => return Err(Error::field("/expires_in_days", "1 to 90 days")),
    };
    let bindings = wanted.role.map(|role| Binding {
        role,
        scope: Scope::Server,
        scope_id: SERVER.into(),
    });
    Ok(links::New {
        kind: Kind::Invite,
        user: None,
        email: wanted.email,
        detail: links::Detail {
            bindings: bindings.into_iter().collect(),
            by_mail,
        },
        by: Some(actor.user.clone()),
        lifetime,
    })
}

/// What an administrator copies: the page that shows it knows its own address better than a request that may have been forged.
fn shown(platform: &Platform, path: String) -> String {
    post::url(platform, &path).unwrap_or(path)
}

/// Withdraw an invitation
#[utoipa::path(delete, path = "/api/v1/admin/invitations/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn withdraw(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<String>,
) -> Result<StatusCode> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    let now = platform.clock.now();
    let act = Act::by(&actor, "invitation.withdraw", ("link", &id));
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let gone = run!(
                c,
                "delete from links where id = $1 and kind = 'invite' and used_at is null",
                id
            )?;
            if gone == 0 {
                return Err(store::Error::Missing);
            }
            act.record(c, now).await
        })
    });
    write.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link that waits to be passed on.
#[derive(Debug, Serialize, ToSchema)]
struct PendingLink {
    /// Of the link.
    id: Id,
    /// What it does.
    kind: Kind,
    /// Whom it is for.
    user: LinkUser,
    /// The address it is for.
    email: Option<Email>,
    /// What to pass on: a whole address where the server knows its own, else a path of this server.
    url: String,
    /// Until when it is good.
    expires_at: Time,
}

/// Whom a link is for.
#[derive(Debug, Serialize, ToSchema)]
struct LinkUser {
    /// Who.
    id: Id,
    /// What they are called.
    name: String,
}

/// Links that people wait for, where the server sends no mail
///
/// A link is as good as a password: those of owners are seen by owners only, and looking is noted in the audit log.
#[utoipa::path(get, path = "/api/v1/admin/links", tag = "admin", responses(
    (status = 200, body = Items<PendingLink>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn pending(State(platform): State<Platform>, InPerson(actor): InPerson) -> Result<Json<Items<PendingLink>>> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    if platform.settings().mail.is_some() {
        return Ok(Json(Items::whole(Vec::new())));
    }
    let (ring, now, who) = (platform.ring(), platform.clock.now(), actor.clone());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let links = waiting(c, &who, now).await?;
            if !links.is_empty() {
                let act = Act::by(&who, "link.reveal", ("server", "server"));
                let seen: Vec<&Id> = links.iter().map(|(link, _)| &link.id).collect();
                act.with(json!({"links": seen})).record(c, now).await?;
            }
            Ok(links)
        })
    });
    let mut items = Vec::new();
    for (link, user) in write.await? {
        // One that another ring sealed cannot be passed on; its person asks for a new one.
        let Ok(secret) = link.secret(&ring) else { continue };
        items.push(PendingLink {
            url: shown(&platform, link.kind.path(&secret)),
            id: link.id,
            kind: link.kind,
            user,
            email: link.email,
            expires_at: link.expires_at,
        });
    }
    Ok(Json(Items::whole(items)))
}

async fn waiting(conn: &mut Conn<'_>, actor: &Actor, now: Time) -> store::Result<Vec<(Link, LinkUser)>> {
    let links = all!(
        conn,
        Link,
        "select id, kind, user_id, email, detail, created_by, created_at, expires_at, sealed from links
         where kind in ('verify', 'reset', 'email') and used_at is null and expires_at > $1 and user_id is not null
         order by created_at desc, id desc limit 100",
        now
    )?;
    let mut waiting = Vec::new();
    for link in links {
        let Some(id) = link.user_id.clone() else { continue };
        if !owns(&roles::of(conn, &id).await?) || owns(&actor.roles) {
            let name = users::by_id(conn, &id).await?.name;
            waiting.push((link, LinkUser { id, name }));
        }
    }
    Ok(waiting)
}

fn owns(roles: &[Binding]) -> bool {
    roles
        .iter()
        .any(|binding| binding.role == Role::Owner && binding.scope == Scope::Server)
}

/// A link to pass on.
#[derive(Debug, Serialize, ToSchema)]
struct ResetLink {
    /// What to pass on: a whole address where the server knows its own, else a path of this server.
    url: String,
}

/// Make a link with which somebody sets a new password
///
/// Only an owner makes one for an owner.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/reset-link", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = ResetLink), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn reset_link(
    State(platform): State<Platform>,
    InPerson(actor): InPerson,
    PathParameters(id): PathParameters<Id>,
) -> Result<Json<ResetLink>> {
    actor.must(Action::PeopleManage, Resource::Server)?;
    actor.must_be_fresh(platform.clock.now())?;
    let (ring, now) = (platform.ring(), platform.clock.now());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let user = users::by_id(c, &id).await?;
            if user.erased_at.is_some() {
                return Err(store::Error::Missing);
            }
            if owns(&roles::of(c, &id).await?) && !owns(&actor.roles) {
                return Err(Error::Forbidden("only an owner does this for an owner".into()).into());
            }
            let new = reset::link(&user, false, Some(actor.user.clone()));
            let (_, secret) = links::create(c, &ring, new, now).await?;
            let act = Act::by(&actor, "password.reset_link", ("user", id.as_str()));
            act.record(c, now).await?;
            Ok(secret)
        })
    });
    let path = Kind::Reset.path(&write.await?);
    Ok(Json(ResetLink {
        url: shown(&platform, path),
    }))
}

/// Whom to send a mail to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailTest {
    /// To whom.
    to: Email,
}

/// Send a mail with the settings as they are
///
/// What goes wrong is said in the mail server's own words.
#[utoipa::path(post, path = "/api/v1/admin/settings/test-mail", tag = "admin", request_body = MailTest, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn test_mail(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    Body(MailTest { to }): Body<MailTest>,
) -> Result<StatusCode> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let server = post::server(&platform).await?.ok_or(Error::Conflict {
        code: "conflict",
        detail: "no mail server is set".into(),
    })?;
    super::setup::try_mail(&platform, &server, to, &client).await
}
