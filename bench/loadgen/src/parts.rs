//! One low-latency reader: how old is a part's newest frame when the playlist that lists it arrives?

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::http::{Client, Url};
use crate::playlist::{self, Media};
use crate::{clock, stamp};

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let seconds = arguments.seconds("seconds", 10.0)?;
    let url = Url::parse(arguments.text("http")?)?;
    let mut client = Client::connect(&url, None).await?;
    let url = playlist::first_variant(&mut client, &url).await?;
    let mut media = Media::parse(&playlist::fetch(&mut client, &url).await?)?;
    ensure!(!media.parts.is_empty(), "the playlist has no parts");

    // Waits once without measuring: what was fetched first may lie behind by a part.
    media = Media::parse(&playlist::fetch(&mut client, &url.with_query(&media.blocking_query(0))).await?)?;
    let (mut newest, mut oldest, mut fetch) = (Times::default(), Times::default(), Times::default());
    let end = Instant::now() + seconds;
    while Instant::now() < end {
        media = Media::parse(&playlist::fetch(&mut client, &url.with_query(&media.blocking_query(0))).await?)?;
        let listed = clock::now_micros();
        let part = client
            .get(&url.join(media.parts.last().context("no parts any more")?))
            .await?;
        fetch.add_micros(clock::now_micros() - listed);
        newest.add_micros(listed.saturating_sub(stamp::newest(&part.body).context("a part without stamps")?));
        oldest.add_micros(listed.saturating_sub(stamp::first(&part.body).context("a part without stamps")?));
    }
    Ok(json!({
        "newest_frame_ms": newest.figures(), "oldest_frame_ms": oldest.figures(), "part_fetch_ms": fetch.figures(),
    }))
}
