//! The manifest as a whole.

use std::time::Duration;

use super::adaptation::{self, Set, Sound};
use super::period::{self, Period, Shape};
use super::timeline::leader;
use super::xml::{Seconds, Xml};
use crate::hls::Choice;
use crate::qualities::{self, Quality};
use crate::time::rescale;
use crate::window::Rendition;
use crate::{DateTime, Span, Window};

const LIVE: &str = "urn:mpeg:dash:profile:isoff-live:2011";
const LOW_LATENCY_LIVE: &str =
    "urn:mpeg:dash:profile:isoff-live:2011,http://www.dashif.org/guidelines/low-latency-live-v5";

/// What is stated as the end lies so far before what players compute from their buffers.
const ROUNDING_MICROS: i64 = 1_000;

/// How players are to approach the live edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latency {
    /// The longest part.
    pub(super) part: Span,
    /// Microseconds before its end at which a segment's first part can be had.
    pub(super) early: i64,
    /// Microseconds behind the live edge.
    target: i64,
    least: i64,
    most: i64,
}

impl Latency {
    /// `None` where parts are of no use, or not wanted.
    fn of(window: &Window, periods: &[&Period], normal: bool) -> Option<Self> {
        let current = periods.last().filter(|_| !normal && !window.ended)?;
        let Shape::Regular { length } = current.shape else {
            return None;
        };
        let parts = [window.targets.video_part, window.targets.audio_part]
            .into_iter()
            .flatten();
        let part = parts.max_by_key(|part| part.micros())?;
        let least = i64::try_from(window.targets.part_hold_back()?.micros()).ok()?;
        // Players of DASH know nothing of parts that are on their way: one more than HLS players hold.
        let target = (least + part.micros() as i64 + 99_999) / 100_000 * 100_000;
        Some(Self {
            part,
            early: rescale(length, current.timescale, 1_000_000).saturating_sub_unsigned(part.micros()),
            target,
            least,
            most: target + 2 * micros(window.targets.seconds()),
        })
    }
}

/// Writes the manifest; `None` if no Period has anything to play yet.
pub(super) fn write(
    window: &Window,
    periods: &[&Period],
    depth: Duration,
    folder: &str,
    choice: Choice,
) -> Option<String> {
    let leader = leader(window)?;
    let latency = Latency::of(window, periods, choice.normal);
    let written = stretches(window, leader, periods);
    let last = written.last()?;
    let mut xml = Xml::new();
    open(&mut xml, window, leader, latency);
    if window.ended {
        xml.attribute("mediaPresentationDuration", Seconds(last.end_micros(window)));
        xml.content();
    } else {
        live(&mut xml, window, leader, depth.min(held(leader)), latency);
        xml.content();
    }
    if let Some(latency) = latency {
        service_description(&mut xml, latency);
    }
    for stretch in &written {
        stretch.write(&mut xml, window, (folder, choice), latency);
    }
    if !window.ended {
        clock(&mut xml);
    }
    xml.close("MPD");
    Some(xml.finish())
}

fn open(xml: &mut Xml, window: &Window, leader: &Rendition, latency: Option<Latency>) {
    let buffer = latency.map_or(longest(window, leader), |latency| latency.part.duration());
    xml.open("MPD")
        .attribute("xmlns", "urn:mpeg:dash:schema:mpd:2011")
        .attribute("profiles", if latency.is_some() { LOW_LATENCY_LIVE } else { LIVE })
        .attribute("type", if window.ended { "static" } else { "dynamic" })
        .attribute("availabilityStartTime", DateTime::from_micros(window.started_micros))
        .attribute("publishTime", published(leader))
        .attribute("maxSegmentDuration", Seconds(micros(window.targets.segment_max())))
        .attribute("minBufferTime", Seconds(micros(buffer)));
}

/// How much there is, in whole seconds. A depth that reaches back before the broadcast's start makes FFmpeg count segment
/// numbers below zero.
fn held(leader: &Rendition) -> Duration {
    let micros = leader.segments().map(|segment| segment.span().micros()).sum();
    Duration::from_secs(Duration::from_micros(micros).as_secs().max(1))
}

/// What a manifest says as long as there will be another.
fn live(xml: &mut Xml, window: &Window, leader: &Rendition, depth: Duration, latency: Option<Latency>) {
    let longest = micros(longest(window, leader));
    let delay = latency.map_or(3 * longest, |latency| latency.target);
    xml.attribute("timeShiftBufferDepth", Seconds(micros(depth)))
        .attribute("suggestedPresentationDelay", Seconds(delay))
        // A list lacks what has ended since, and a rule may be broken: either way players should know soon.
        .attribute("minimumUpdatePeriod", Seconds(longest / 2));
}

