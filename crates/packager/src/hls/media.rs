//! A media playlist.

use std::fmt::{Arguments, Write};
use std::sync::Arc;

use ::media::Kind;

use super::names::{File, Stem};
use crate::window::{Init, Part, Rendition, Segment};
use crate::{Span, Window};

/// What a media playlist holds besides its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Parts, hints and reports, where the broadcast has parts.
    LowLatency {
        /// Leave out what the viewer already has (`_HLS_skip`).
        delta: bool,
    },
    /// Segments and nothing else.
    Plain {
        /// The newest so many seconds; all, if more than there are.
        seconds: Option<u32>,
    },
}

/// Writes the media playlist of a rendition.
pub fn media(window: &Window, rendition: &Rendition, form: Form) -> String {
    let listed = listed(rendition, form);
    let page = Page {
        window,
        rendition,
        listed,
        low_latency: matches!(form, Form::LowLatency { .. }),
        skipped: match form {
            Form::LowLatency { delta: true } if !window.ended => skipped(window, rendition, listed),
            _ => 0,
        },
    };
    let mut out = Text(String::with_capacity(400 + 120 * listed.len()));
    page.head(&mut out);
    page.segments(&mut out);
    page.end(&mut out);
    out.0
}

/// The segments that a form lists.
fn listed(rendition: &Rendition, form: Form) -> &[Arc<Segment>] {
    let all = rendition.listed();
    let Form::Plain { seconds: Some(seconds) } = form else {
        return all;
    };
    let most = u64::from(seconds) * 1_000_000;
    let mut length = 0;
    let fitting = all.iter().rev().take_while(|segment| {
        length += segment.span().micros();
        length <= most
    });
    // Fewer than three segments are no playlist that could be played.
    let count = fitting.count().max(3).min(all.len());
    &all[all.len() - count..]
}

/// How many segments are further than the skip boundary from the end of the playlist.
fn skipped(window: &Window, rendition: &Rendition, listed: &[Arc<Segment>]) -> usize {
    let boundary = window.targets.skip_until().as_micros() as u64;
    let mut after: u64 = rendition
        .open_parts()
        .iter()
        .map(|part| span(rendition, part).micros())
        .sum();
    let near = listed.iter().rev().take_while(|segment| {
        let near = after <= boundary;
        after += segment.span().micros();
        near
    });
    listed.len() - near.count()
}

fn span(rendition: &Rendition, part: &Part) -> Span {
    let timescale = rendition.open.as_ref().map_or(1, |open| open.timescale);
    Span::new(part.ticks.into(), timescale)
}

struct Page<'a> {
    window: &'a Window,
    rendition: &'a Rendition,
    listed: &'a [Arc<Segment>],
    low_latency: bool,
    skipped: usize,
}

