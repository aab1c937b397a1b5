//! Requests of an API in an open loop: each is due at its time, and its time is counted from there, however late it could be sent.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use crate::announce;
use crate::arguments::Arguments;
use crate::figures::Times;
use crate::http::{Client, Url};

/// One request of the plan, written out.
struct Planned {
    write: bool,
    bytes: Vec<u8>,
    /// The statuses that are no error; none where any of success is right.
    expected: Vec<u16>,
}

/// Which request is next, and when it is due.
struct Schedule {
    next: usize,
    begin: Instant,
    every: Duration,
    total: usize,
}

#[derive(Default)]
struct Tally {
    reads: Times,
    writes: Times,
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    first_error: Option<String>,
}

pub async fn run(arguments: &Arguments) -> Result<Value> {
    let url = Url::parse(arguments.text("http")?)?;
    let rate: f64 = arguments.number("rate", 500.0)?;
    let seconds = arguments.seconds("seconds", 10.0)?;
    let plan = Rc::new(read_plan(arguments.text("plan")?, &url)?);
    let count: usize = arguments.number("count", 32)?;
    let tally = LocalSet::new().run_until(all(count, rate, seconds, url, plan)).await?;
    Ok(json!({
        "seconds": seconds.as_secs_f64(), "errors": tally.errors, "first_error": tally.first_error,
        "read_ms": tally.reads.figures(), "write_ms": tally.writes.figures(), "statuses": tally.statuses,
    }))
}

/// The plan: a JSON array of `{write, method, path, headers, body, expected}`, of which `headers` is an object and `expected` may be left
/// out; it is gone round as often as needed.
fn read_plan(path: &str, url: &Url) -> Result<Vec<Planned>> {
    let entries: Vec<Value> = serde_json::from_slice(&std::fs::read(path)?)?;
    entries.iter().map(|entry| Planned::of(entry, url)).collect()
}

impl Planned {
    fn of(entry: &Value, url: &Url) -> Result<Self> {
        let text = |name: &str| entry[name].as_str().with_context(|| format!("the plan's {name}"));
        let body = match &entry["body"] {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            text("method")?,
            text("path")?,
            url.authority,
            body.len()
        );
        for (name, value) in entry["headers"].as_object().context("the plan's headers")? {
            head += &format!("{name}: {}\r\n", value.as_str().context("a header of the plan")?);
        }
        let expected = entry["expected"].as_array().into_iter().flatten();
        Ok(Self {
            write: entry["write"].as_bool().unwrap_or(false),
            bytes: (head + "\r\n" + &body).into_bytes(),
            expected: expected.filter_map(|status| status.as_u64()?.try_into().ok()).collect(),
        })
    }

    fn expects(&self, status: u16) -> bool {
        self.expected.contains(&status) || (self.expected.is_empty() && (200..300).contains(&status))
    }
}

async fn all(count: usize, rate: f64, seconds: Duration, url: Url, plan: Rc<Vec<Planned>>) -> Result<Tally> {
    let schedule = Rc::new(Mutex::new(Schedule {
        next: 0,
        begin: Instant::now() + Duration::from_millis(200),
        every: Duration::from_secs_f64(1.0 / rate),
        total: (seconds.as_secs_f64() * rate) as usize,
    }));
    announce("steady");
    let workers: Vec<_> = (0..count)
        .map(|_| tokio::task::spawn_local(work(url.clone(), Rc::clone(&schedule), Rc::clone(&plan))))
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        let done = worker.await??;
        tally.reads.extend(&done.reads);
        tally.writes.extend(&done.writes);
        for (status, count) in done.statuses {
            *tally.statuses.entry(status).or_default() += count;
        }
        tally.errors += done.errors;
        tally.first_error = tally.first_error.or(done.first_error);
    }
    Ok(tally)
}

async fn work(url: Url, schedule: Rc<Mutex<Schedule>>, plan: Rc<Vec<Planned>>) -> Result<Tally> {
    let mut client = Client::connect(&url, None).await?;
    let mut tally = Tally::default();
    loop {
        // A statement of its own: the lock must not be held until the answer is there.
        let Some((number, due)) = schedule.lock().await.take() else {
            return Ok(tally);
        };
        tokio::time::sleep_until(due.into()).await;
        let planned = &plan[number % plan.len()];
        let answer = client.send(&planned.bytes).await?;
        let times = if planned.write {
            &mut tally.writes
        } else {
            &mut tally.reads
        };
        times.add_micros(due.elapsed().as_micros() as u64);
        *tally.statuses.entry(answer.status).or_default() += 1;
        if !planned.expects(answer.status) {
            tally.errors += 1;
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            tally.first_error.get_or_insert(format!("{} {body}", answer.status));
        }
    }
}

impl Schedule {
    fn take(&mut self) -> Option<(usize, Instant)> {
        let number = self.next;
        self.next += 1;
        (number < self.total).then(|| (number, self.begin + self.every * number as u32))
    }
}
