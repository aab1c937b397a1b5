//! How long a publisher waits until it may send: from the connection to the answer to `publish`.

use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::rtmp_peer::Peer;

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let begun = Instant::now();
    let mut peer = Peer::publish(arguments.text("rtmp")?).await?;
    let accepted = begun.elapsed();
    peer.finish().await?;
    Ok(json!({ "accepted_ms": accepted.as_secs_f64() * 1e3 }))
}
