//! Who belongs to a channel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authorize::{Role, Scope};
use crate::channels::Channel;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::roles;
use crate::store::{self, Conn};
use crate::{all, one, optional, run};

/// Members of one channel.
pub const MEMBERS_MAX: i64 = 1_000;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum MemberRole {
    /// Watches what is private.
    Viewer,
    /// Keeps order.
    Moderator,
    /// Runs it together with its owner.
    Admin,
}

impl From<MemberRole> for Role {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Viewer => Self::Viewer,
            MemberRole::Moderator => Self::Moderator,
            MemberRole::Admin => Self::Admin,
        }
    }
}

/// A member.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Member {
    /// The person.
    pub user_id: Id,
    /// What they are called.
    pub name: String,
    /// What they are.
    pub role: MemberRole,
    /// Since when.
    pub created_at: Time,
}

/// The members of a channel, newest first, from before a time and id of a person.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, channel: &Id, before: (Time, String), rows: i64) -> store::Result<Vec<Member>> {
    all!(
        conn,
        Member,
        "select b.subject_id as user_id, u.name, b.role, b.created_at
         from role_bindings b join users u on u.id = b.subject_id
         where b.scope = 'channel' and b.scope_id = $1 and b.role in ('viewer', 'moderator', 'admin')
           and (b.created_at, b.subject_id) < ($2, $3) order by b.created_at desc, b.subject_id desc limit $4",
        channel,
        before.0,
        before.1,
        rows
    )
}

/// Makes the person of that address a member, in the place of what they were there; `None` where there is no such person.
///
/// # Errors
/// [`Error::Quota`], and those of the database.
pub async fn add(
    conn: &mut Conn<'_>,
    channel: &Channel,
    email_key: &str,
    (role, by): (MemberRole, &Id),
    now: Time,
) -> Result<Option<Id>> {
    let (count,) = one!(
        conn,
        (i64,),
        "select count(*) from role_bindings where scope = 'channel' and scope_id = $1",
        &channel.id
    )?;
    if count >= MEMBERS_MAX {
        return Err(Error::Quota(
            format!("a channel has at most {MEMBERS_MAX} members").into(),
        ));
    }
    let person = optional!(
        conn,
        (Id,),
        "select id from users where email_key = $1 and email_verified_at is not null and erased_at is null",
        email_key
    )?;
    let Some((person,)) = person.filter(|(person,)| *person != channel.owner_id) else {
        return Ok(None);
    };
    remove(conn, &channel.id, &person).await?;
    let place = (Scope::Channel, channel.id.as_str());
    roles::grant(conn, &person, role.into(), place, Some(by), now).await?;
    Ok(Some(person))
}

/// Takes a person out of a channel; says whether they were in it.
///
/// # Errors
/// Those of the database.
pub async fn remove(conn: &mut Conn<'_>, channel: &Id, person: &Id) -> store::Result<bool> {
    let gone = run!(
        conn,
        "delete from role_bindings where subject_id = $1 and scope = 'channel' and scope_id = $2",
        person,
        channel
    )?;
    Ok(gone > 0)
}
