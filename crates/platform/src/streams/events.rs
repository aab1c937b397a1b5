//! What happened to a stream, and its broadcasts, as its owner reads them.

use serde_json::Value;

use crate::all;
use crate::clock::Time;
use crate::id::Id;
use crate::store::{Conn, Json, Result};

/// Something that happened to a stream.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// When.
    pub at: Time,
    /// What: `connected`, `refused`, …
    pub kind: String,
    /// In which broadcast; none where none ran.
    pub broadcast_id: Option<String>,
    /// More, by kind.
    pub detail: Json<Value>,
}

impl Event {
    /// The event in words: its own where whoever wrote it found some, else by its kind.
    pub fn text(&self) -> String {
        let said = |field: &str| self.detail.0[field].as_str();
        if let Some(text) = said("text") {
            return text.to_owned();
        }
        let words = match self.kind.as_str() {
            "connected" => "a source connected",
            "active" => "the first picture arrived",
            "lost" => "the connection to the source was lost",
            "reconnected" => "the source came back",
            "disconnected" => "the source ended its stream",
            "refused" => "a source was refused",
            "ladder" => "the ladder changed",
            "ended" => "the broadcast ended",
            other => other,
        };
        said("reason").map_or_else(|| words.to_owned(), |reason| format!("{words}: {reason}"))
    }
}

/// The events of a stream, newest first, from before a time and id.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, stream: &Id, before: (Time, String), rows: i64) -> Result<Vec<Event>> {
    all!(
        conn,
        Event,
        "select id, at, kind, broadcast_id, detail from stream_events
         where stream_id = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4",
        stream,
        before.0,
        before.1,
        rows
    )
}

/// One run of a stream.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Broadcast {
    /// Its id, the hub's.
    pub id: String,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it ended.
    pub end_reason: Option<String>,
}

/// The broadcasts of a stream, newest first, from before a time and id.
///
/// # Errors
/// Those of the database.
pub async fn broadcasts(conn: &mut Conn<'_>, stream: &Id, before: (Time, String), rows: i64) -> Result<Vec<Broadcast>> {
    all!(
        conn,
        Broadcast,
        "select id, started_at, ended_at, end_reason from broadcasts
         where stream_id = $1 and (started_at, id) < ($2, $3) order by started_at desc, id desc limit $4",
        stream,
        before.0,
        before.1,
        rows
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::id::Kind;

    #[test]
    fn an_event_is_told_in_words() {
        let told = |kind: &str, detail: Value| {
            let event = Event {
                id: Kind::Event.random(),
                at: Time(0),
                kind: kind.into(),
                broadcast_id: None,
                detail: Json(detail),
            };
            event.text()
        };
        assert_eq!(told("active", json!({})), "the first picture arrived");
        assert_eq!(
            told("refused", json!({"reason": "the stream key has expired"})),
            "a source was refused: the stream key has expired"
        );
        assert_eq!(told("health", json!({"text": "the bitrate fell"})), "the bitrate fell");
        assert_eq!(told("of tomorrow", json!(null)), "of tomorrow");
    }
}
