//! Follows the hub: what its events mean for the streams of accounts.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use hub::{Advice, Broadcast, BroadcastId, Ending, Event, Health, Hub, LadderReport, Name, Refusal, SourceInfo};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tracing::warn;

use super::ladder;
use super::report::Report;
use crate::clock::Time;
use crate::directory::Entry;
use crate::ladder::shown;
use crate::platform::Platform;

/// Follows the hub until `stopping` turns true. What runs then goes on after a restart, and is not over.
pub async fn follow(platform: Platform, mut stopping: watch::Receiver<bool>) {
    let Some(hub) = platform.hub().cloned() else { return };
    let mut events = hub.subscribe();
    let mut follower = Follower::of(platform);
    follower.look_around(&hub, true);
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match event {
            Ok(event) => follower.heard(event),
            Err(RecvError::Lagged(missed)) => {
                warn!(
                    missed,
                    "events were missed: some will not be found among a stream's events"
                );
                follower.look_around(&hub, false);
            }
            Err(RecvError::Closed) => break,
        }
    }
    follower.finish();
}

/// What was heard so far.
pub(super) struct Follower {
    platform: Platform,
    runs: HashMap<BroadcastId, Run>,
}

/// A broadcast of an account's stream, as far as it was heard of.
struct Run {
    entry: Arc<Entry>,
    /// Whether it has had a source: the next one comes back.
    connected: bool,
    ending: Option<Ending>,
    /// What was said already.
    advice: Vec<Advice>,
    /// The same of its ladder.
    ladder: ladder::Told,
}

impl Follower {
    pub(super) fn of(platform: Platform) -> Self {
        Self {
            platform,
            runs: HashMap::new(),
        }
    }

    pub(super) fn heard(&mut self, event: Event) {
        match event {
            Event::Started(broadcast) => self.began(&broadcast, false),
            Event::Connected(broadcast, source) => self.connected(&broadcast, &source),
            Event::Active(broadcast) => self.tell(&broadcast, ("active", shown(&broadcast))),
            Event::Refused(name, refusal) => self.refused(&name, &refusal),
            Event::Disconnected(broadcast, ending) => self.disconnected(&broadcast, ending),
            Event::Health(broadcast, health) => self.health(&broadcast, &health),
            Event::Ladder(broadcast, report) => self.ladder(&broadcast, &report),
            Event::Ended(broadcast) => self.ended(&broadcast),
        }
    }

    /// Takes up what runs, and what ended unheard.
    pub(super) fn look_around(&mut self, hub: &Hub, restored: bool) {
        let running = hub.broadcasts();
        for broadcast in &running {
            if !self.runs.contains_key(broadcast.id()) {
                self.began(broadcast, restored);
            }
            if let Some(report) = broadcast.ladder_report() {
                self.ladder(broadcast, &report);
            }
        }
        let over: Vec<_> = self
            .runs
            .keys()
            .filter(|id| running.iter().all(|broadcast| broadcast.id() != *id))
            .cloned()
            .collect();
        for id in over {
            self.close(&id, "it ended".to_owned());
        }
    }

    fn began(&mut self, broadcast: &Broadcast, restored: bool) {
        let Some(entry) = self.platform.live.names.entry(broadcast.name()) else {
            return;
        };
        self.platform.live.reports.push(Report::Began {
            broadcast: broadcast.id().to_string(),
            environment: entry.environment.clone(),
            stream: entry.stream.clone(),
            at: Time::of(broadcast.started()),
        });
        let run = Run {
            entry,
            connected: restored,
            ending: None,
            advice: Vec::new(),
            ladder: ladder::Told::default(),
        };
        self.runs.insert(broadcast.id().clone(), run);
    }

    fn connected(&mut self, broadcast: &Broadcast, source: &SourceInfo) {
        let Some(run) = self.runs.get_mut(broadcast.id()) else {
            return;
        };
        let kind = if std::mem::replace(&mut run.connected, true) {
            "reconnected"
        } else {
            "connected"
        };
        run.ending = None;
        self.platform.live.reports.accepted(&run.entry.stream);
        let detail = json!({ "protocol": source.protocol.as_str(), "address": source.peer.ip().to_canonical() });
        self.tell(broadcast, (kind, detail));
    }

