//! One rendition as it is made: samples become parts, parts become segments.
//!
//! A part closes when its last sample has arrived, so that sample's duration is an estimate. Decode times are the sums of
//! the durations written, hence a wrong estimate moves the next sample's decode time a little; its composition offset puts
//! its presentation right, and its duration makes good the difference.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use media::{FrameRate, Kind, Parameters, Sample, TrackId};

use crate::bandwidth::Meter;
use crate::cadence::Cadence;
use crate::cmaf::{self, Chunk, Reference, Timed};
use crate::shelf::Shelf;
use crate::targets;
use crate::time::{DateTime, Span, rescale, ticks_of};
use crate::window::{Gap, Init, Part, Rendition, Segment, Version};
use crate::{Numbering, Settings, Targets};

/// A new segment begins with the next sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begins {
    /// The discontinuity sequence number it has, if it is not that of the segment before.
    pub(crate) discontinuity: Option<u64>,
    /// The number it has, where the track does not count by itself.
    pub(crate) number: Option<u64>,
    /// Whether its first sample stands where it came, whatever was before: something is missing between.
    pub(crate) afresh: bool,
}

/// The segment that began, for the other tracks to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Presentation time of its first sample.
    pub(crate) time: i64,
    pub(crate) timescale: u32,
    pub(crate) number: u64,
    pub(crate) discontinuity: u64,
}

/// How parts are made once it is known how long frames are.
#[derive(Clone, Copy, Debug)]
struct Parting {
    /// The declared target.
    target: Span,
    /// Whether parts are kept to the target. Not so below the rate at which they are of use: then they are only how the
    /// segment is stored.
    paced: bool,
}

impl Begins {
    /// With a discontinuity of this number.
    fn after(discontinuity: u64) -> Self {
        Self {
            discontinuity: Some(discontinuity),
            ..Self::default()
        }
    }
}

#[derive(Debug)]
pub(crate) struct Track {
    id: TrackId,
    init: Arc<Init>,
    /// Comes into force with the next segment.
    next_init: Option<Parameters>,
    cadence: Cadence,
    aim: Duration,
    target: Duration,
    given: Option<Span>,
    parting: Option<Parting>,
    numbering: Numbering,
    /// The samples of the part that grows; the last one's duration is not known yet.
    samples: Vec<Timed>,
    part_start: i64,
    part_ticks: i64,
    /// Where the next sample is written if no part grows.
    next_dts: Option<i64>,
    /// Decode time of the newest sample as it came, and how long it says it lasts.
    newest: Option<(i64, Option<u32>)>,
    open: Option<Segment>,
    shelf: Shelf,
    begins: Option<Begins>,
    due: VecDeque<Due>,
    meter: Meter,
    version: Version,
    snapshot: Option<Arc<Rendition>>,
}

impl Track {
    pub(crate) fn new(id: TrackId, parameters: Parameters, settings: &Settings, discontinuity: u64) -> Self {
        Self {
            id,
            cadence: Cadence::new(&parameters),
            init: make_init(parameters, discontinuity + 1),
            next_init: None,
            aim: settings.part,
            target: settings.segment,
            given: settings.resumed.and_then(|targets| targets.part(id.kind)),
            parting: None,
            numbering: settings.numbering,
            samples: Vec::new(),
            part_start: 0,
            part_ticks: 0,
            next_dts: None,
            newest: None,
            open: None,
            shelf: Shelf::new(settings.window),
            begins: (discontinuity != settings.numbering.discontinuity).then_some(Begins::after(discontinuity)),
            due: VecDeque::new(),
            meter: Meter::default(),
            version: Version::default(),
            snapshot: None,
        }
    }

    pub(crate) fn id(&self) -> TrackId {
        self.id
    }

    /// The parameters in force.
    pub(crate) fn parameters(&self) -> &Parameters {
        &self.init.parameters
    }

    pub(crate) fn timescale(&self) -> u32 {
        self.init.parameters.timescale().max(1)
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// Whether its first part is there.
    pub(crate) fn has_part(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.parts.is_empty()) || !self.shelf.is_empty()
    }

    /// Whether a segment of it is whole, or missing.
    pub(crate) fn has_whole(&self) -> bool {
        !self.shelf.is_empty()
    }

