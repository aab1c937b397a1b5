//! A broadcast divided into Periods, as its segments begin.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use media::Parameters;

use super::mpd;
use super::period::{self, Period, Shape};
use super::regularity::Regularity;
use crate::Window;
use crate::hls::Choice;
use crate::time::ticks_of;
use crate::window::{Rendition, Segment};

/// A segment of a regular Period may begin so much of its length off; half of it is what the specification bears.
const OFF_PARTS: i64 = 8;
/// The source's clock may run away so far from the server's before a Period puts it right.
const SHIFT_MAX_MILLIS: i64 = 500;
/// After so many segments a regular Period has kept its promise.
const KEPT_PROMISE: u64 = 30;

/// What a broadcast's manifests are written from, beside its window.
///
/// It must see the windows in order, and none may be left out for longer than segments are kept: Periods that players
/// know stay as they are. It costs next to nothing while no segment begins or ends.
#[derive(Debug)]
pub struct Timeline {
    depth: Duration,
    segment: Duration,
    periods: VecDeque<Period>,
    regularity: Regularity,
    newest: Option<Begun>,
    seen: Option<Seen>,
}

/// What a segment does to the Periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    /// The newest Period, which no player knows yet, has another shape.
    Amend(Shape),
    /// A Period begins with the segment.
    Begin(Shape),
}

/// The newest segment that has begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    number: u64,
    discontinuity: u64,
    time: i64,
}

/// What the manifest depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    begun: Option<u64>,
    wholes: [Option<u64>; 2],
    /// Counts the whole segments of all further tracks.
    further: u64,
    planned: usize,
    ended: bool,
}

impl Timeline {
    /// A timeline of a broadcast whose playlists list `depth`, and whose segments end at the first key frame after
    /// `segment`.
    pub fn new(depth: Duration, segment: Duration) -> Self {
        Self {
            depth,
            segment,
            periods: VecDeque::new(),
            regularity: Regularity::default(),
            newest: None,
            seen: None,
        }
    }

    /// Takes note of a window; whether the manifest is now another than before.
    pub fn observe(&mut self, window: &Window) -> bool {
        let Some(leader) = leader(window) else { return false };
        let after = self.newest.map(|newest| newest.number);
        let is_new = |segment: &&Arc<Segment>| after.is_none_or(|after| segment.number > after);
        let begun: Vec<_> = leader.segments().rev().take_while(is_new).collect();
        let with_parts = begun.into_iter().rev().filter(|segment| !segment.parts.is_empty());
        let started_millis = window.started_micros.div_euclid(1_000);
        for segment in with_parts {
            self.begin(segment, started_millis);
        }
        self.forget(leader);
        let seen = Seen {
            begun: self.newest.map(|newest| newest.number),
            wholes: [&window.video, &window.audio].map(|track| track.as_ref().map(|track| track.next_whole())),
            further: window.further.iter().map(|track| track.next_whole()).sum::<u64>() + window.further.len() as u64,
            planned: window.planned.len(),
            ended: window.ended,
        };
        self.seen.replace(seen) != Some(seen)
    }

    /// Writes the manifest of the window that was observed last; `None` as long as it would hold nothing.
    ///
    /// `folder` is what leads from the manifest to the renditions' folders, with its slash: `colors/ID/`. `choice` may leave
    /// out all that is there for low latency, and some qualities.
    pub fn mpd(&self, window: &Window, folder: &str, choice: Choice) -> Option<String> {
        let periods: Vec<&Period> = self.periods.iter().collect();
        mpd::write(window, &periods, self.depth, folder, choice)
    }

    fn begin(&mut self, segment: &Segment, started_millis: i64) {
        let time = period::time(segment);
        let before = self
            .newest
            .filter(|newest| newest.discontinuity == segment.discontinuity);
        let length = before.map(|before| time - before.time);
        match length {
            Some(length) => self.regularity.push(length),
            None => self.regularity.reset(),
        }
        match self.verdict(segment, length, started_millis) {
            Verdict::GoOn => {}
            Verdict::Amend(shape) => {
                if let Some(current) = self.periods.back_mut() {
                    current.shape = shape;
                }
            }
            Verdict::Begin(shape) => {
                let period = Period::new(segment, started_millis, shape, self.periods.back());
                self.periods.push_back(period);
            }
        }
        self.newest = Some(Begun {
            number: segment.number,
            discontinuity: segment.discontinuity,
            time,
        });
    }

