//! One rendition in one Period: its `AdaptationSet`.

use std::sync::Arc;

use media::{AudioParameters, FrameRate, Kind, Parameters, TrackId, VideoParameters};

use super::mpd::{self, Latency};
use super::period::{self, Period, Shape};
use super::xml::{Decimal, Xml};
use crate::DateTime;
use crate::hls::names::{File, Stem};
use crate::qualities::Quality;
use crate::time::rescale;
use crate::window::{Init, Rendition, Segment};

/// What an `AdaptationSet` is written from.
pub(super) struct Set<'a> {
    /// What is called so beside other sounds; the first of them is the main one.
    pub(super) sound: Option<Sound>,
    pub(super) rendition: &'a Rendition,
    /// What of it a viewer wants, there or planned.
    pub(super) qualities: Vec<Quality<'a>>,
    pub(super) period: &'a Period,
    /// The Period's last segment, once that is known.
    pub(super) last: Option<u64>,
    /// Whether players are to know of that.
    pub(super) closed: bool,
    pub(super) latency: Option<Latency>,
    /// What leads to the renditions' folders, with its slash.
    pub(super) folder: &'a str,
}

/// How one of several sounds is told apart.
pub(super) struct Sound {
    pub(super) name: String,
    pub(super) main: bool,
}

/// The whole segments of a Period that playlists list.
pub(super) fn listed<'a>(
    rendition: &'a Rendition,
    period: &Period,
    last: Option<u64>,
) -> impl Iterator<Item = &'a Arc<Segment>> {
    let first = period.first;
    let ends = last.unwrap_or(u64::MAX);
    rendition
        .listed()
        .iter()
        .filter(move |segment| (first..=ends).contains(&segment.number))
}

