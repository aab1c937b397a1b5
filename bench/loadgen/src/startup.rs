//! From the first media sent to the first playable playlist, and from a player's connection to its first frame.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use media::Kind;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::flv::Source;
use crate::http::{Client, Url};
use crate::playlist::{self, Media};
use crate::rtmp_peer::Peer;
use crate::{clock, stamp};

/// How often the playlists are asked for.
const POLL: Duration = Duration::from_millis(5);
/// A server that shows nothing by then has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// A viewer whose newest frame is younger than this has caught up.
const LIVE_MICROS: u64 = 100_000;

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let source = Rc::new(Source::read(arguments.text("flv")?)?);
    let address = arguments.text("rtmp")?.replace("{i}", "0");
    let url = Url::parse(arguments.text("http")?)?;
    let joins: u32 = arguments.number("joins", 10)?;
    LocalSet::new().run_until(measure(source, address, url, joins)).await
}

async fn measure(source: Rc<Source>, address: String, url: Url, joins: u32) -> Result<Value> {
    let peer = Peer::publish(&address).await?;
    let begin = Instant::now();
    let publisher = tokio::task::spawn_local(publish_for_ever(source, peer));
    let (playable, plain) = first_playable(&url, begin).await?;
    let (mut first_frame, mut caught_up) = (Times::default(), Times::default());
    for number in 0..joins {
        // Joins are spread over the key-frame period.
        tokio::time::sleep(Duration::from_millis(500) + Duration::from_secs(1) * number / joins).await;
        let (frame, live) = join(&address).await?;
        first_frame.add_micros(frame.as_micros() as u64);
        caught_up.add_micros(live.as_micros() as u64);
    }
    publisher.abort();
    Ok(json!({
        "playable_ms": playable.map(|time| time.as_secs_f64() * 1e3), "plain_playable_ms": plain.as_secs_f64() * 1e3,
        "join_first_frame_ms": first_frame.figures(), "join_caught_up_ms": caught_up.figures(),
    }))
}

async fn publish_for_ever(source: Rc<Source>, mut peer: Peer) -> Result<()> {
    for tag in &source.configurations {
        peer.send(tag.kind, 0, tag.data.clone()).await?;
    }
    let begin = Instant::now();
    for round in 0.. {
        for tag in &source.media {
            let timestamp_ms = tag.timestamp_ms + round * source.loop_ms;
            tokio::time::sleep_until((begin + Duration::from_millis(timestamp_ms.into())).into()).await;
            peer.send(tag.kind, timestamp_ms, tag.stamped(clock::now_micros()))
                .await?;
        }
    }
    Ok(())
}

/// When a low-latency reader had a part (where there are parts), and when a plain reader had a segment.
async fn first_playable(url: &Url, begin: Instant) -> Result<(Option<Duration>, Duration)> {
    let mut part = None;
    let mut client = Client::connect(url, None).await?;
    loop {
        ensure!(begin.elapsed() < PATIENCE, "nothing playable");
        tokio::time::sleep(POLL).await;
        let Some((media_url, media)) = media_playlist(&mut client, url).await? else {
            continue;
        };
        if part.is_none() && loads(&mut client, &media_url, &media, media.parts.first()).await? {
            part = Some(begin.elapsed());
        }
        if loads(&mut client, &media_url, &media, media.segments.first()).await? {
            return Ok((part, begin.elapsed()));
        }
    }
}

async fn media_playlist(client: &mut Client, url: &Url) -> Result<Option<(Url, Media)>> {
    if client.get(url).await?.status != 200 {
        return Ok(None);
    }
    let Ok(media_url) = playlist::first_variant(client, url).await else {
        return Ok(None);
    };
    let answer = client.get(&media_url).await?;
    if answer.status != 200 {
        return Ok(None);
    }
    Ok(Some((media_url, Media::parse(std::str::from_utf8(&answer.body)?)?)))
}

/// Whether the media and what it is initialised with can be had.
async fn loads(client: &mut Client, base: &Url, media: &Media, uri: Option<&String>) -> Result<bool> {
    let Some(uri) = uri else {
        return Ok(false);
    };
    for uri in media.map.iter().chain([uri]) {
        if client.get(&base.join(uri)).await?.status != 200 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Time from the connection to the first video frame, and to the first frame that is live.
async fn join(address: &str) -> Result<(Duration, Duration)> {
    let begin = Instant::now();
    let mut peer = Peer::play(address).await?;
    let mut first = None;
    loop {
        let message = peer.next_media().await?;
        let Some(sent) = (message.kind == Kind::Video)
            .then(|| stamp::first(&message.data))
            .flatten()
        else {
            continue;
        };
        let first = *first.get_or_insert(begin.elapsed());
        if clock::now_micros().saturating_sub(sent) < LIVE_MICROS {
            return Ok((first, begin.elapsed()));
        }
    }
}