    /// What a segment does to the Periods; `length` is that of the one before it, if nothing lies between.
    fn verdict(&mut self, segment: &Segment, length: Option<i64>, started_millis: i64) -> Verdict {
        let Some(current) = self.periods.back() else {
            return Verdict::Begin(Shape::Listed);
        };
        let independent = segment.independent();
        let Some(length) = length else {
            // Most sources that return are what they were. If this one is not, its second segment tells.
            return Verdict::Begin(if independent { current.shape } else { Shape::Listed });
        };
        let settled = self.regularity.settled().filter(|_| independent);
        match current.shape {
            Shape::Listed => match settled {
                Some(length) => Verdict::Begin(Shape::Regular { length }),
                None if independent && segment.number == current.first + 1 => self.guess(length, segment),
                None => Verdict::GoOn,
            },
            Shape::Regular { length } if !independent || current.error(segment).abs() > length / OFF_PARTS => {
                let count = segment.number - current.first;
                Verdict::Begin(self.broken(count, settled, current.shape))
            }
            shape => {
                let run_away = period::shift_millis(segment, started_millis) - current.shift_millis;
                if run_away.abs() > SHIFT_MAX_MILLIS {
                    Verdict::Begin(shape)
                } else {
                    Verdict::GoOn
                }
            }
        }
    }

    /// From the first segment alone: one that is long enough is as long as all will be, for it ended at the first key
    /// frame. After a shorter one, segments last as many times its length as it takes to be long enough.
    ///
    /// To be wrong costs a Period. To wait costs low latency: some players keep to how a manifest was when they began.
    fn guess(&self, length: i64, segment: &Segment) -> Verdict {
        let timescale = segment.timescale;
        let least = ticks_of(self.segment, timescale) - i64::from(timescale) / 20;
        if !self.regularity.is_trusted() || length <= 0 {
            return Verdict::GoOn;
        }
        if length >= least {
            return Verdict::Amend(Shape::Regular { length });
        }
        match &segment.init.parameters {
            Parameters::Video(_) => Verdict::Begin(Shape::Regular {
                length: (least + length - 1) / length * length,
            }),
            // Every frame is a key frame: a segment ends with the frame that is nearest to the target.
            Parameters::Audio(audio) => {
                let frame = i64::from(audio.frame_samples);
                let frames = (ticks_of(self.segment, timescale) + frame / 2) / frame.max(1);
                let guess = Verdict::Begin(Shape::Regular { length: frames * frame });
                if frame > 0 { guess } else { Verdict::GoOn }
            }
        }
    }

    /// What follows a Period of the shape `before` that has held `count` segments and cannot hold the next.
    fn broken(&mut self, count: u64, settled: Option<i64>, before: Shape) -> Shape {
        // Lengths that are a little off add up; then it is enough to count anew. So it is after a scene change now and
        // then, whose key frame all others follow.
        if let Some(length) = settled {
            return Shape::Regular { length };
        }
        if count >= KEPT_PROMISE {
            self.regularity.forgive();
            return before;
        }
        self.regularity.disappoint();
        Shape::Listed
    }

    /// Drops the Periods of which nothing is listed any more.
    fn forget(&mut self, leader: &Rendition) {
        let first = leader
            .listed()
            .first()
            .map_or(leader.next_whole(), |segment| segment.number);
        while self.periods.get(1).is_some_and(|second| second.first <= first) {
            self.periods.pop_front();
        }
    }
}

/// The rendition that decides where segments begin.
pub(super) fn leader(window: &Window) -> Option<&Rendition> {
    window.mains().next().map(Arc::as_ref)
}

#[cfg(test)]
mod tests {
    use media::FrameRate;

    use super::*;
    use crate::testing::{Broadcast, Pictures, STARTED, Source};
    use crate::{Input, Settings};

    const DEPTH: Duration = Duration::from_secs(60);
    const SEGMENT: Duration = Duration::from_secs(2);

    /// A broadcast, and the timeline that watches it.
    struct Watched {
        broadcast: Broadcast,
        timeline: Timeline,
        changes: usize,
    }

