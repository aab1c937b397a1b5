//! What whoever runs a stream is told of its ladder: what changed, not each report.

use std::collections::BTreeMap;
use std::sync::Arc;

use hub::{LadderReport, RungState};
use serde_json::{Value, json};

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct Told {
    notice: Option<String>,
    /// Rungs that are not made, by name, and why.
    dropped: BTreeMap<Arc<str>, String>,
}

impl Told {
    /// What of a report is news, as the detail of an event; `None` where nothing is.
    pub(super) fn news(&mut self, report: &LadderReport) -> Option<Value> {
        let notice = report.notice.clone().filter(|_| report.notice != self.notice);
        self.notice.clone_from(&report.notice);
        let (dropped, back) = (self.newly_dropped(report), self.newly_back(report));
        let mut words: Vec<String> = notice.iter().cloned().collect();
        let told = |(name, reason): &(Arc<str>, String)| format!("{name} is not made: {reason}");
        words.extend(dropped.iter().map(told));
        words.extend(back.iter().map(|name| format!("{name} is made again")));
        if words.is_empty() {
            return None;
        }
        let dropped: Vec<Value> = dropped
            .iter()
            .map(|(name, reason)| json!({ "name": &**name, "reason": reason }))
            .collect();
        let back: Vec<&str> = back.iter().map(|name| &**name).collect();
        Some(json!({ "notice": notice, "dropped": dropped, "back": back, "text": words.join("; ") }))
    }

    fn newly_dropped(&mut self, report: &LadderReport) -> Vec<(Arc<str>, String)> {
        let mut news = Vec::new();
        for rung in &report.rungs {
            let RungState::Dropped(reason) = &rung.state else {
                continue;
            };
            let before = self.dropped.insert(Arc::clone(&rung.name), reason.clone());
            if before.as_ref() != Some(reason) {
                news.push((Arc::clone(&rung.name), reason.clone()));
            }
        }
        news
    }

    /// One that only starts may fail again: it is back when something comes of it. One that nobody asks for any more is forgotten.
    fn newly_back(&mut self, report: &LadderReport) -> Vec<Arc<str>> {
        let mut back = Vec::new();
        self.dropped.retain(|name, _| {
            let rung = report.rungs.iter().find(|rung| rung.name == *name);
            let runs = rung.is_some_and(|rung| rung.state == RungState::Running);
            if runs {
                back.push(Arc::clone(name));
            }
            rung.is_some() && !runs
        });
        back
    }
}

#[cfg(test)]
mod tests {
    use hub::RungReport;
    use media::TrackId;

    use super::*;

    fn report(notice: Option<&str>, rungs: &[(&str, RungState)]) -> LadderReport {
        let rung = |(name, state): &(&str, RungState)| RungReport {
            track: TrackId::VIDEO,
            name: (*name).into(),
            width: 1_280,
            height: 720,
            frame_rate: None,
            bitrate: 2_500_000,
            encoder: "libx264".into(),
            cost: 400,
            state: state.clone(),
        };
        LadderReport {
            rungs: rungs.iter().map(rung).collect(),
            notice: notice.map(str::to_owned),
        }
    }

    fn dropped(reason: &str) -> RungState {
        RungState::Dropped(reason.into())
    }

    fn text(news: Option<Value>) -> Option<String> {
        Some(news?["text"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn a_ladder_that_does_as_asked_is_no_news() {
        let mut told = Told::default();
        for state in [RungState::Starting, RungState::Running, RungState::Running] {
            assert_eq!(told.news(&report(None, &[("720p", state)])), None);
        }
    }

    #[test]
    fn a_rung_is_told_of_when_it_goes_and_when_it_is_back() {
        let mut told = Told::default();
        let slow = || report(None, &[("720p", dropped("too slow")), ("480p", RungState::Running)]);
        assert_eq!(
            told.news(&slow()),
            Some(json!({
                "notice": null, "dropped": [{"name": "720p", "reason": "too slow"}], "back": [],
                "text": "720p is not made: too slow"
            }))
        );
        assert_eq!(told.news(&slow()), None, "once");
        let other = report(None, &[("720p", dropped("no room"))]);
        assert_eq!(text(told.news(&other)).as_deref(), Some("720p is not made: no room"));
        assert_eq!(told.news(&report(None, &[("720p", RungState::Starting)])), None);
        let back = told.news(&report(None, &[("720p", RungState::Running)]));
        assert_eq!(text(back).as_deref(), Some("720p is made again"));
        assert_eq!(told.news(&report(None, &[("720p", RungState::Running)])), None);
    }

    #[test]
    fn a_rung_that_nobody_asks_for_any_more_is_forgotten() {
        let mut told = Told::default();
        told.news(&report(None, &[("720p", dropped("no room"))]));
        assert_eq!(told.news(&report(None, &[("480p", RungState::Running)])), None);
        assert_eq!(told.news(&report(None, &[("720p", RungState::Running)])), None);
    }

    #[test]
    fn a_notice_is_told_once_and_again_after_it_was_gone() {
        let mut told = Told::default();
        let noticed = || report(Some("room for 1 of 2"), &[("720p", dropped("no room"))]);
        assert_eq!(
            text(told.news(&noticed())).as_deref(),
            Some("room for 1 of 2; 720p is not made: no room")
        );
        assert_eq!(told.news(&noticed()), None);
        assert_eq!(told.news(&report(None, &[("720p", dropped("no room"))])), None);
        assert_eq!(text(told.news(&noticed())).as_deref(), Some("room for 1 of 2"));
    }
}