impl Page<'_> {
    fn head(&self, out: &mut Text) {
        let version = if self.low_latency { 9 } else { 6 };
        let targets = &self.window.targets;
        out.line(format_args!("#EXTM3U\n#EXT-X-VERSION:{version}"));
        out.line(format_args!("#EXT-X-TARGETDURATION:{}", targets.target_duration));
        if self.low_latency {
            self.server_control(out);
        }
        let first = self.listed.first().or(self.rendition.open.as_ref());
        let number = first.map_or(self.rendition.next_segment, |first| first.number);
        let discontinuity = first.map_or(0, |first| first.discontinuity - first.discontinuities);
        out.line(format_args!("#EXT-X-MEDIA-SEQUENCE:{number}"));
        out.line(format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity}"));
        if self.is_independent() {
            out.line(format_args!("#EXT-X-INDEPENDENT-SEGMENTS"));
        }
        if self.skipped > 0 {
            out.line(format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={}", self.skipped));
        }
    }

    fn server_control(&self, out: &mut Text) {
        let targets = &self.window.targets;
        let skip_until = targets.skip_until().as_secs();
        let hold_back = targets.part_hold_back();
        out.text(format_args!(
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={skip_until}.0"
        ));
        if let Some(hold_back) = hold_back {
            out.text(format_args!(",PART-HOLD-BACK={hold_back}"));
        }
        out.line(format_args!(""));
        if let Some(target) = targets.part(self.rendition.track.kind) {
            out.line(format_args!("#EXT-X-PART-INF:PART-TARGET={target}"));
        }
    }

    /// Whether each segment that is listed can be decoded by itself, and so, as far as is known, can those that come. It is
    /// not claimed before key frames have shown how often they come: a player may remember it.
    fn is_independent(&self) -> bool {
        let expected = self.rendition.track.kind == Kind::Audio || self.window.independent;
        let mut begun = self.listed.iter().chain(&self.rendition.open);
        expected && begun.all(|segment| segment.parts.is_empty() || segment.independent())
    }

    fn segments(&self, out: &mut Text) {
        let parts_from = self.first_with_parts();
        let mut init = None;
        for (place, segment) in self.listed.iter().enumerate().skip(self.skipped) {
            self.segment_head(out, segment, &mut init);
            if place >= parts_from {
                self.parts(out, segment);
            }
            let file = File::of(segment);
            if segment.gap.is_some() {
                out.line(format_args!("#EXT-X-GAP"));
            }
            out.line(format_args!("#EXTINF:{},\n{}/{file}", segment.span(), self.folder()));
        }
        if let Some(open) = self
            .rendition
            .open
            .as_ref()
            .filter(|open| self.has_parts() && !open.parts.is_empty())
        {
            self.segment_head(out, open, &mut init);
            self.parts(out, open);
        }
    }

    fn has_parts(&self) -> bool {
        self.low_latency && self.window.targets.part(self.rendition.track.kind).is_some()
    }

    /// The first segment that is near enough to the end to list its parts.
    fn first_with_parts(&self) -> usize {
        if !self.has_parts() {
            return self.listed.len();
        }
        let most = self.window.targets.parts_listed().as_micros() as u64;
        let open = self.rendition.open_parts().iter();
        let mut after: u64 = open.map(|part| span(self.rendition, part).micros()).sum();
        let near = self.listed.iter().rev().take_while(|segment| {
            let near = after <= most;
            after += segment.span().micros();
            near
        });
        self.listed.len() - near.count()
    }

    fn segment_head<'a>(&self, out: &mut Text, segment: &'a Segment, init: &mut Option<&'a Arc<Init>>) {
        for _ in 0..segment.discontinuities {
            out.line(format_args!("#EXT-X-DISCONTINUITY"));
        }
        // A gap needs no initialisation segment, and may have none.
        if segment.gap.is_none()
            && init
                .replace(&segment.init)
                .is_none_or(|before| before.number != segment.init.number)
        {
            let file = File::Init(segment.init.number);
            out.line(format_args!("#EXT-X-MAP:URI=\"{}/{file}\"", self.folder()));
        }
        out.line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", segment.date_time));
    }

    fn parts(&self, out: &mut Text, segment: &Segment) {
        for part in &segment.parts {
            let duration = Span::new(part.ticks.into(), segment.timescale);
            let file = File::Part(part.number);
            let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
            out.line(format_args!(
                "#EXT-X-PART:DURATION={duration},URI=\"{}/{file}\"{independent}",
                self.folder()
            ));
        }
    }

    fn end(&self, out: &mut Text) {
        if self.window.ended {
            out.line(format_args!("#EXT-X-ENDLIST"));
            return;
        }
        if self.has_parts() {
            let file = File::Part(self.rendition.next_part);
            out.line(format_args!(
                "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}/{file}\"",
                self.folder()
            ));
            let others = self
                .window
                .renditions()
                .filter(|other| other.track != self.rendition.track);
            others.for_each(|other| report(out, other));
        }
    }

    fn folder(&self) -> Stem {
        Stem(self.rendition.track)
    }
}

fn report(out: &mut Text, other: &Rendition) {
    if let Some((number, part)) = other.newest() {
        let name = Stem(other.track);
        out.line(format_args!(
            "#EXT-X-RENDITION-REPORT:URI=\"{name}.m3u8\",LAST-MSN={number},LAST-PART={part}"
        ));
    }
}

/// A playlist as it is written.
struct Text(String);

impl Text {
    fn text(&mut self, text: Arguments<'_>) {
        self.0
            .write_fmt(text)
            .expect("a string takes all that is written to it");
    }

    fn line(&mut self, text: Arguments<'_>) {
        self.text(text);
        self.0.push('\n');
    }
}
