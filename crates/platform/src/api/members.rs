//! Who belongs to a channel.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::channels::Owner;
use crate::api::extract::{Body, PathParameters, Query};
use crate::api::page::{Items, PageQuery};
use crate::audit::Act;
use crate::authorize::Action;
use crate::channels::{self, members, members::MemberRole};
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::people::email::Email;
use crate::platform::{Change, Platform};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove))
}

/// A member of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// The person.
    pub user: Owner,
    /// What they are.
    pub role: MemberRole,
    /// Since when.
    pub created_at: Time,
}

/// The members of a channel
#[utoipa::path(get, path = "/api/v1/channels/{channel}/members", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle"), PageQuery),
    responses((status = 200, body = Items<Member>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Items<Member>>> {
    let (limit, before, now) = (page.limit()?, page.after()?, platform.clock.now());
    let read = platform.db.read(|c| {
        Box::pin(async move {
            let channel = channels::find_for(c, &actor, Action::ChannelMembers, &address, now).await?;
            members::list(c, &channel.id, before, limit + 1).await
        })
    });
    let page = Items::page(read.await?, limit, |row| (row.created_at, row.user_id.as_str()));
    Ok(axum::Json(page.map(|row| Member {
        user: Owner {
            id: row.user_id,
            name: row.name,
        },
        role: row.role,
        created_at: row.created_at,
    })))
}

/// Somebody who is to be a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMember {
    /// The mail address of their account.
    email: Email,
    /// What they will be, in the place of what they were.
    role: MemberRole,
}

/// Add a member by the mail address of an account
///
/// The answer does not tell whether there is such an account.
#[utoipa::path(post, path = "/api/v1/channels/{channel}/members", tag = "channels", request_body = NewMember,
    params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
    Body(body): Body<NewMember>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    body.email.check("/email")?;
    let key = body.email.key();
    let added = platform.db.write(move |c| {
        Box::pin(async move {
            let channel = channels::find_for(c, &actor, Action::ChannelMembers, &address, now).await?;
            let added = members::add(c, &channel, &key, (body.role, &actor.user), now).await?;
            if let Some(person) = added {
                let act = Act::by(&actor, "channel.member_add", ("channel", channel.id.as_str()));
                act.with(json!({"user": person, "role": body.role}))
                    .record(c, now)
                    .await?;
            }
            Ok(channel.id)
        })
    });
    platform.changed(Change::Channel(added.await?));
    Ok(StatusCode::ACCEPTED)
}

/// Take a member out of a channel, or leave it
#[utoipa::path(delete, path = "/api/v1/channels/{channel}/members/{user}", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle"), ("user" = Id, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters((address, user)): PathParameters<(String, Id)>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    let removed = platform.db.write(move |c| {
        Box::pin(async move {
            // Whoever belongs to it may leave it.
            let action = if actor.user == user {
                Action::ChannelSee
            } else {
                Action::ChannelMembers
            };
            let channel = channels::find_for(c, &actor, action, &address, now).await?;
            let there = members::remove(c, &channel.id, &user).await?;
            let act = Act::by(&actor, "channel.member_remove", ("channel", channel.id.as_str()));
            act.with(json!({"user": user})).record_if(there, c, now).await?;
            Ok(channel.id)
        })
    });
    platform.changed(Change::Channel(removed.await?));
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
