//! Whoever makes a request, as far as the server knows.

use std::net::IpAddr;
use std::time::Duration;

use crate::authorize::{Action, Binding, Resource, Subject, authorize};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;

/// How long a sign-in counts as fresh.
pub const FRESH: Duration = Duration::from_secs(600);

/// Where a request comes from: an extension of every request, put there by the program that serves.
#[derive(Clone, Debug)]
pub struct Client {
    /// The viewer's address, behind whatever proxies are trusted.
    pub address: IpAddr,
    /// Whether nobody can listen: TLS, or this very machine.
    pub secure: bool,
    /// The host that was asked for.
    pub host: Option<String>,
}

impl Client {
    /// The host that was asked for, without its port. An IPv6 address keeps its brackets.
    pub fn host_name(&self) -> Option<&str> {
        let authority = self.host.as_deref()?;
        Some(match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        })
    }
}

/// A person who makes a request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub user: Id,
    /// What they are called.
    pub name: String,
    /// What they are.
    pub roles: Vec<Binding>,
    /// Where what they make belongs, and the only place where they see anything.
    pub environment: Id,
    /// The organisation of that environment.
    pub organisation: Id,
    /// What they showed.
    pub credential: Credential,
    /// From where.
    pub address: IpAddr,
}

/// What somebody showed.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A browser's cookie.
    Session {
        /// Of the session.
        id: Id,
        /// When they last proved who they are.
        fresh_at: Time,
    },
    /// An API token.
    Token {
        /// Of the token.
        id: Id,
        /// What it is good for: `read`, `write`, `keys`, `admin`.
        scopes: Vec<String>,
    },
}

impl Actor {
    /// Whether they may.
    pub fn may(&self, action: Action, resource: Resource<'_>) -> bool {
        let scoped = match &self.credential {
            Credential::Session { .. } => true,
            Credential::Token { scopes, .. } => scopes.iter().any(|scope| scope == scope_of(action)),
        };
        scoped
            && authorize(
                Subject {
                    user: Some(&self.user),
                    roles: &self.roles,
                },
                action,
                resource,
            )
    }

    /// Refuses who may not. What may not even be seen is [`Error::NotFound`].
    ///
    /// # Errors
    /// [`Error::Forbidden`] or [`Error::NotFound`].
    pub fn must(&self, action: Action, resource: Resource<'_>) -> Result<()> {
        if self.may(action, resource) {
            return Ok(());
        }
        let seen = match resource {
            Resource::Server => true,
            Resource::Owned { .. } => self.may(Action::StreamSee, resource) || self.may(Action::ChannelSee, resource),
        };
        Err(if seen {
            Error::Forbidden("you may not do this".into())
        } else {
            Error::NotFound
        })
    }

    /// Refuses whose last sign-in is not fresh. A token is as fresh as its scope is wide.
    ///
    /// # Errors
    /// [`Error::FreshSignIn`].
    pub fn must_be_fresh(&self, now: Time) -> Result<()> {
        match &self.credential {
            Credential::Session { fresh_at, .. } if now.since(*fresh_at) > FRESH => Err(Error::FreshSignIn),
            _ => Ok(()),
        }
    }

    /// Refuses tokens: for what only a person at a page may do.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn must_be_in_person(&self) -> Result<&Id> {
        match &self.credential {
            Credential::Session { id, .. } => Ok(id),
            Credential::Token { .. } => Err(Error::Forbidden("this needs a sign-in, not a token".into())),
        }
    }
}

/// The scope of a token that an action asks for.
fn scope_of(action: Action) -> &'static str {
    use Action as A;
    match action {
        A::ChannelSee | A::ChannelWatch | A::StreamSee => "read",
        A::Create | A::ChannelEdit | A::ChannelOwn | A::ChannelMembers | A::StreamEdit | A::StreamStop => "write",
        A::StreamKeys => "keys",
        A::ServerConfigure
        | A::PeopleSee
        | A::PeopleManage
        | A::RolesManage
        | A::LiveSee
        | A::LiveStop
        | A::AuditRead => "admin",
    }
}
