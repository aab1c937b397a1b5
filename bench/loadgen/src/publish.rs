//! Publishers that send a looped file at its own pace, spread over a key-frame period.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::flv::Source;
use crate::rtmp_peer::Peer;
use crate::{announce, clock};

/// Publishers begin this far apart in total: one key-frame period of the source.
const SPREAD: Duration = Duration::from_secs(1);

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let count: u32 = arguments.number("count", 1)?;
    let seconds = arguments.seconds("seconds", 10.0)?;
    let source = Rc::new(Source::read(arguments.text("flv")?)?);
    let address = arguments.text("rtmp")?.to_owned();
    let first: u32 = arguments.number("first", 0)?;
    LocalSet::new()
        .run_until(all(source, address, first, count, seconds))
        .await
}

async fn all(source: Rc<Source>, address: String, first: u32, count: u32, seconds: Duration) -> Result<Value> {
    let peers = connect(&address, first, count).await?;
    let begin = Instant::now();
    let mut publishers = Vec::new();
    for (number, peer) in (0..).zip(peers) {
        tokio::time::sleep_until((begin + SPREAD * number / count).into()).await;
        publishers.push(tokio::task::spawn_local(publish(
            Rc::clone(&source),
            peer,
            begin + SPREAD + seconds,
        )));
    }
    announce("publishing");
    let (mut late, mut failed) = (Times::default(), 0);
    for publisher in publishers {
        match publisher.await? {
            Ok(times) => late.extend(&times),
            Err(error) => {
                eprintln!("publisher: {error:#}");
                failed += 1;
            }
        }
    }
    Ok(json!({ "count": count, "failed": failed, "late_ms": late.figures() }))
}

/// All at once: a server may take its time to answer each.
async fn connect(address: &str, first: u32, count: u32) -> Result<Vec<Peer>> {
    let mut connecting = Vec::new();
    for number in first..first + count {
        let address = address.replace("{i}", &number.to_string());
        connecting.push(tokio::task::spawn_local(async move { Peer::publish(&address).await }));
    }
    let mut peers = Vec::new();
    for peer in connecting {
        peers.push(peer.await??);
    }
    Ok(peers)
}

/// Sends until `end`; returns how late each message was.
async fn publish(source: Rc<Source>, mut peer: Peer, end: Instant) -> Result<Times> {
    let mut late = Times::default();
    for tag in &source.configurations {
        peer.send(tag.kind, 0, tag.data.clone()).await?;
    }
    let begin = Instant::now();
    for round in 0.. {
        for tag in &source.media {
            let timestamp_ms = tag.timestamp_ms + round * source.loop_ms;
            let due = begin + Duration::from_millis(timestamp_ms.into());
            if due > end {
                peer.finish().await?;
                return Ok(late);
            }
            tokio::time::sleep_until(due.into()).await;
            late.add_micros(due.elapsed().as_micros() as u64);
            peer.send(tag.kind, timestamp_ms, tag.stamped(clock::now_micros()))
                .await?;
        }
    }
    Ok(late)
}
