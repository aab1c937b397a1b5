//! How sources did: a row for each minute of a broadcast, with a sample for each of its seconds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Time;
use crate::id::Id;
use crate::store::{Conn, Json, Result};
use crate::{all, optional};

/// How a source did in one second, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Bits per second that came in.
    pub bitrate: u64,
    /// Video frames per second.
    pub frame_rate: f64,
    /// Milliseconds between the last two key frames.
    #[serde(default)]
    pub keyframe_ms: Option<u32>,
    /// Milliseconds that wait in the encoder or the network.
    #[serde(default)]
    pub backlog_ms: u32,
    /// How often the source's timestamps jumped since it connected.
    #[serde(default)]
    pub timestamp_jumps: u32,
}

/// How a source did in one second.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthSample {
    /// When.
    pub at: Time,
    /// Bits per second that came in.
    pub bitrate: u64,
    /// Video frames per second.
    pub frame_rate: f64,
    /// Milliseconds between the last two key frames; none before the second.
    pub keyframe_ms: Option<u32>,
    /// Milliseconds that wait in the encoder or the network.
    pub backlog_ms: u32,
    /// How often the source's timestamps jumped since it connected.
    pub timestamp_jumps: u32,
}

impl From<Sample> for HealthSample {
    fn from(sample: Sample) -> Self {
        Self {
            at: Time(sample.at),
            bitrate: sample.bitrate,
            frame_rate: sample.frame_rate,
            keyframe_ms: sample.keyframe_ms,
            backlog_ms: sample.backlog_ms,
            timestamp_jumps: sample.timestamp_jumps,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Minute {
    samples: Json<Vec<Sample>>,
}

/// The last minutes of a stream's broadcast, oldest sample first; of its newest where `broadcast` names none.
///
/// # Errors
/// Those of the database.
pub async fn of(conn: &mut Conn<'_>, stream: &Id, broadcast: Option<String>, minutes: i64) -> Result<Vec<Sample>> {
    let found = optional!(
        conn,
        (String,),
        "select id from broadcasts where stream_id = $1 and ($2 is null or id = $2) order by started_at desc, id desc limit 1",
        stream,
        broadcast
    )?;
    let Some((broadcast,)) = found else {
        return Ok(Vec::new());
    };
    let minutes = all!(
        conn,
        Minute,
        "select samples from source_health where broadcast_id = $1 order by minute desc limit $2",
        broadcast,
        minutes
    )?;
    let samples = minutes.into_iter().rev().flat_map(|minute| minute.samples.0);
    Ok(samples.collect())
}
