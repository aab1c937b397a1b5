//! Channels: what a person shows to the world. Each has a stream of its own.

mod create;
mod edit;
mod handle;
mod list;
pub mod members;
mod remove;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::authorize::{Action, Resource, Role, Scope, Subject, authorize};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, looks_like_id};
use crate::optional;
use crate::store::{Conn, Json};

pub use create::{NewChannel, create};
pub use edit::{Patch, edit, set_picture};
pub use handle::{FORMER_KEPT, Handle};
pub use list::{Filter, mine, public};
pub use remove::remove;

/// Characters of a title.
pub const TITLE_MAX: usize = 140;
/// Characters of a description.
pub const DESCRIPTION_MAX: usize = 5_000;
/// Characters of a category.
pub const CATEGORY_MAX: usize = 60;
/// Tags of a channel.
pub const TAGS_MAX: usize = 10;
/// Characters of a tag.
pub const TAG_MAX: usize = 30;

/// Who may see a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum Visibility {
    /// Everybody, and it is listed.
    Public,
    /// Everybody who knows its handle.
    Unlisted,
    /// Its members.
    Private,
}

/// A channel, as the database has it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Channel {
    /// Its id.
    pub id: Id,
    /// Where it belongs.
    pub environment_id: Id,
    /// The organisation of that environment.
    pub organisation_id: Id,
    /// Whose it is.
    pub owner_id: Id,
    /// What they are called.
    pub owner_name: String,
    /// Since when they are suspended.
    pub suspended_at: Option<Time>,
    /// Its place in addresses.
    pub handle: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// A word for what it is about.
    pub category: String,
    /// More words.
    pub tags: Json<Vec<String>>,
    /// The language it speaks, as BCP 47 names it; empty where none is said.
    pub language: String,
    /// Its small picture.
    pub avatar_id: Option<Id>,
    /// Its wide picture.
    pub banner_id: Option<Id>,
    /// Whether it is for grown-ups.
    pub mature: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// The stream that it shows.
    pub stream_id: Option<Id>,
    /// Since when it is there.
    pub created_at: Time,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select c.id, c.environment_id, n.organisation_id, c.owner_id, u.name as owner_name, u.suspended_at, c.handle, c.title,
                    c.description, c.category, c.tags, c.language, c.avatar_id, c.banner_id, c.mature, c.visibility, c.stream_id,
                    c.created_at
             from channels c join environments n on n.id = c.environment_id join users u on u.id = c.owner_id
             where c.environment_id = $1 and c.deleted_at is null and ",
            $rest
        )
    };
}
use select;

impl Channel {
    /// What is asked of [`authorize`]: open unless it is private or its owner suspended.
    pub fn resource(&self) -> Resource<'_> {
        Resource::Owned {
            owner: &self.owner_id,
            organisation: &self.organisation_id,
            channel: Some(&self.id),
            open: self.visibility != Visibility::Private && self.suspended_at.is_none(),
        }
    }

    /// Whether somebody, or anybody, may see it.
    pub fn is_seen_by(&self, actor: Option<&Actor>) -> bool {
        let nobody = Subject { user: None, roles: &[] };
        authorize(nobody, Action::ChannelSee, self.resource())
            || actor.is_some_and(|actor| actor.may(Action::ChannelSee, self.resource()))
    }

    /// What somebody is in it.
    pub fn role_of(&self, actor: &Actor) -> Option<Role> {
        if actor.user == self.owner_id {
            return Some(Role::Owner);
        }
        let here = |scope, id: &str| scope == Scope::Channel && id == self.id.as_str();
        let mut roles = actor
            .roles
            .iter()
            .filter(|binding| here(binding.scope, &binding.scope_id));
        let first = roles.next()?.role;
        Some(roles.fold(first, |most, binding| most.max(binding.role)))
    }
}

/// What stands at an address.
#[derive(Debug)]
pub enum Found {
    /// A channel.
    Here(Box<Channel>),
    /// A channel that has another handle now.
    Moved(Box<Channel>),
}

/// The channel at an address: its id, its handle, or a handle that it gave up not long ago.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn find(conn: &mut Conn<'_>, environment: &Id, address: &str, now: Time) -> Result<Found> {
    if looks_like_id(address) {
        let found = by_id(conn, environment, address).await?;
        return Ok(Found::Here(Box::new(found)));
    }
    // What cannot be a handle was never one.
    let handle = Handle::shaped(address).ok_or(Error::NotFound)?;
    let here = optional!(conn, Channel, select!("c.handle = $2"), environment, handle.as_str())?;
    if let Some(channel) = here {
        return Ok(Found::Here(Box::new(channel)));
    }
    let former = optional!(
        conn,
        (String,),
        "select channel_id from former_handles where handle = $1 and until > $2",
        handle.as_str(),
        now
    )?;
    let (id,) = former.ok_or(Error::NotFound)?;
    Ok(Found::Moved(Box::new(by_id(conn, environment, &id).await?)))
}

async fn by_id(conn: &mut Conn<'_>, environment: &Id, id: &str) -> Result<Channel> {
    let found = optional!(conn, Channel, select!("c.id = $2"), environment, id)?;
    found.ok_or(Error::NotFound)
}

/// The channel at an address of now, for somebody who wants to do something to it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], and those of the database.
pub async fn find_for(conn: &mut Conn<'_>, actor: &Actor, action: Action, address: &str, now: Time) -> Result<Channel> {
    match find(conn, &actor.environment, address, now).await? {
        Found::Here(channel) => {
            actor.must(action, channel.resource())?;
            Ok(*channel)
        }
        Found::Moved(_) => Err(Error::NotFound),
    }
}
/// The main stream of the channel with this handle.
///
/// # Errors
/// Those of the database.
pub async fn main_stream(conn: &mut Conn<'_>, handle: &str) -> crate::store::Result<Option<Id>> {
    let row = optional!(
        conn,
        (Option<Id>,),
        "select stream_id from channels where handle = $1 and deleted_at is null",
        handle
    )?;
    Ok(row.and_then(|row| row.0))
}