    impl Watched {
        fn new(source: Source) -> Self {
            Self {
                broadcast: Broadcast::new(source, Settings::default()),
                timeline: Timeline::new(DEPTH, SEGMENT),
                changes: 0,
            }
        }

        fn run_until(&mut self, seconds: u64) {
            let (timeline, changes) = (&mut self.timeline, &mut self.changes);
            self.broadcast.run_millis(seconds * 1_000, |window| {
                *changes += usize::from(timeline.observe(window));
            });
        }

        /// Another source, with key frames so many frames apart.
        fn replace(&mut self, group: u64) {
            self.broadcast.push(Input::Cut);
            self.broadcast.source.video = Some(Pictures::new(30, 1, group));
            self.broadcast.announce();
        }

        fn mpd(&mut self) -> String {
            let window = self.broadcast.window();
            self.timeline
                .mpd(&window, "colors/ID/", Choice::default())
                .expect("something to play")
        }

        /// Number of the first segment, start in milliseconds, and length in ticks of each Period.
        fn periods(&self) -> Vec<(u64, i64, Option<i64>)> {
            let describe = |period: &Period| {
                let length = match period.shape {
                    Shape::Regular { length } => Some(length),
                    Shape::Listed => None,
                };
                (period.first, period.start_micros() / 1_000, length)
            };
            self.timeline.periods.iter().map(describe).collect()
        }
    }

    /// The window with a segment that begins so many ticks after the growing one, and milliseconds late.
    fn next_segment(window: &Window, ticks: i64, late_millis: i64) -> Window {
        let mut window = window.clone();
        let mut video = Rendition::clone(window.video.as_ref().expect("video"));
        let mut open = Segment::clone(video.open.as_ref().expect("a growing segment"));
        (open.number, open.start) = (open.number + 1, open.start + ticks);
        open.date_time = crate::DateTime(STARTED / 1_000 + open.start / 90 + late_millis);
        video.open = Some(Arc::new(open));
        window.video = Some(Arc::new(video));
        window
    }

    fn pictures(group: u64) -> Source {
        Source {
            video: Some(Pictures::new(30, 1, group)),
            ..Source::default()
        }
    }