    /// The hub itself refused somebody whose key was good.
    fn refused(&self, name: &Name, refusal: &Refusal) {
        if let Some(entry) = self.platform.live.names.entry(name) {
            let reports = &self.platform.live.reports;
            reports.refused(&self.platform, &entry, &refusal.to_string());
        }
    }

    fn disconnected(&mut self, broadcast: &Broadcast, ending: Ending) {
        let Some(run) = self.runs.get_mut(broadcast.id()) else {
            return;
        };
        run.ending = Some(ending);
        let revoked = broadcast
            .stopped()
            .or_else(|| self.platform.live.grants.revoked(broadcast.name()));
        let event = match (revoked, ending) {
            (Some(reason), _) => (
                "lost",
                json!({ "reason": reason, "text": format!("the source was cut off: {reason}") }),
            ),
            (None, Ending::Lost) => ("lost", json!({})),
            (None, Ending::Unpublished) => ("disconnected", json!({})),
        };
        self.tell(broadcast, event);
        let minutes = self
            .platform
            .live
            .minutes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.so_far(broadcast.id());
        drop(minutes);
        self.platform.live.reports.minute(minute);
    }

    fn health(&mut self, broadcast: &Broadcast, health: &Health) {
        let Some(run) = self.runs.get_mut(broadcast.id()) else {
            return;
        };
        let news: Vec<Advice> = health
            .advice
            .iter()
            .copied()
            .filter(|advice| !run.advice.contains(advice))
            .collect();
        run.advice.extend(&news);
        for advice in news {
            self.tell(
                broadcast,
                ("advice", json!({ "code": code(advice), "text": advice.to_string() })),
            );
        }
        let now = self.platform.clock.now();
        let mut minutes = self
            .platform
            .live
            .minutes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = minutes.add(broadcast.id(), health, now);
        drop(minutes);
        self.platform.live.reports.minute(before);
    }

    fn ladder(&mut self, broadcast: &Broadcast, report: &LadderReport) {
        let run = self.runs.get_mut(broadcast.id());
        if let Some(news) = run.and_then(|run| run.ladder.news(report)) {
            self.tell(broadcast, ("ladder", news));
        }
    }

    fn ended(&mut self, broadcast: &Broadcast) {
        let Some(run) = self.runs.get(broadcast.id()) else {
            return;
        };
        let reason = broadcast.stopped().unwrap_or_else(|| {
            let reason = match run.ending {
                Some(Ending::Unpublished) => "the source ended the stream",
                Some(Ending::Lost) => "the source did not come back in time",
                None => "no source came",
            };
            reason.to_owned()
        });
        self.close(broadcast.id(), reason);
    }

    fn close(&mut self, id: &BroadcastId, reason: String) {
        let Some(run) = self.runs.remove(id) else { return };
        let now = self.platform.clock.now();
        let reports = &self.platform.live.reports;
        let mut minutes = self
            .platform
            .live
            .minutes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.end(id);
        drop(minutes);
        reports.minute(minute);
        reports.happened(&run.entry, Some(id), ("ended", json!({ "reason": reason })), now);
        reports.push(Report::Ended {
            broadcast: id.to_string(),
            reason,
            at: now,
        });
    }

    fn tell(&self, broadcast: &Broadcast, event: (&'static str, serde_json::Value)) {
        if let Some(run) = self.runs.get(broadcast.id()) {
            let (reports, now) = (&self.platform.live.reports, self.platform.clock.now());
            reports.happened(&run.entry, Some(broadcast.id()), event, now);
        }
    }

    /// The server stops: the minutes so far are kept.
    pub(super) fn finish(&self) {
        let mut minutes = self
            .platform
            .live
            .minutes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for minute in minutes.end_all() {
            self.platform.live.reports.push(Report::Health(minute));
        }
    }
}

/// The name of an advice for programs.
pub(crate) fn code(advice: Advice) -> &'static str {
    match advice {
        Advice::KeyframesFarApart => "keyframes_far_apart",
        Advice::ReordersFrames => "reorders_frames",
        Advice::VariableFrameRate => "variable_frame_rate",
        Advice::SendBacklog => "send_backlog",
        Advice::TimestampJumps => "timestamp_jumps",
    }
}