impl Set<'_> {
    pub(super) fn write(&self, xml: &mut Xml) {
        let init = self.init();
        // The same for one track in every Period and every manifest.
        let (id, kind, mime) = match self.rendition.track.kind {
            Kind::Video => (1, "video", "video/mp4"),
            Kind::Audio => (2 + self.rendition.track.index, "audio", "audio/mp4"),
        };
        xml.open("AdaptationSet")
            .attribute("id", id)
            .attribute("contentType", kind)
            .attribute("mimeType", mime)
            .optional("lang", self.sound.as_ref().map(|_| "und"))
            .attribute("segmentAlignment", true)
            .optional("startWithSAP", self.is_independent().then_some(1));
        xml.content();
        if let Parameters::Audio(audio) = &init.parameters {
            channels(xml, audio);
        }
        if let Some(sound) = &self.sound {
            xml.text("Label", &sound.name);
        }
        if let (Some(latency), Shape::Regular { length }) = (self.latency, self.period.shape) {
            self.producer_reference_time(xml);
            self.resync(xml, latency, length);
        }
        let role = match &self.sound {
            Some(sound) if !sound.main => "alternate",
            _ => "main",
        };
        xml.open("Role")
            .attribute("schemeIdUri", "urn:mpeg:dash:role:2011")
            .attribute("value", role)
            .empty();
        let alone = matches!(&self.qualities[..], [only] if only.track == self.rendition.track);
        if alone {
            self.template(xml, self.rendition.track, init.number, Some(self.rendition));
            self.representation(xml, &init.parameters);
            xml.empty();
        } else {
            self.qualities(xml, &init);
        }
        xml.close("AdaptationSet");
    }

    /// Each quality with a template of its own: their segments begin at the same times, and have other names.
    fn qualities(&self, xml: &mut Xml, init: &Init) {
        for quality in &self.qualities {
            let own = if quality.track == self.rendition.track {
                self.representation(xml, &init.parameters);
                Some(init.number)
            } else {
                representation(xml, quality);
                quality
                    .rendition
                    .map(|rendition| init_of(rendition, self.period).number)
            };
            xml.content();
            // What is only planned will begin with the first initialisation segment of its Period.
            let number = own.unwrap_or(self.period.discontinuity + 1);
            self.template(xml, quality.track, number, quality.rendition);
            xml.close("Representation");
        }
    }

    /// The initialisation segment of the Period.
    fn init(&self) -> Arc<Init> {
        init_of(self.rendition, self.period)
    }

    /// Regular Periods hold no other segments; lists may.
    fn is_independent(&self) -> bool {
        let mut listed = listed(self.rendition, self.period, self.last);
        self.rendition.track.kind == Kind::Audio || listed.all(|segment| segment.independent())
    }

    /// The wall-clock time at which the Period's first sample was made, as the low-latency profile wants it: with the
    /// clock that it is measured by.
    fn producer_reference_time(&self, xml: &mut Xml) {
        xml.open("ProducerReferenceTime")
            .attribute("id", 0)
            .attribute("inband", true)
            .attribute("type", "encoder")
            .attribute("wallClockTime", DateTime(self.period.wall_millis))
            .attribute("presentationTime", self.offset(self.period.timescale))
            .content();
        mpd::clock(xml);
        xml.close("ProducerReferenceTime");
    }

    /// Chunks begin about every part, and nothing is promised of where decoding can begin in a segment.
    fn resync(&self, xml: &mut Xml, latency: Latency, length: i64) {
        let part = latency.part.scaled(self.period.timescale).min(length.unsigned_abs());
        xml.open("Resync").attribute("type", 0).attribute("dT", part).empty();
    }

    fn template(&self, xml: &mut Xml, track: TrackId, init: u64, rendition: Option<&Rendition>) {
        let folder = format!("{}{}", self.folder, Stem(track)).replace('$', "$$");
        // As `File::Segment` is written.
        let stretch = match self.period.discontinuity {
            0 => String::new(),
            discontinuity => format!("-{discontinuity}"),
        };
        xml.open("SegmentTemplate")
            .attribute("media", format_args!("{folder}/$Number${stretch}.mp4"))
            .attribute("initialization", format_args!("{folder}/{}", File::Init(init)));
        match self.period.shape {
            Shape::Regular { length } => self.rule(xml, length),
            // What is only planned is taken to have the segments of the main quality.
            Shape::Listed => self.list(xml, rendition.unwrap_or(self.rendition)),
        }
    }

    /// Audio is counted in the ticks of video here: lengths that are whole for one are not for the other, and a
    /// rounded length would add up.
    fn rule(&self, xml: &mut Xml, length: i64) {
        let timescale = self.period.timescale;
        xml.attribute("timescale", timescale)
            .attribute("presentationTimeOffset", self.offset(timescale))
            .attribute("startNumber", self.period.first)
            .optional("endNumber", self.last.filter(|_| self.closed))
            .attribute("duration", length);
        if let Some(latency) = self.latency {
            xml.attribute("availabilityTimeOffset", Decimal(latency.early))
                .attribute("availabilityTimeComplete", false);
        }
        xml.empty();
    }

    fn list(&self, xml: &mut Xml, rendition: &Rendition) {
        let segments: Vec<_> = listed(rendition, self.period, self.last).collect();
        let Some(first) = segments.first() else {
            return xml.empty();
        };
        xml.attribute("timescale", first.timescale)
            .attribute("presentationTimeOffset", self.offset(first.timescale))
            .attribute("startNumber", first.number);
        if let Some(latency) = self.latency {
            // All of these are there anyway. shaka goes by the least offset in the manifest.
            xml.attribute("availabilityTimeOffset", Decimal(latency.early));
        }
        xml.content();
        xml.open("SegmentTimeline").content();
        // Where one segment is presented after another that was reordered otherwise, they would overlap or leave a gap.
        let ends = segments
            .iter()
            .skip(1)
            .map(|next| Some(period::time(next)))
            .chain([None]);
        for (segment, end) in segments.iter().zip(ends) {
            let time = self.listed_time(segment);
            let end = end.unwrap_or_else(|| period::time(segment).saturating_add_unsigned(segment.span().ticks));
            xml.open("S")
                .attribute("t", time.max(0))
                .attribute("d", (end - time).max(1))
                .empty();
        }
        xml.close("SegmentTimeline");
        xml.close("SegmentTemplate");
    }

    /// Audio begins up to a frame after its Period; listed as it is, that would be a gap to players.
    fn listed_time(&self, segment: &Segment) -> i64 {
        let time = period::time(segment);
        if segment.number == self.period.first {
            time.min(self.offset(segment.timescale))
        } else {
            time
        }
    }

    fn representation(&self, xml: &mut Xml, parameters: &Parameters) {
        xml.open("Representation")
            .attribute("id", Stem(self.rendition.track))
            .attribute("bandwidth", self.rendition.bandwidth.peak.max(1))
            .attribute("codecs", parameters.codec_string());
        match parameters {
            Parameters::Video(video) => self.picture(xml, video),
            Parameters::Audio(audio) => {
                xml.attribute("audioSamplingRate", audio.sample_rate);
            }
        }
    }

    fn picture(&self, xml: &mut Xml, video: &VideoParameters) {
        let rate = if self.last.is_none() {
            self.rendition.frame_rate
        } else {
            None
        }
        .or(video.frame_rate);
        xml.attribute("width", video.width)
            .attribute("height", video.height)
            .optional("frameRate", rate.map(ratio));
    }

    /// The media time that is the Period's beginning, in ticks of a timescale: the same for all renditions.
    fn offset(&self, timescale: u32) -> i64 {
        rescale(self.period.time, self.period.timescale, timescale).max(0)
    }
}

fn representation(xml: &mut Xml, quality: &Quality<'_>) {
    xml.open("Representation")
        .attribute("id", Stem(quality.track))
        .attribute("bandwidth", quality.peak.max(1))
        .attribute("codecs", quality.codec_string)
        .optional("width", quality.size.map(|(width, _)| width))
        .optional("height", quality.size.map(|(_, height)| height))
        .optional("frameRate", quality.frame_rate.map(ratio));
}

fn init_of(rendition: &Rendition, period: &Period) -> Arc<Init> {
    let segments = rendition.segments();
    let mut own = segments.filter(|segment| segment.gap.is_none() && segment.discontinuity == period.discontinuity);
    own.next()
        .map_or_else(|| Arc::clone(&rendition.init), |segment| Arc::clone(&segment.init))
}

fn ratio(rate: FrameRate) -> String {
    if rate.seconds == 1 {
        rate.frames.to_string()
    } else {
        format!("{}/{}", rate.frames, rate.seconds)
    }
}

/// ISO/IEC 23091-3 numbers the usual layouts.
fn channels(xml: &mut Xml, audio: &AudioParameters) {
    let layout = match audio.channels {
        7 => 11,
        8 => 12,
        channels => channels,
    };
    xml.open("AudioChannelConfiguration")
        .attribute("schemeIdUri", "urn:mpeg:mpegB:cicp:ChannelConfiguration")
        .attribute("value", layout)
        .empty();
}
