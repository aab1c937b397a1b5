//! Live streams: the lasting points of ingest, of a channel or alone. A broadcast is one run of a stream.

mod change;
mod create;
pub mod events;
pub mod health;
pub mod keys;
pub mod live;
pub mod playback;
mod settings;

use std::time::Duration;

use serde_json::Value;

use crate::actor::Actor;
use crate::authorize::Resource;
use crate::channels::Visibility;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::store::{self, Conn, Json};
use crate::{all, optional};

pub use change::{Patch, edit, remove, switch};
pub(crate) use create::hold_person;
pub use create::{NewStream, create, create_counted};
pub use settings::{Latency, Settings, Takeover};

/// Characters of a title.
pub const TITLE_MAX: usize = 140;
/// A refusal that is older says nothing about what the publisher tries now.
const REFUSAL_TOLD_FOR: Duration = Duration::from_secs(3_600);

/// A stream, as the database has it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stream {
    /// Its id: the name of its broadcasts in the hub.
    pub id: Id,
    /// Where it belongs.
    pub environment_id: Id,
    /// The organisation of that environment.
    pub organisation_id: Id,
    /// Whose it is.
    pub owner_id: Id,
    /// Its channel.
    pub channel_id: Option<Id>,
    /// The channel's handle.
    pub handle: Option<String>,
    /// The channel's visibility.
    pub visibility: Option<Visibility>,
    /// Whether it is the one that its channel shows.
    pub is_main: bool,
    /// Its title.
    pub title: String,
    /// How its broadcasts are run.
    pub settings: Json<Settings>,
    /// Since when nobody may publish it.
    pub disabled_at: Option<Time>,
    /// Since when it is there.
    pub created_at: Time,
    /// `ID:POLICY`, with commas between them.
    playback_ids: Option<String>,
    last_kind: Option<String>,
    last_at: Option<Time>,
    last_detail: Option<Json<Value>>,
}

/// `string_agg` is understood by both engines, and saves a question for each stream.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select s.id, s.environment_id, n.organisation_id, s.owner_id, s.channel_id, c.handle, c.visibility,
                    coalesce(c.stream_id = s.id, false) as is_main, s.title, s.settings, s.disabled_at, s.created_at,
                    (select string_agg(p.id || ':' || p.policy, ',' order by p.created_at, p.id) from playback_ids p
                     where p.stream_id = s.id and p.revoked_at is null) as playback_ids,
                    r.kind as last_kind, r.at as last_at, r.detail as last_detail
             from streams s join environments n on n.id = s.environment_id left join channels c on c.id = s.channel_id
             left join stream_events r on r.id = (select x.id from stream_events x where x.stream_id = s.id and x.at > $1
                 and x.kind in ('refused', 'connected', 'reconnected') order by x.at desc, x.id desc limit 1)
             where s.deleted_at is null and s.environment_id = $2 and ",
            $rest
        )
    };
}

/// Why the last source was refused or cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When.
    pub at: Time,
    /// What the publisher was told.
    pub reason: String,
}

impl Stream {
    /// What is asked of [`authorize`](crate::authorize::authorize). A stream is never open: who may watch it is said by what it is
    /// watched as.
    pub fn resource(&self) -> Resource<'_> {
        Resource::Owned {
            owner: &self.owner_id,
            organisation: &self.organisation_id,
            channel: self.channel_id.as_ref(),
            open: false,
        }
    }

    /// Its public addresses: id and policy.
    pub fn playback_ids(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.playback_ids.as_deref().unwrap_or_default().split(',');
        pairs.filter_map(|pair| pair.split_once(':'))
    }

    /// Why the last source was refused or cut off, if none was accepted since.
    pub fn last_refusal(&self) -> Option<Refused> {
        if self.last_kind.as_deref() != Some("refused") {
            return None;
        }
        let reason = self.last_detail.as_ref().and_then(|detail| detail.0["reason"].as_str());
        Some(Refused {
            at: self.last_at?,
            reason: reason.unwrap_or_default().to_owned(),
        })
    }
}

/// A stream of that environment.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn get(conn: &mut Conn<'_>, environment: &Id, id: &Id, now: Time) -> Result<Stream> {
    let found = optional!(
        conn,
        Stream,
        select!("s.id = $3"),
        now.minus(REFUSAL_TOLD_FOR),
        environment,
        id
    )?;
    found.ok_or(Error::NotFound)
}

/// Which streams are listed, and from where on.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only those of this channel.
    pub channel: Option<Id>,
    /// Those with a smaller time and id.
    pub before: (Time, String),
    /// How many at most.
    pub rows: i64,
}

/// The streams that somebody sees: their own, and those of channels where they keep order; newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, actor: &Actor, page: Page, now: Time) -> store::Result<Vec<Stream>> {
    let horizon = now.minus(REFUSAL_TOLD_FOR);
    let (time, id) = page.before;
    if let Some(channel) = page.channel {
        return all!(
            conn,
            Stream,
            select!(
                "s.channel_id = $3 and (s.created_at, s.id) < ($4, $5) order by s.created_at desc, s.id desc limit $6"
            ),
            horizon,
            &actor.environment,
            channel,
            time,
            id,
            page.rows
        );
    }
    all!(
        conn,
        Stream,
        select!(
            "s.id in (select id from streams where owner_id = $3 union
                 select m.id from streams m join role_bindings b on b.scope = 'channel' and b.scope_id = m.channel_id
                 where b.subject_id = $3 and b.role in ('moderator', 'admin', 'owner'))
             and (s.created_at, s.id) < ($4, $5) order by s.created_at desc, s.id desc limit $6"
        ),
        horizon,
        &actor.environment,
        &actor.user,
        time,
        id,
        page.rows
    )
}
