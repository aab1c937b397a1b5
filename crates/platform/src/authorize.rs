//! Who may do what: one function, one table.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::Id;

/// What a person is, somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum Role {
    /// Belongs to it: watches what is private.
    Viewer,
    /// Streams: has channels and keys of their own.
    Creator,
    /// Keeps order.
    Moderator,
    /// Runs it.
    Admin,
    /// Owns it.
    Owner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Creator, Self::Moderator, Self::Admin, Self::Owner];
}

/// Where a role holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum Scope {
    /// On the whole server.
    Server,
    /// In an organisation: all its environments.
    Organisation,
    /// In one channel.
    Channel,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Server, Self::Organisation, Self::Channel];
}

/// The `scope_id` of bindings of the whole server.
pub const SERVER: &str = "server";

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub struct Binding {
    /// What the person is.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// The organisation or channel; `server` for the whole server.
    pub scope_id: String,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change the server's settings, mail and identity providers.
    ServerConfigure,
    /// See people, invitations and pending links.
    PeopleSee,
    /// Invite, suspend, restore, make somebody a creator.
    PeopleManage,
    /// Give and take the roles of the server.
    RolesManage,
    /// See every live broadcast.
    LiveSee,
    /// Stop any live broadcast.
    LiveStop,
    /// Read the audit log.
    AuditRead,
    /// Make a channel, or a stream outside of any.
    Create,
    /// See a channel's page.
    ChannelSee,
    /// Watch a channel's streams.
    ChannelWatch,
    /// Change what a channel says of itself.
    ChannelEdit,
    /// Delete a channel, make it private, or give it another handle.
    ChannelOwn,
    /// Add and remove a channel's members.
    ChannelMembers,
    /// See a stream's state, events and health.
    StreamSee,
    /// Change a stream's settings; disable it.
    StreamEdit,
    /// End what a stream shows now.
    StreamStop,
    /// Reveal, rotate, add and revoke stream keys.
    StreamKeys,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 17] = [
        Self::ServerConfigure,
        Self::PeopleSee,
        Self::PeopleManage,
        Self::RolesManage,
        Self::LiveSee,
        Self::LiveStop,
        Self::AuditRead,
        Self::Create,
        Self::ChannelSee,
        Self::ChannelWatch,
        Self::ChannelEdit,
        Self::ChannelOwn,
        Self::ChannelMembers,
        Self::StreamSee,
        Self::StreamEdit,
        Self::StreamStop,
        Self::StreamKeys,
    ];
}

/// What it is done to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The server itself.
    Server,
    /// A channel or a stream.
    Owned {
        /// Whose it is.
        owner: &'a Id,
        /// The organisation of its environment.
        organisation: &'a Id,
        /// The channel, or the one that the stream belongs to.
        channel: Option<&'a Id>,
        /// Whether anybody may see and watch it.
        open: bool,
    },
}

/// Whoever asks: nobody known, or a person with roles.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The person; `None` for somebody who is not signed in.
    pub user: Option<&'a Id>,
    /// What they are.
    pub roles: &'a [Binding],
}

/// Whether `subject` may do `action` to `resource`.
pub fn authorize(subject: Subject<'_>, action: Action, resource: Resource<'_>) -> bool {
    let open = matches!(resource, Resource::Owned { open: true, .. });
    if open && matches!(action, Action::ChannelSee | Action::ChannelWatch) {
        return true;
    }
    let Some(user) = subject.user else { return false };
    let owns = matches!(resource, Resource::Owned { owner, .. } if owner == user);
    let by_owning = owns && allows(Role::Owner, Scope::Channel, action);
    by_owning
        || subject
            .roles
            .iter()
            .any(|binding| holds(binding, resource) && allows(binding.role, binding.scope, action))
}

/// Whether a role that holds in one place holds for this resource.
fn holds(binding: &Binding, resource: Resource<'_>) -> bool {
    match (binding.scope, resource) {
        (Scope::Server, _) => true,
        (_, Resource::Server) => false,
        (Scope::Organisation, Resource::Owned { organisation, .. }) => binding.scope_id == organisation.as_str(),
        (Scope::Channel, Resource::Owned { channel, .. }) => {
            channel.is_some_and(|channel| binding.scope_id == channel.as_str())
        }
    }
}

/// The table: what a role may do where it holds.
fn allows(role: Role, scope: Scope, action: Action) -> bool {
    use Action as A;
    use Role as R;
    match scope {
        Scope::Server | Scope::Organisation => match action {
            A::RolesManage | A::ServerConfigure => scope == Scope::Server && role >= R::Admin,
            A::PeopleManage | A::AuditRead => scope == Scope::Server && role >= R::Admin,
            A::PeopleSee => scope == Scope::Server && role >= R::Moderator,
            A::LiveSee | A::LiveStop => scope == Scope::Server && role >= R::Moderator,
            A::Create => role >= R::Admin || role == R::Creator,
            A::ChannelSee | A::ChannelWatch | A::StreamSee | A::StreamStop => role >= R::Moderator,
            A::ChannelEdit | A::ChannelOwn | A::ChannelMembers | A::StreamEdit => role >= R::Admin,
            // A key is its owner's: an administrator stops a stream and does not speak in its name.
            A::StreamKeys => false,
        },
        Scope::Channel => match action {
            A::ChannelSee | A::ChannelWatch => true,
            A::StreamSee | A::StreamStop => role >= R::Moderator,
            A::ChannelEdit | A::ChannelMembers | A::StreamEdit | A::StreamKeys => role >= R::Admin,
            A::ChannelOwn => role == R::Owner,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests;