    /// Whether the segment of that number, or a later one, is begun, whole or missing.
    pub(crate) fn has_made(&self, number: u64) -> bool {
        self.numbering.segment > number && (self.open.is_some() || self.has_whole())
    }

    /// Whether its newest segment comes before that discontinuity.
    pub(crate) fn is_before(&self, discontinuity: u64) -> bool {
        let open = self.open.as_ref().map(|open| open.discontinuity);
        let newest = open
            .or(self.shelf.discontinuity())
            .unwrap_or(self.numbering.discontinuity);
        newest < discontinuity
    }

    /// How long a frame is thought to last, in ticks.
    pub(crate) fn frame_ticks(&self) -> i64 {
        self.cadence.frame()
    }

    /// Whether it can be in the rendition set: its first part is there, or it is known that it will have none.
    pub(crate) fn is_ready(&self) -> bool {
        self.has_part() || self.parting.is_some_and(|parting| !parting.paced)
    }

    /// How long the growing segment is at least, in microseconds.
    pub(crate) fn grown_micros(&self) -> i64 {
        self.elapsed(self.newest_dts() + self.cadence.frame())
    }

    /// Whether samples have come.
    pub(crate) fn has_begun(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the next segment is already known to begin with the next sample, after a discontinuity.
    pub(crate) fn awaits_cut(&self) -> bool {
        self.begins.is_some_and(|begins| begins.discontinuity.is_some())
    }

    /// Whether a frame other than a key frame is of no use.
    pub(crate) fn needs_key(&self) -> bool {
        self.id.kind == Kind::Video && (self.open.is_none() || self.awaits_cut())
    }

    /// The declared part target, where parts are kept to it.
    pub(crate) fn part_target(&self) -> Option<Span> {
        self.parting
            .filter(|parting| parting.paced)
            .map(|parting| parting.target)
    }

    /// Takes the target duration, once it is chosen.
    pub(crate) fn settle(&mut self, targets: &Targets) {
        self.target = targets.seconds();
        if !self.id.is_main() {
            self.given = targets.part(self.id.kind);
        }
        self.version.count();
    }

    pub(crate) fn cadence(&self) -> &Cadence {
        &self.cadence
    }

    /// Whether these parameters need no other initialisation segment than those in force.
    pub(crate) fn is_configured(&self, parameters: &Parameters) -> bool {
        let current = self.next_init.as_ref().unwrap_or(&self.init.parameters);
        match (current, parameters) {
            (Parameters::Video(a), Parameters::Video(b)) => {
                (a.codec, &a.config, a.width, a.height) == (b.codec, &b.config, b.width, b.height)
            }
            (a, b) => a == b,
        }
    }

    /// Takes other parameters, which come into force with the next segment.
    pub(crate) fn configure(&mut self, parameters: Parameters, discontinuity: u64) {
        if self.open.is_none() {
            self.cadence = Cadence::new(&parameters);
            let used = u64::from(self.has_whole());
            self.init = make_init(parameters, (discontinuity + 1).max(self.init.number + used));
        } else {
            self.next_init = Some(parameters);
        }
    }

    /// Begins a new segment with the next sample.
    pub(crate) fn cut(&mut self, discontinuity: u64) {
        if self.open.is_some() {
            self.due.clear();
            self.begins = Some(Begins::after(discontinuity));
        }
    }

    /// How far this sample is from where it is expected, in microseconds.
    pub(crate) fn gap(&self, dts: i64) -> i64 {
        let Some((newest, _)) = self.newest.filter(|_| !self.awaits_cut()) else {
            return 0;
        };
        rescale(dts.saturating_sub(newest), self.timescale(), 1_000_000)
    }

    /// Decode time of the newest sample, as it came.
    pub(crate) fn newest_dts(&self) -> i64 {
        self.newest.map_or(0, |(dts, _)| dts)
    }

    /// Whether it has not come to that discontinuity yet.
    pub(crate) fn is_behind(&self, began: Due) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.discontinuity < began.discontinuity)
    }

    /// How long the growing segment will be without a sample that comes at `dts`, in microseconds.
    pub(crate) fn elapsed(&self, dts: i64) -> i64 {
        let Some(open) = &self.open else { return 0 };
        let end = match self.samples.last() {
            Some(last) => last.dts + self.duration_until(last, dts),
            None => self.next_dts.unwrap_or(dts),
        };
        rescale(end - open.start, self.timescale(), 1_000_000)
    }

    /// When the last sample of the part that grows is due, in microseconds of media time; nothing if that is not known.
    pub(crate) fn due_micros(&self) -> Option<i64> {
        let parting = self.parting.filter(|parting| parting.paced && !self.awaits_cut())?;
        let end = match self.next_dts.filter(|_| self.samples.is_empty()) {
            Some(next) => next + self.part_length(parting),
            None => self.part_start + self.part_ticks,
        };
        Some(rescale(end - self.cadence.frame(), self.timescale(), 1_000_000))
    }

    /// The number of the segment that grows.
    pub(crate) fn growing(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.number)
    }

    /// How long the growing segment will be if it ends with the frame that holds this time; in microseconds.
    pub(crate) fn until(&self, micros: i64) -> i64 {
        let Some(open) = &self.open else { return 0 };
        let end = rescale(micros, 1_000_000, self.timescale()) + self.cadence.frame();
        rescale(end - open.start, self.timescale(), 1_000_000)
    }

    /// How long a sample is thought to last, in microseconds.
    pub(crate) fn sample_micros(&self, sample: &Sample) -> i64 {
        let ticks = sample.duration.map_or(self.cadence.frame(), i64::from);
        rescale(ticks, self.timescale(), 1_000_000)
    }

    /// Whether a new segment begins with this sample because of a cut, or because another track has begun one.
    pub(crate) fn takes_due(&mut self, pts: i64) -> Option<Begins> {
        if let Some(begins) = self.begins.take() {
            return Some(begins);
        }
        let mut begins = None;
        while let Some(due) = self.due.front() {
            if rescale(due.time, due.timescale, self.timescale()) > pts {
                break;
            }
            let due = self.due.pop_front()?;
            begins = self.begins_with(due).or(begins);
        }
        begins
    }

    /// Appends a sample; `begins` says that a new segment begins with it. Returns that segment, for others to follow.
    pub(crate) fn push(&mut self, sample: Sample, begins: Option<Begins>, clock: i64) -> Option<Due> {
        if let (Some((newest, None)), None) = (self.newest, begins) {
            self.cadence.observe(sample.dts - newest);
        }
        match begins {
            Some(begins) => {
                self.end_part(
                    self.next_init.is_none().then_some(sample.dts),
                    begins.discontinuity.is_some(),
                );
                self.end_segment();
                self.begin_segment(&sample, begins, clock);
            }
            None if self.open.is_none() => self.begin_segment(&sample, Begins::default(), clock),
            None => self.lengthen(sample.dts),
        }
        let began = self.samples.is_empty() && self.open.as_ref().is_some_and(|open| open.parts.is_empty());
        self.append(sample);
        self.close_if_full();
        began.then(|| self.began()).flatten()
    }

    /// Another track has begun a segment: so does this one, at the first sample that is not before it.
    pub(crate) fn follow(&mut self, due: Due, clock: i64) {
        let time = rescale(due.time, due.timescale, self.timescale());
        let Some(open) = &self.open else { return };
        if let Some(begins) = &mut self.begins {
            let already = begins.discontinuity.unwrap_or(open.discontinuity);
            begins.discontinuity = (due.discontinuity > already)
                .then_some(due.discontinuity)
                .or(begins.discontinuity);
            return;
        }
        let passed = match self.samples.last() {
            Some(last) => last.pts >= time,
            None => self.next_dts.is_some_and(|next| next >= time),
        };
        if !passed || !self.due.is_empty() {
            self.due.push_back(due);
            return;
        }
        let Some(begins) = self.begins_with(due) else { return };
        if self.samples.is_empty() {
            self.begins = Some(begins);
        } else {
            self.split(time, begins, clock);
        }
    }

    /// Ends what grows. Nothing more will come.
    pub(crate) fn finish(&mut self) {
        self.end_part(None, true);
        self.end_segment();
    }

    /// The rendition as it is now.
    pub(crate) fn snapshot(&mut self, targets: &Targets) -> Arc<Rendition> {
        let current = self.snapshot.take().filter(|snapshot| snapshot.version == self.version);
        let snapshot = current.unwrap_or_else(|| Arc::new(self.rendition(targets)));
        Arc::clone(self.snapshot.insert(snapshot))
    }

    fn rendition(&mut self, targets: &Targets) -> Rendition {
        let (kept, first_listed) = self.shelf.list();
        Rendition {
            track: self.id,
            version: self.version,
            kept,
            first_listed,
            open: self.open.clone().map(Arc::new),
            next_segment: self.numbering.segment,
            next_part: self.numbering.part,
            init: Arc::clone(&self.init),
            bandwidth: self.meter.state(targets.seconds()),
            frame_rate: self.frame_rate(),
        }
    }

    fn frame_rate(&self) -> Option<FrameRate> {
        let held = self.newest.is_some_and(|(_, stated)| stated.is_some());
        (self.id.kind == Kind::Video && !held).then(|| self.cadence.rate())
    }

    fn begins_with(&self, due: Due) -> Option<Begins> {
        let open = self.open.as_ref()?;
        let discontinuity = (due.discontinuity > open.discontinuity).then_some(due.discontinuity);
        // Where this track has already begun that segment, it only continues.
        (discontinuity.is_some() || due.number > open.number).then_some(Begins {
            discontinuity,
            ..Begins::default()
        })
    }

    fn began(&self) -> Option<Due> {
        let open = self.open.as_ref()?;
        Some(Due {
            time: open.start + open.presentation_delay,
            timescale: open.timescale,
            number: open.number,
            discontinuity: open.discontinuity,
        })
    }

    /// Divides the growing part where a segment should have begun that is only now known of.
    fn split(&mut self, time: i64, begins: Begins, clock: i64) {
        let at = self.samples.iter().position(|sample| sample.pts >= time).unwrap_or(0);
        let rest = self.samples.split_off(at);
        let Some(first) = rest.first() else { return };
        let (dts, sample) = (first.dts, as_sample(first));
        self.close_part();
        self.end_segment();
        self.next_dts = Some(dts);
        self.begin_segment(&sample, begins, clock);
        self.samples = rest;
    }

    fn begin_segment(&mut self, sample: &Sample, begins: Begins, clock: i64) {
        let before = self.open.take();
        let was = before
            .as_ref()
            .map(|open| open.discontinuity)
            .or(self.shelf.discontinuity());
        let was = was.unwrap_or(self.numbering.discontinuity);
        let discontinuity = begins.discontinuity.unwrap_or(was);
        // A segment that never got a part is replaced, and its number and discontinuities are taken over.
        let pending = before.as_ref().map_or(0, |open| open.discontinuities);
        let own = before.map(|open| open.number).unwrap_or(self.numbering.segment);
        let number = begins.number.unwrap_or(own);
        self.numbering.segment = self.numbering.segment.max(number + 1);
        self.numbering.discontinuity = discontinuity;
        let rescaled = self.next_init.is_some();
        if let Some(parameters) = self.next_init.take() {
            self.cadence = Cadence::new(&parameters);
            // Other parameters of a main track always come with a discontinuity, whose number is never used again.
            self.init = make_init(parameters, (discontinuity + 1).max(self.init.number + 1));
        }
        let continued = self.next_dts.filter(|_| !rescaled && !begins.afresh);
        let start = match (continued, begins.discontinuity) {
            (Some(next), None) => next,
            (Some(next), Some(_)) => next.max(sample.dts),
            (None, _) => sample.dts,
        };
        self.next_dts = Some(start);
        self.begin_part(start);
        let micros = rescale(sample.pts(), self.timescale(), 1_000_000);
        self.open = Some(Segment {
            number,
            discontinuity,
            discontinuities: discontinuity - was + pending,
            init: Arc::clone(&self.init),
            timescale: self.timescale(),
            start,
            presentation_delay: sample.pts() - start,
            date_time: DateTime::from_micros(micros.saturating_add(clock)),
            parts: Vec::new(),
            gap: None,
        });
    }

    /// Lists a segment that was not made in time: it would have ended at `end`, a time of the same timescale as its
    /// beginning. What grows is ended.
    pub(crate) fn miss(&mut self, due: Due, end: i64, clock: i64) {
        self.end_part(None, true);
        self.end_segment();
        let was = self.shelf.discontinuity().unwrap_or(self.numbering.discontinuity);
        let timescale = self.timescale();
        let start = rescale(due.time, due.timescale, timescale);
        let micros = rescale(due.time, due.timescale, 1_000_000);
        let ticks = u64::try_from(rescale(end, due.timescale, timescale) - start).unwrap_or(1);
        let segment = Segment {
            number: due.number,
            discontinuity: due.discontinuity.max(was),
            discontinuities: due.discontinuity.saturating_sub(was),
            init: Arc::clone(&self.init),
            timescale,
            start,
            presentation_delay: 0,
            date_time: DateTime::from_micros(micros.saturating_add(clock)),
            parts: Vec::new(),
            gap: Some(Gap {
                ticks,
                next_part: self.numbering.part,
            }),
        };
        self.open = None;
        self.next_dts = None;
        self.numbering.segment = self.numbering.segment.max(due.number + 1);
        self.numbering.discontinuity = segment.discontinuity;
        let micros = segment.span().micros();
        self.shelf.put(segment, micros);
        self.version.count();
    }

    fn append(&mut self, sample: Sample) {
        let dts = self.next_dts.unwrap_or(sample.dts);
        if self.samples.is_empty() {
            self.begin_part(dts);
        }
        self.newest = Some((sample.dts, sample.duration));
        self.samples.push(Timed {
            dts,
            pts: sample.pts(),
            duration: 0,
            keyframe: sample.keyframe,
            data: sample.data,
        });
    }

    fn begin_part(&mut self, start: i64) {
        self.part_start = start;
        self.part_ticks = self.parting.map_or(0, |parting| self.part_length(parting));
    }

    /// How long the next part is to be: the target, or the whole frames that fit into it.
    fn part_length(&self, parting: Parting) -> i64 {
        let timescale = self.timescale();
        let target = rescale(parting.target.ticks as i64, parting.target.timescale, timescale);
        let frame = self.cadence.frame();
        let frames = (target + frame / 8) / frame;
        let whole = frames * frame;
        let rounding = frames * i64::from(timescale) / 1_500;
        if frames == 0 || (whole - target).abs() <= rounding || !self.cadence.is_steady() {
            return target;
        }
        whole
    }

    /// The next sample comes at `dts`: so long does the newest one last. If the part is full with it, it closes.
    fn lengthen(&mut self, dts: i64) {
        let Some(last) = self.samples.last() else { return };
        let mut duration = self.duration_until(last, dts);
        let end = self.part_start + self.part_ticks;
        let room = end - last.dts - duration;
        let full = match self.parting {
            Some(parting) if parting.paced => room < self.cadence.frame() / 4,
            Some(_) => room <= 0,
            None => false,
        };
        if full && room > 0 {
            duration += room;
        }
        self.set_last(duration);
        if full {
            self.close_part();
        }
    }

    /// How long `last` lasts if the next sample comes at `dts`. Within a paced part it can be no longer than the part:
    /// what is left over moves the following sample's decode time, unless it becomes more than a second.
    fn duration_until(&self, last: &Timed, dts: i64) -> i64 {
        let wanted = (dts - last.dts).max(1);
        let room = self.part_start + self.part_ticks - last.dts;
        let behind = wanted - room;
        let paced = self.parting.is_some_and(|parting| parting.paced);
        if paced && room > 0 && behind > 0 && behind < i64::from(self.timescale()) {
            room
        } else {
            wanted
        }
    }

    /// Closes the part if the newest sample is its last, without waiting for the next one.
    fn close_if_full(&mut self) {
        if self.parting.is_none() && !self.choose_parting() {
            return;
        }
        let (Some(parting), Some(last)) = (self.parting, self.samples.last()) else {
            return;
        };
        if !parting.paced {
            return;
        }
        let expected = self.expected_end(last);
        let end = self.part_start + self.part_ticks;
        if !self.has_part() {
            // The first part is what the parting was chosen from; a short one lets players begin sooner.
            let duration = (expected - last.dts).min((end - last.dts).max(1));
            self.set_last(duration);
            self.close_part();
        } else if expected + self.cadence.frame() / 2 > end {
            self.set_last(end - last.dts);
            self.close_part();
        }
    }

    /// When the newest sample will be over.
    fn expected_end(&self, last: &Timed) -> i64 {
        let (arrived, stated) = self.newest.unwrap_or((last.dts, None));
        let frame = stated.map_or(self.cadence.frame(), i64::from);
        (arrived + frame).max(last.dts + 1)
    }

    /// Once half a part is there, it is known how long frames are, and so what parts can be.
    fn choose_parting(&mut self) -> bool {
        let Some(last) = self.samples.last() else { return false };
        let timescale = self.timescale();
        let half = ticks_of(self.aim, timescale) / 2;
        if self.samples.len() < 2 || self.expected_end(last) - self.part_start < half {
            return false;
        }
        let parting = match self.given {
            Some(target) => Parting { target, paced: true },
            None => self.parting_of_frames(),
        };
        self.parting = Some(parting);
        self.part_ticks = self.part_length(parting);
        true
    }

    fn parting_of_frames(&self) -> Parting {
        let timescale = self.timescale();
        let aim = ticks_of(self.aim, timescale);
        let (ticks, paced) = match self.id.kind {
            Kind::Video => match targets::video_part(self.aim, self.cadence.rate()) {
                Some((_, ticks)) => (i64::from(ticks), true),
                None => (aim, false),
            },
            Kind::Audio => {
                let frame = self.cadence.frame();
                ((aim / frame).max(1) * frame, true)
            }
        };
        Parting {
            target: Span::new(ticks, timescale),
            paced,
        }
    }

    fn set_last(&mut self, duration: i64) {
        let Some(last) = self.samples.last_mut() else { return };
        last.duration = u32::try_from(duration.max(1)).unwrap_or(u32::MAX);
        self.next_dts = Some(last.dts + i64::from(last.duration));
    }

    /// Closes the part that grows, if one does: its last sample lasts until `dts`, or as long as is expected.
    fn end_part(&mut self, dts: Option<i64>, is_cut: bool) {
        let Some(last) = self.samples.last() else { return };
        let frame = self.cadence.frame();
        let duration = match dts {
            // After a pause that is a discontinuity, the last frame before it lasts no longer than a frame.
            Some(dts) if is_cut => self.duration_until(last, dts.min(self.expected_end(last) + frame)),
            Some(dts) => self.duration_until(last, dts),
            None => self.duration_until(last, self.expected_end(last)),
        };
        self.set_last(duration);
        self.close_part();
    }

    fn close_part(&mut self) {
        let (Some(open), Some(first)) = (&mut self.open, self.samples.first()) else {
            return;
        };
        let reference = open.parts.is_empty().then_some(Reference {
            wall: open.date_time,
            media: open.start + open.presentation_delay,
        });
        let chunk = Chunk {
            sequence: self.numbering.part,
            kind: self.id.kind,
            samples: &self.samples,
            reference,
        };
        let start = chunk.data_start() as u32;
        let is_key = self.id.kind == Kind::Video && first.keyframe;
        open.parts.push(Part {
            number: self.numbering.part,
            start: first.dts,
            ticks: self.samples.iter().map(|sample| sample.duration).sum(),
            independent: first.keyframe || self.id.kind == Kind::Audio,
            frames: self.samples.len() as u32,
            bytes: chunk.write(),
            key_frame: is_key.then(|| (start, start + first.data.len() as u32)),
        });
        for sample in &self.samples {
            let micros = Span::new(sample.duration.into(), open.timescale).micros();
            self.meter.sample(sample.keyframe, sample.data.len(), micros);
        }
        self.samples.clear();
        self.numbering.part += 1;
        self.version.count();
    }

    /// Puts the growing segment with the whole ones. One without any part stays, to be begun again.
    fn end_segment(&mut self) {
        let Some(segment) = self.open.take_if(|open| !open.parts.is_empty()) else {
            return;
        };
        let micros = segment.span().micros();
        self.meter.segment(segment.bytes(), micros, self.target);
        self.shelf.put(segment, micros);
        self.version.count();
    }
}

fn make_init(parameters: Parameters, number: u64) -> Arc<Init> {
    Arc::new(Init {
        number,
        bytes: cmaf::init(&parameters),
        parameters,
    })
}

fn as_sample(timed: &Timed) -> Sample {
    Sample {
        dts: timed.dts,
        cts: i32::try_from(timed.pts - timed.dts).unwrap_or(0),
        duration: None,
        keyframe: timed.keyframe,
        data: bytes::Bytes::new(),
    }
}
