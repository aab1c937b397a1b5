//! Many blocked playlist requests, held open for the same part to come.
//!
//! A scout asks for the same part and then fetches it: the stamp of its newest frame is the part's birth, and each answer's delay is
//! counted from there. Requests that reached the server after the birth were not held, and are not counted.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::arguments::Arguments;
use crate::figures::Times;
use crate::http::{Client, Url};
use crate::playlist::{self, Media};
use crate::{announce, clock, stamp};

/// How far ahead of the next part the requests ask: far enough that all of them are waiting before it comes.
const AHEAD: usize = 2;

/// One round: what to ask for.
#[derive(Clone, Default)]
struct Round {
    number: u64,
    query: String,
}

/// One answer of one request.
struct Answer {
    round: u64,
    asked_micros: u64,
    answered_micros: u64,
}

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let count: usize = arguments.number("count", 100)?;
    let seconds = arguments.seconds("seconds", 10.0)?;
    let url = Url::parse(arguments.text("http")?)?;
    let mut scout = Client::connect(&url, None).await?;
    let media_url = Rc::new(playlist::first_variant(&mut scout, &url).await?);
    LocalSet::new()
        .run_until(measure(scout, media_url, count, seconds))
        .await
}

async fn measure(mut scout: Client, url: Rc<Url>, count: usize, seconds: Duration) -> Result<Value> {
    let (rounds, listener) = watch::channel(Round::default());
    let (answers, mut answered) = mpsc::unbounded_channel();
    for _ in 0..count {
        let client = Client::connect(&url, None).await?.accept_gzip();
        tokio::task::spawn_local(request_for_ever(
            client,
            Rc::clone(&url),
            listener.clone(),
            answers.clone(),
        ));
    }
    announce("connected");

    let mut delays = Times::default();
    let (mut late, mut errors) = (0_u64, 0_u64);
    let end = Instant::now() + seconds;
    let mut media = Media::parse(&playlist::fetch(&mut scout, &url).await?)?;
    for number in 1.. {
        if Instant::now() > end {
            break;
        }
        let query = media.blocking_query(AHEAD);
        rounds.send_replace(Round {
            number,
            query: query.clone(),
        });
        if number == 2 {
            announce("held");
        }
        let text = playlist::fetch(&mut scout, &url.with_query(&query)).await?;
        media = Media::parse(&text)?;
        let birth = birth(&mut scout, &url, &media).await?;
        let patience = Instant::now() + Duration::from_secs(3);
        for _ in 0..count {
            let Ok(answer) = tokio::time::timeout_at(patience.into(), answered.recv()).await else {
                errors += 1;
                break;
            };
            match answer.context("all requests ended")? {
                Ok(Answer { round, .. }) if round != number => errors += 1,
                Ok(Answer { asked_micros, .. }) if asked_micros > birth => late += 1,
                Ok(answer) => delays.add_micros(answer.answered_micros.saturating_sub(birth)),
                Err(_) => errors += 1,
            }
        }
    }
    let held = delays.len();
    ensure!(held > 0, "no request was held: {late} came late, {errors} failed");
    Ok(json!({ "held": held, "late": late, "errors": errors, "delay_ms": delays.figures() }))
}

/// When the newest listed part's last frame was sent by the publisher.
async fn birth(scout: &mut Client, url: &Url, media: &Media) -> Result<u64> {
    let newest = media.parts.last().context("a playlist without parts")?;
    let part = scout.get(&url.join(newest)).await?;
    ensure!(part.status == 200, "{newest} answered {}", part.status);
    stamp::newest(&part.body).context("a part without stamps")
}

async fn request_for_ever(
    mut client: Client,
    url: Rc<Url>,
    mut rounds: watch::Receiver<Round>,
    answers: mpsc::UnboundedSender<Result<Answer>>,
) {
    while rounds.changed().await.is_ok() {
        let round = rounds.borrow_and_update().clone();
        let answer = request(&mut client, &url, &round).await;
        let failed = answer.is_err();
        if answers.send(answer).is_err() || failed {
            return;
        }
    }
}

async fn request(client: &mut Client, url: &Url, round: &Round) -> Result<Answer> {
    let asked_micros = clock::now_micros();
    let (status, _) = client.drain(&url.with_query(&round.query)).await?;
    ensure!(status == 200, "a blocked request was answered {status}");
    Ok(Answer {
        round: round.number,
        asked_micros,
        answered_micros: clock::now_micros(),
    })
}
