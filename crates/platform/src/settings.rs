//! What the operator set in the running server; kept in the database and, for reading, in memory.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authorize::Role;
use crate::clock::Time;
use crate::error::Result;
use crate::id::Id;
use crate::secret::{KeyRing, Place, Sealed, Secret};
use crate::store::{Conn, Db, Json};

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Whoever was invited.
    #[default]
    Invite,
    /// Nobody.
    Closed,
}

/// Who may stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Creators {
    /// Everybody with an account.
    All,
    /// Whoever asked and was granted it.
    #[default]
    Request,
    /// Only whom an administrator chose.
    Invite,
}

/// How many of something one person may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Channels of one person.
    pub channels: u32,
    /// Streams of one person.
    pub streams: u32,
    /// Keys of one stream.
    pub keys_per_stream: u32,
    /// Broadcasts of one person that are live at once.
    pub broadcasts_at_once: u32,
}

/// How long what is written down stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Events of streams, in days.
    pub events_days: u32,
    /// Health of sources, in days.
    pub health_days: u32,
    /// The audit log, in days.
    pub audit_days: u32,
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, or nothing is sent.
    Starttls,
    /// None: for a mail server on this very machine.
    None,
}

/// The mail server that takes the server's mails. The password stands beside, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Who signs in there; empty for nobody.
    pub username: String,
    /// The address that mails come from.
    pub from: String,
}

/// The names to get certificates for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Domain names.
    pub names: Vec<String>,
    /// A mail address that the authority may write to; empty for none.
    pub contact: String,
}

/// Everything that can be set in the running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What the server is called.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Its address for people, such as `https://live.example.org`; the configuration file's comes before it.
    pub public_url: Option<String>,
    /// Whom to ask where no mail is sent: an address or a sentence.
    pub admin_contact: Option<String>,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// Who may stream.
    pub creators: Creators,
    /// Whether a mail address must be shown to be one's own before anything else. Needs [`mail`](Self::mail).
    pub verify_email: bool,
    /// Who must have a second factor.
    pub required_factor_roles: Vec<Role>,
    /// How many of something one person may have.
    pub quotas: Quotas,
    /// How long what is written down stays.
    pub retention: Retention,
    /// The mail server.
    pub mail: Option<Mail>,
    /// Certificates.
    pub acme: Option<Acme>,
    /// The organisation and environment that setup made; none before.
    pub home: Option<Home>,
}

/// Where everything belongs that is not made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The organisation.
    pub organisation: Id,
    /// Its environment.
    pub environment: Id,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Headwater".into(),
            description: String::new(),
            public_url: None,
            admin_contact: None,
            sign_up: SignUp::default(),
            creators: Creators::default(),
            verify_email: true,
            required_factor_roles: Vec::new(),
            quotas: Quotas {
                channels: 3,
                streams: 10,
                keys_per_stream: 10,
                broadcasts_at_once: 3,
            },
            retention: Retention {
                events_days: 90,
                health_days: 30,
                audit_days: 365,
            },
            mail: None,
            acme: None,
            home: None,
        }
    }
}

impl Settings {
    /// Whether an owner exists: setup is done once.
    pub fn setup_done(&self) -> bool {
        self.home.is_some()
    }

    /// How long events are kept.
    pub fn events_kept(&self) -> Duration {
        days(self.retention.events_days)
    }
}

/// So many days.
pub fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

const MAIL_PASSWORD: Place<'static> = Place {
    column: "settings.sealed",
    row: "mail_password",
};

#[derive(sqlx::FromRow)]
struct Row {
    value: Option<Json<Settings>>,
}

#[derive(sqlx::FromRow)]
struct SealedRow {
    sealed: Option<Sealed>,
}

/// Reads them; where none were saved, the defaults.
///
/// # Errors
/// Those of the database.
pub async fn load(db: &Db) -> Result<Settings> {
    let row = db
        .read(|c| Box::pin(async move { crate::optional!(c, Row, "select value from settings where name = 'server'") }))
        .await?;
    Ok(row
        .and_then(|row| row.value)
        .map_or_else(Settings::default, |value| value.0))
}

/// Saves them, inside the transaction of whatever else changes with them.
///
/// # Errors
/// Those of the database.
pub async fn save(conn: &mut Conn<'_>, settings: &Settings, by: Option<&Id>, now: Time) -> crate::store::Result<()> {
    crate::run!(
        conn,
        "insert into settings (name, value, updated_at, updated_by) values ('server', $1, $2, $3)
         on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        Json(settings),
        now,
        by
    )
    .map(drop)
}

/// The password of the mail server.
///
/// # Errors
/// Those of the database, and of a ring that did not seal it.
pub async fn mail_password(db: &Db, ring: &KeyRing) -> Result<Option<Secret>> {
    let row = db
        .read(|c| {
            Box::pin(async move {
                crate::optional!(c, SealedRow, "select sealed from settings where name = 'mail_password'")
            })
        })
        .await?;
    let sealed = row.and_then(|row| row.sealed);
    Ok(sealed
        .map(|sealed| ring.open_text(MAIL_PASSWORD, &sealed))
        .transpose()?)
}

/// Saves the password of the mail server.
///
/// # Errors
/// Those of the database.
pub async fn save_mail_password(
    conn: &mut Conn<'_>,
    ring: &KeyRing,
    password: &Secret,
    now: Time,
) -> crate::store::Result<()> {
    let sealed = ring.seal(MAIL_PASSWORD, password.expose().as_bytes());
    crate::run!(
        conn,
        "insert into settings (name, sealed, updated_at) values ('mail_password', $1, $2)
         on conflict (name) do update set sealed = excluded.sealed, updated_at = excluded.updated_at",
        sealed,
        now
    )
    .map(drop)
}
