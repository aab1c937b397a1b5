//! RTMP viewers that read at once.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use media::Kind;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::rtmp_peer::Peer;
use crate::{announce, clock, stamp};

/// Time between two viewers' arrivals.
const ARRIVAL: Duration = Duration::from_millis(2);

#[derive(Clone, Copy)]
struct Span {
    begin: Instant,
    end: Instant,
}

#[derive(Default)]
struct Tally {
    bytes: u64,
    latency: Times,
}

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let count: u32 = arguments.number("count", 1)?;
    let (warm, seconds) = (arguments.seconds("warm", 3.0)?, arguments.seconds("seconds", 10.0)?);
    let address: Rc<str> = arguments.text("rtmp")?.replace("{i}", "0").into();
    let begin = Instant::now() + ARRIVAL * count + warm;
    let span = Span {
        begin,
        end: begin + seconds,
    };
    LocalSet::new().run_until(all(address, count, span)).await
}

async fn all(address: Rc<str>, count: u32, span: Span) -> Result<Value> {
    let mut viewers = Vec::new();
    for _ in 0..count {
        viewers.push(tokio::task::spawn_local(view(Rc::clone(&address), span)));
        tokio::time::sleep(ARRIVAL).await;
    }
    tokio::time::sleep_until(span.begin.into()).await;
    announce("steady");
    let (mut total, mut failed) = (Tally::default(), 0);
    for viewer in viewers {
        match viewer.await? {
            Ok(tally) => {
                total.bytes += tally.bytes;
                total.latency.extend(&tally.latency);
            }
            Err(error) => {
                eprintln!("viewer: {error:#}");
                failed += 1;
            }
        }
    }
    Ok(json!({
        "count": count, "failed": failed, "bytes": total.bytes, "seconds": (span.end - span.begin).as_secs_f64(),
        "latency_ms": total.latency.figures(),
    }))
}

async fn view(address: Rc<str>, span: Span) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut peer = Peer::play(&address).await?;
    loop {
        let message = peer.next_media().await?;
        let now = Instant::now();
        if now > span.end {
            return Ok(tally);
        }
        if now < span.begin {
            continue;
        }
        tally.bytes += message.data.len() as u64;
        if message.kind == Kind::Video
            && let Some(sent) = stamp::first(message.data.get(..64).unwrap_or(&message.data))
        {
            tally.latency.add_micros(clock::now_micros().saturating_sub(sent));
        }
    }
}
