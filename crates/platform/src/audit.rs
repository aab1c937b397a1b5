//! The audit log: who did what, to what, from where. It is only appended to.

use serde_json::Value;

use crate::actor::Actor;
use crate::clock::Time;
use crate::error::Error;
use crate::id::{Id, Kind};
use crate::store::{Conn, Json, Result};

/// One act. Its detail never holds a secret or a mail address.
#[derive(Clone, Debug)]
pub struct Act {
    /// In whose environment; none for the server's own.
    pub environment: Option<Id>,
    /// Who; none where nobody is known, as with a sign-in that failed.
    pub actor: Option<Id>,
    /// `user`, `token`, `shell` or `nobody`.
    pub actor_kind: &'static str,
    /// What, as `thing.verb`: `key.reveal`, `session.sign_in`.
    pub action: &'static str,
    /// What it was done to: its kind and id.
    pub target: (&'static str, String),
    /// The address it came from; empty for the shell.
    pub address: String,
    /// More, where the action alone does not tell.
    pub detail: Value,
}

impl Act {
    /// An act of a person who makes a request.
    pub fn by(actor: &Actor, action: &'static str, target: (&'static str, &str)) -> Self {
        Self {
            environment: Some(actor.environment.clone()),
            actor: Some(actor.user.clone()),
            actor_kind: match actor.credential {
                crate::actor::Credential::Session { .. } => "user",
                crate::actor::Credential::Token { .. } => "token",
            },
            action,
            target: (target.0, target.1.to_owned()),
            address: actor.address.to_string(),
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    /// An act of whoever has a shell on the server.
    pub fn by_shell(action: &'static str, target: (&'static str, &str)) -> Self {
        Self {
            environment: None,
            actor: None,
            actor_kind: "shell",
            action,
            target: (target.0, target.1.to_owned()),
            address: String::new(),
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    /// The same with more said.
    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// Appends it, inside the transaction of what it tells about.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(self, conn: &mut Conn<'_>, now: Time) -> Result<()> {
        crate::run!(
            conn,
            "insert into audit (id, at, environment_id, actor_id, actor_kind, action, target_kind, target_id, address, detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            Kind::Audit.random(),
            now,
            self.environment,
            self.actor,
            self.actor_kind,
            self.action,
            self.target.0,
            self.target.1,
            self.address,
            Json(self.detail)
        )
        .map(drop)
    }
    /// Appends it where the thing was there that it was done to; else [`Error::NotFound`].
    ///
    /// # Errors
    /// That, and those of the database.
    pub async fn record_if(self, there: bool, conn: &mut Conn<'_>, now: Time) -> Result<()> {
        if !there {
            return Err(Error::NotFound.into());
        }
        self.record(conn, now).await
    }
}