    #[test]
    fn before_a_segment_is_whole_there_is_no_manifest() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(1);
        assert_eq!(
            watched
                .timeline
                .mpd(&watched.broadcast.window(), "x/", Choice::default()),
            None
        );
        watched.run_until(3);
        assert!(watched.mpd().contains("availabilityTimeOffset"));
    }

    #[test]
    fn regular_key_frames_make_a_regular_period() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        assert_eq!(watched.periods(), [(0, 0, Some(180_000))]);
    }

    #[test]
    fn the_short_first_segment_does_not_count() {
        let mut watched = Watched::new(pictures(30));
        watched.run_until(20);
        assert_eq!(watched.periods(), [(0, 0, None), (1, 1_000, Some(180_000))]);
    }

    #[test]
    fn a_period_stays_what_it_is_while_the_window_moves_on() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        let early = watched.timeline.periods.clone();
        watched.run_until(600);
        assert_eq!(watched.timeline.periods, early);
    }

    #[test]
    fn the_manifest_changes_once_for_each_segment_that_begins_or_ends() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        let before = watched.changes;
        watched.run_until(40);
        let changes = watched.changes - before;
        // Video and audio end and begin one after the other.
        assert!((10..=40).contains(&changes), "{changes} in 10 segments");
    }

    #[test]
    fn rates_that_are_no_whole_number_stay_regular_for_hours() {
        let mut watched = Watched::new(Source {
            video: Some(Pictures::new(30_000, 1_001, 60)),
            audio: Some(44_100),
        });
        watched.run_until(3 * 3_600);
        assert_eq!(watched.periods(), [(0, 0, Some(180_180))]);
    }

    #[test]
    fn timestamps_in_milliseconds_are_regular_enough() {
        let rounded = Pictures {
            rounded: true,
            ..Pictures::new(30_000, 1_001, 50)
        };
        let mut watched = Watched::new(Source {
            video: Some(rounded),
            audio: Some(48_000),
        });
        watched.run_until(3_600);
        let lengths: Vec<_> = watched.periods().into_iter().map(|period| period.2).collect();
        assert!(lengths.len() <= 2 && lengths.iter().all(Option::is_some), "{lengths:?}");
    }

    #[test]
    fn a_source_that_returns_goes_on_in_a_period_of_its_own() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        watched.replace(60);
        watched.run_until(21);
        assert_eq!(watched.periods(), [(0, 0, Some(180_000)), (10, 20_000, Some(180_000))]);
        let text = watched.mpd();
        assert_eq!(text.matches("<Period ").count(), 2, "as soon as it has a part");
        assert!(
            text.contains("startNumber=\"0\" endNumber=\"9\" duration=\"180000\""),
            "{text}"
        );
        assert!(text.contains("startNumber=\"10\" duration=\"180000\""), "{text}");
        watched.run_until(40);
        assert_eq!(watched.periods().len(), 2);
    }

    #[test]
    fn a_source_with_other_key_frames_is_found_out_by_its_second_segment() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        watched.replace(90);
        watched.run_until(60);
        let rest = [
            (10, 21_000, Some(180_000)),
            (11, 24_000, None),
            (14, 33_000, Some(270_000)),
        ];
        assert_eq!(watched.periods()[1..], rest);
    }

    #[test]
    fn until_a_list_has_a_whole_segment_the_period_before_has_no_end() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        watched.replace(90);
        watched.run_until(26);
        let text = watched.mpd();
        assert_eq!(watched.periods().last(), Some(&(11, 24_000, None)));
        assert!(text.contains("startNumber=\"10\" duration=\"180000\""), "{text}");
        assert_eq!(text.matches("<Period ").count(), 2);
    }

    #[test]
    fn a_scene_change_now_and_then_moves_the_rule() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(71);
        let window = next_segment(&watched.broadcast.window(), 99_000, 0);
        watched.timeline.observe(&window);
        assert_eq!(watched.periods(), [(0, 0, Some(180_000)), (36, 71_100, Some(180_000))]);
    }

    #[test]
    fn key_frames_here_and_there_make_a_list() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        for (until, group) in [(31, 77), (44, 60), (60, 47), (80, 101)] {
            watched.broadcast.source.video = Some(Pictures::new(30, 1, group));
            watched.run_until(until);
        }
        let listed = watched
            .periods()
            .into_iter()
            .any(|(first, _, length)| first > 5 && length.is_none());
        assert!(listed, "{:?}", watched.periods());
        let text = watched.mpd();
        if watched.periods().last().is_some_and(|last| last.2.is_none()) {
            assert!(
                !text.contains("availabilityTime") && !text.contains("Latency"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_source_with_a_slow_clock_is_followed_in_steps() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(10);
        let window = watched.broadcast.window();
        let shifted = |millis| next_segment(&window, 180_000, millis);
        watched.timeline.observe(&shifted(400));
        assert_eq!(watched.periods().len(), 1);
        watched.timeline.newest = watched.timeline.newest.map(|newest| Begun {
            number: newest.number - 1,
            time: newest.time - 180_000,
            ..newest
        });
        watched.timeline.observe(&shifted(600));
        assert_eq!(watched.periods()[1], (5, 10_600, Some(180_000)));
    }

    #[test]
    fn the_end_is_told() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(11);
        watched.broadcast.packager.finish();
        assert!(watched.timeline.observe(&watched.broadcast.window()));
        let text = watched.mpd();
        assert!(text.contains("type=\"static\""), "{text}");
        assert!(text.contains("mediaPresentationDuration=\"PT10.999S\""), "{text}");
        assert!(text.contains("endNumber=\"5\""), "{text}");
        for word in [
            "minimumUpdatePeriod",
            "timeShiftBufferDepth",
            "availabilityTimeOffset",
            "UTCTiming",
        ] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn after_the_end_nothing_is_promised_that_is_gone() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(301);
        watched.broadcast.packager.finish();
        watched.timeline.observe(&watched.broadcast.window());
        let text = watched.mpd();
        let window = watched.broadcast.window();
        let firsts = window.renditions().map(|rendition| rendition.listed()[0].number);
        let first = firsts.max().expect("two tracks");
        assert!(
            text.contains(&format!("<Period id=\"0\" start=\"PT{}S\">", 2 * first)),
            "{text}"
        );
        assert!(
            text.contains(&format!("startNumber=\"{first}\" endNumber=\"150\"")),
            "{text}"
        );
        assert!(
            text.contains(&format!("presentationTimeOffset=\"{}\"", 180_000 * first)),
            "{text}"
        );
    }

    #[test]
    fn who_wants_no_low_latency_gets_none() {
        let mut watched = Watched::new(pictures(60));
        watched.run_until(20);
        let text = watched
            .timeline
            .mpd(
                &watched.broadcast.window(),
                "x/",
                Choice {
                    normal: true,
                    ..Choice::default()
                },
            )
            .expect("something to play");
        for word in [
            "availabilityTime",
            "Latency",
            "low-latency",
            "ProducerReferenceTime",
            "Resync",
        ] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn below_six_frames_a_second_a_period_is_regular_without_low_latency() {
        let mut watched = Watched::new(Source {
            video: Some(Pictures::new(2, 1, 4)),
            audio: Some(48_000),
        });
        watched.run_until(20);
        let text = watched.mpd();
        assert!(
            text.contains("duration=\"180000\"") && !text.contains("availabilityTime"),
            "{text}"
        );
    }

    #[test]
    fn sound_alone_has_its_own_ticks() {
        let mut watched = Watched::new(Source {
            video: None,
            audio: Some(48_000),
        });
        watched.run_until(200);
        assert_eq!(watched.periods().len(), 1, "{:?}", watched.periods());
        assert!(
            watched.periods().last().expect("a period").2.is_some(),
            "{:?}",
            watched.periods()
        );
        assert!(watched.mpd().contains("timescale=\"48000\""));
    }

    #[test]
    fn b_frames_count_by_presentation() {
        let reordered = Pictures {
            reorders: true,
            ..Pictures::new(30, 1, 60)
        };
        let mut watched = Watched::new(Source {
            video: Some(reordered),
            audio: Some(48_000),
        });
        watched.run_until(20);
        assert_eq!(watched.periods()[0], (0, 33, Some(180_000)));
        assert!(watched.mpd().contains("presentationTimeOffset=\"3000\""));
    }

    #[test]
    fn a_frame_rate_is_written_as_a_ratio_where_it_is_one() {
        let mut watched = Watched::new(Source {
            video: Some(Pictures {
                rate: FrameRate::new(30_000, 1_001).expect("a rate"),
                ..Pictures::new(30, 1, 60)
            }),
            audio: None,
        });
        watched.run_until(20);
        assert!(watched.mpd().contains("frameRate=\"30000/1001\""));
    }

    /// The ids of the Periods of a manifest, with the text that says where each begins.
    fn starts(mpd: &str) -> Vec<(u64, String)> {
        let periods = mpd.split("<Period id=\"").skip(1);
        let read = |period: &str| {
            let (id, rest) = period.split_once("\" start=\"PT").expect("a start");
            let (start, _) = rest.split_once('S').expect("seconds");
            (id.parse().expect("a number"), start.to_owned())
        };
        periods.map(read).collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

        #[test]
        fn whatever_sources_do_periods_that_players_know_never_change(
            sources in proptest::collection::vec((1_u64..300, 1_u64..25, proptest::bool::ANY), 1..6),
        ) {
            let mut watched = Watched::new(pictures(60));
            let mut known = std::collections::BTreeMap::new();
            let mut until = 4;
            for (group, seconds, cut) in sources {
                watched.run_until(until);
                if cut {
                    watched.replace(group);
                } else {
                    watched.broadcast.source.video = Some(Pictures::new(30, 1, group));
                }
                for _ in 0..seconds {
                    until += 1;
                    watched.run_until(until);
                    let Some(text) = watched.timeline.mpd(&watched.broadcast.window(), "x/", Choice::default()) else { continue };
                    let starts = starts(&text);
                    let in_order = starts.windows(2).all(|pair| {
                        let seconds = |at: usize| pair[at].1.parse::<f64>().expect("seconds");
                        pair[0].0 < pair[1].0 && seconds(0) < seconds(1)
                    });
                    proptest::prop_assert!(in_order, "{:?}", starts);
                    for (id, start) in starts {
                        let before = known.entry(id).or_insert_with(|| start.clone());
                        proptest::prop_assert_eq!(&*before, &start);
                    }
                }
            }
        }
    }
}