/// The longest segment that is listed, as a rule far shorter than what was promised before anything was known.
fn longest(window: &Window, leader: &Rendition) -> Duration {
    let spans = leader.listed().iter().map(|segment| segment.span().duration());
    spans.max().unwrap_or(window.targets.seconds())
}

/// When what the manifest says last changed: when its newest segment began.
fn published(leader: &Rendition) -> DateTime {
    leader
        .segments()
        .next_back()
        .map_or(DateTime(0), |segment| segment.date_time)
}

fn service_description(xml: &mut Xml, latency: Latency) {
    xml.open("ServiceDescription").attribute("id", 0).content();
    xml.open("Latency")
        .attribute("referenceId", 0)
        .attribute("target", latency.target / 1_000)
        .attribute("min", latency.least / 1_000)
        .attribute("max", latency.most / 1_000)
        .empty();
    xml.open("PlaybackRate")
        .attribute("min", "0.96")
        .attribute("max", "1.04")
        .empty();
    xml.close("ServiceDescription");
}

/// Where players find the time that availability is measured by.
pub(super) fn clock(xml: &mut Xml) {
    xml.open("UTCTiming")
        .attribute("schemeIdUri", "urn:mpeg:dash:utc:http-xsdate:2014")
        .attribute("value", "../time")
        .empty();
}

/// A Period with what only the others tell: where it ends.
#[derive(Debug)]
struct Stretch<'a> {
    period: &'a Period,
    /// The Period after it, as long as that has begun.
    next: Option<&'a Period>,
    /// Whether the Period after it is in the manifest.
    next_is_written: bool,
}

/// The Periods that have something to play, with where they end.
fn stretches<'a>(window: &Window, leader: &Rendition, periods: &[&'a Period]) -> Vec<Stretch<'a>> {
    let mut stretches = Vec::new();
    let mut next = None;
    let mut next_is_written = false;
    for period in periods.iter().rev() {
        let stretch = Stretch {
            period,
            next,
            next_is_written,
        };
        next = Some(*period);
        next_is_written = stretch.is_playable(window, leader);
        if next_is_written {
            stretches.push(stretch);
        }
    }
    stretches.reverse();
    stretches
}

impl Stretch<'_> {
    /// Its last segment's number, once that is known.
    fn last(&self) -> Option<u64> {
        self.next.map(|next| next.first.saturating_sub(1))
    }

    fn is_playable(&self, window: &Window, leader: &Rendition) -> bool {
        match self.period.shape {
            Shape::Regular { .. } => leader.newest().is_some_and(|(newest, _)| newest >= self.period.first),
            Shape::Listed => {
                // Its second segment may show that it is no list.
                let is_sure = window.ended || leader.newest().is_some_and(|(newest, _)| newest > self.period.first);
                let has_whole = |rendition| adaptation::listed(rendition, self.period, self.last()).next().is_some();
                is_sure && window.mains().all(|rendition| has_whole(rendition))
            }
        }
    }

    fn write(&self, xml: &mut Xml, window: &Window, (folder, choice): (&str, Choice), latency: Option<Latency>) {
        // What is over is there as a whole: a rule that begins with segments which are gone would be wrong.
        let period = if window.ended {
            self.still_there(window)
        } else {
            self.period.clone()
        };
        xml.open("Period")
            .attribute("id", period.id)
            .attribute("start", Seconds(period.start_micros()))
            .content();
        for (rendition, sound, qualities) in sets(window, choice) {
            let end = window.ended.then(|| rendition.next_whole().saturating_sub(1));
            let set = Set {
                rendition,
                sound,
                qualities,
                period: &period,
                last: self.last().or(end),
                // A last Period that ends is taken for the end of all.
                closed: self.next_is_written || window.ended,
                latency,
                folder,
            };
            set.write(xml);
        }
        xml.close("Period");
    }

    /// The Period without the segments that are listed no more.
    fn still_there(&self, window: &Window) -> Period {
        let firsts = window.mains().filter_map(|rendition| rendition.listed().first());
        let first = firsts.map(|segment| segment.number).max().unwrap_or(self.period.first);
        self.period.from(first)
    }

    /// Where the rendition that ends first ends in the presentation. A player that waited for more than there is would
    /// never be done.
    fn end_micros(&self, window: &Window) -> i64 {
        let lasts = window.mains().filter_map(|rendition| rendition.listed().last());
        let ends = lasts.map(|last| {
            let end = period::time(last).saturating_add_unsigned(last.span().ticks);
            rescale(end, last.timescale, 1_000_000)
        });
        let end = ends.min().unwrap_or(0) - ROUNDING_MICROS;
        self.period.start_micros() + self.period.micros_from_start(end, 1_000_000)
    }
}

