//! HLS in a closed loop: each connection asks for the next thing as soon as it has the last one.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::task::LocalSet;
use tokio_rustls::TlsConnector;

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::http::{Client, Url};
use crate::playlist::{self, Media};
use crate::{announce, tls};

/// Newest segments that a round takes: a server with a longer window is not asked for more of it.
const SEGMENTS: usize = 5;

struct Plan {
    url: Url,
    tls: Option<TlsConnector>,
    segments: bool,
    begin: Instant,
    end: Instant,
}

#[derive(Default)]
struct Tally {
    bytes: u64,
    requests: u64,
    errors: u64,
    times: Times,
}

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let count: usize = arguments.number("count", 32)?;
    let (warm, seconds) = (arguments.seconds("warm", 2.0)?, arguments.seconds("seconds", 10.0)?);
    let segments = match arguments.text("what")? {
        "segments" => true,
        "playlist" => false,
        other => bail!("--what is segments or playlist, not {other}"),
    };
    let url = Url::parse(arguments.text("http")?)?;
    let tls = url.secure.then(tls::connector).transpose()?;
    let begin = Instant::now() + warm;
    let plan = Rc::new(Plan {
        url,
        tls,
        segments,
        begin,
        end: begin + seconds,
    });
    let tally = LocalSet::new().run_until(all(count, plan)).await?;
    Ok(json!({
        "seconds": seconds.as_secs_f64(), "bytes": tally.bytes, "requests": tally.requests, "errors": tally.errors,
        "request_ms": tally.times.figures(),
    }))
}

async fn all(count: usize, plan: Rc<Plan>) -> Result<Tally> {
    let readers: Vec<_> = (0..count)
        .map(|_| tokio::task::spawn_local(reader(Rc::clone(&plan))))
        .collect();
    tokio::time::sleep_until(plan.begin.into()).await;
    announce("steady");
    let mut total = Tally::default();
    for reader in readers {
        match reader.await? {
            Ok(tally) => total.add(&tally),
            Err(error) => {
                eprintln!("reader: {error:#}");
                total.errors += 1;
            }
        }
    }
    Ok(total)
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.requests += other.requests;
        self.errors += other.errors;
        self.times.extend(&other.times);
    }
}

async fn reader(plan: Rc<Plan>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut client = Client::connect(&plan.url, plan.tls.as_ref()).await?;
    let media_url = playlist::first_variant(&mut client, &plan.url).await?;
    while Instant::now() < plan.end {
        let began = Instant::now();
        if !plan.segments {
            let answer = client.drain(&media_url).await?;
            tally.count(&plan, began, answer);
            continue;
        }
        let media = Media::parse(&playlist::fetch(&mut client, &media_url).await?)?;
        for segment in media.segments.iter().rev().take(SEGMENTS) {
            let began = Instant::now();
            let answer = client.drain(&media_url.join(segment)).await?;
            tally.count(&plan, began, answer);
        }
        if media.segments.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(tally)
}

impl Tally {
    /// Counts an answer that came within the measured time.
    fn count(&mut self, plan: &Plan, began: Instant, (status, len): (u16, u64)) {
        let now = Instant::now();
        if now < plan.begin || now > plan.end {
            return;
        }
        self.bytes += len;
        self.requests += 1;
        self.errors += u64::from(status != 200);
        self.times.add_micros((now - began).as_micros() as u64);
    }
}
