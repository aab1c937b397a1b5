//! What must hold of every window of a broadcast, whatever its source: a checker that looks at one window after another.

use std::collections::HashMap;

use media::TrackId;
use quick_m3u8::config::ParsingOptionsBuilder;
use quick_m3u8::tag::KnownTag;
use quick_m3u8::{HlsLine, Reader};

use crate::hls::{self, Form};
use crate::window::{Rendition, Segment};
use crate::{Span, Window};

#[derive(Default)]
pub(crate) struct Checker {
    /// What was seen of each segment: decode time, end, duration as printed, discontinuity.
    pub(crate) seen: HashMap<(TrackId, u64), (i64, i64, String, u64)>,
    pub(crate) newest: HashMap<TrackId, (u64, u64)>,
    /// Whether segments without a key frame at their beginning are all right.
    pub(crate) dependent_allowed: bool,
    /// Whether parts may miss the 85 % rule.
    pub(crate) short_parts_allowed: bool,
}

impl Checker {
    pub(crate) fn look(&mut self, window: &Window) {
        for rendition in window.renditions() {
            self.check_order(rendition);
            for segment in rendition.listed() {
                self.check_segment(window, rendition.track, segment);
            }
            self.check_parts(window, rendition);
            check_syntax(window, rendition);
        }
    }

    fn check_order(&mut self, rendition: &Rendition) {
        let Some(newest) = rendition.newest() else { return };
        let before = self.newest.insert(rendition.track, newest);
        assert!(
            before.is_none_or(|before| before <= newest),
            "{before:?} then {newest:?}"
        );
        let segments: Vec<_> = rendition.segments().collect();
        for pair in segments.windows(2) {
            assert_eq!(pair[0].number + 1, pair[1].number);
            assert_eq!(pair[0].discontinuity + pair[1].discontinuities, pair[1].discontinuity);
        }
        let parts = segments.iter().flat_map(|segment| &segment.parts);
        let numbers: Vec<u64> = parts.map(|part| part.number).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        assert_eq!(numbers.last().map(|number| number + 1), Some(rendition.next_part));
    }

    fn check_segment(&mut self, window: &Window, track: TrackId, segment: &Segment) {
        let span = segment.span();
        let end = segment.start + span.ticks as i64;
        let facts = (segment.start, end, span.to_string(), segment.discontinuity);
        let before = self.seen.insert((track, segment.number), facts.clone());
        if let Some(before) = before {
            assert_eq!(before, facts, "segment {} changed", segment.number);
            return;
        }
        let target = u64::from(window.targets.target_duration) * 1_000_000;
        assert!(span.micros() < target + 500_000, "EXTINF {span} at target {target}");
        assert!(
            self.dependent_allowed || segment.independent(),
            "{track:?} segment {} has no key frame",
            segment.number
        );
        let mut at = segment.start;
        for part in &segment.parts {
            assert_eq!(part.start, at, "decode times are the sums of durations");
            at += i64::from(part.ticks);
        }
        if let Some(last) = segment
            .number
            .checked_sub(1)
            .and_then(|number| self.seen.get(&(track, number)))
            && last.3 == segment.discontinuity
            // Of what is missing from an encoder that died, the segment before may be short.
            && segment.gap.is_none()
        {
            assert_eq!(
                last.1, segment.start,
                "segment {} follows its predecessor",
                segment.number
            );
        }
    }

    fn check_parts(&self, window: &Window, rendition: &Rendition) {
        let Some(target) = window.targets.part(rendition.track.kind) else {
            return;
        };
        for segment in rendition.segments() {
            for (place, part) in segment.parts.iter().enumerate() {
                let micros = Span::new(part.ticks.into(), segment.timescale).micros();
                assert!(micros <= target.micros() + 1, "part of {micros} µs, target {target}");
                let last = place + 1 == segment.parts.len();
                let exempt = part.independent || last || self.short_parts_allowed;
                assert!(
                    exempt || micros * 100 >= target.micros() * 85,
                    "part of {micros} µs, target {target}"
                );
            }
        }
    }
}

/// Another parser knows every line of every form.
fn check_syntax(window: &Window, rendition: &Rendition) {
    let forms = [
        Form::LowLatency { delta: false },
        Form::LowLatency { delta: true },
        Form::Plain { seconds: None },
        Form::Plain { seconds: Some(20) },
    ];
    for form in forms {
        let text = hls::media(window, rendition, form);
        let options = ParsingOptionsBuilder::new().with_parsing_for_all_tags().build();
        let mut reader = Reader::from_str(&text, options);
        let mut segments = 0;
        while let Some(line) = reader
            .read_line()
            .unwrap_or_else(|error| panic!("{error:?} in\n{text}"))
        {
            match line {
                HlsLine::Uri(_) => segments += 1,
                HlsLine::KnownTag(KnownTag::Hls(_)) => {}
                other => panic!("{other:?} in\n{text}"),
            }
        }
        assert!(segments <= rendition.listed().len());
    }
}