/// What a viewer wants: the qualities of the picture in one set, and each sound in a set of its own, what everybody can decode first.
fn sets(window: &Window, choice: Choice) -> Vec<(&Rendition, Option<Sound>, Vec<Quality<'_>>)> {
    let (pictures, mut sounds) = (qualities::pictures(window), qualities::all_sounds(window));
    // What is only planned has nothing to say of its channels.
    sounds.retain(|sound| sound.rendition.is_some());
    let several = sounds.len() > 1;
    let wanted = window
        .video
        .as_ref()
        .filter(|_| !qualities::wants_sound_alone(&sounds, choice));
    let picture = wanted.map(|main| {
        let chosen = qualities::chosen(&pictures, choice).into_iter().copied().collect();
        (main.as_ref(), None, chosen)
    });
    let sounds = sounds.into_iter().enumerate().filter_map(|(place, sound)| {
        let named = several.then(|| Sound {
            name: sound.name(),
            main: place == 0,
        });
        Some((sound.rendition?, named, vec![sound]))
    });
    picture.into_iter().chain(sounds).collect()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::dash::Timeline;
    use crate::testing::{Broadcast, Pictures, Source};

    fn manifest(source: Source, seconds: u64) -> String {
        let mut broadcast = Broadcast::new(source, Settings::default());
        let mut timeline = Timeline::new(Duration::from_secs(60), Duration::from_secs(2));
        broadcast.run_millis(seconds * 1_000, |window| {
            timeline.observe(window);
        });
        timeline
            .mpd(&broadcast.window(), "colors/ID/", Choice::default())
            .expect("something to play")
    }

    fn source() -> Source {
        Source {
            video: Some(Pictures::new(30, 1, 60)),
            audio: Some(48_000),
        }
    }

    #[test]
    fn a_regular_broadcast_is_written_so() {
        let text = manifest(source(), 70);
        assert_eq!(text, include_str!("regular.mpd"));
    }

    #[test]
    fn a_young_broadcast_is_written_so() {
        let young = Source {
            video: Some(Pictures::new(30, 1, 30)),
            ..source()
        };
        let text = manifest(young, 4);
        assert_eq!(text, include_str!("young.mpd"));
    }

    #[test]
    fn segments_behind_a_cut_have_names_that_the_period_before_does_not_lead_to() {
        let mut broadcast = Broadcast::new(source(), Settings::default());
        let mut timeline = Timeline::new(Duration::from_secs(60), Duration::from_secs(2));
        broadcast.run_millis(10_000, |window| {
            timeline.observe(window);
        });
        broadcast.push(crate::Input::Cut);
        broadcast.run_millis(30_000, |window| {
            timeline.observe(window);
        });
        let text = timeline
            .mpd(&broadcast.window(), "x/", Choice::default())
            .expect("something to play");
        let (before, after) = text.rsplit_once("<Period ").expect("two periods");
        assert!(
            before.contains("x/video/$Number$.mp4") && !before.contains("$-1.mp4"),
            "{text}"
        );
        assert!(
            after.contains("x/video/$Number$-1.mp4") && after.contains("x/audio/$Number$-1.mp4"),
            "{text}"
        );
    }

    #[test]
    fn an_independent_reader_understands_every_word() {
        for text in [
            manifest(source(), 70),
            manifest(source(), 3),
            manifest(Source::default(), 4),
        ] {
            let mut ignored = Vec::new();
            let mut reader = quick_xml::de::Deserializer::from_str(&text);
            let mpd: dash_mpd_core::MPD =
                serde_ignored::deserialize(&mut reader, |path| ignored.push(path.to_string())).expect("a manifest");
            // The namespace is all that it leaves to others.
            ignored.retain(|path| !path.ends_with("xmlns"));
            assert_eq!(ignored, Vec::<String>::new());
            assert_eq!(mpd.mpdtype.as_deref(), Some("dynamic"));
            assert_eq!(mpd.periods.last().expect("a period").adaptations.len(), 2);
        }
    }
}
