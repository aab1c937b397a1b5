//! A child at work: what goes into it, and where what comes out of it is put.

use std::time::Duration;

use bytes::Bytes;
use hub::Derived;
use media::{Kind, Parameters, Sample, TrackId};
use tracing::debug;

use crate::bitstream::Bitstream;
use crate::child::{Child, Full, Generation};
use crate::matroska;
use crate::nut::{Event, Stream};
use crate::policy::{Trouble, Watch};
use crate::published::Published;
use crate::times::{Place, Times};

/// With so many key frames of the source in a row that are none of a rung's, the encoder does not follow: one may be spoiled.
const MISSED_MAX: u32 = 2;
/// So many frames in a row may come out at times at which none went in: a spoiled source does that.
const STRAYS_MAX: u32 = 120;

/// A child and what is known of its frames.
#[derive(Debug)]
pub struct Running {
    /// Which child it is.
    pub generation: Generation,
    child: Child,
    kind: Kind,
    timescale: u32,
    times: Times,
    watch: Watch,
    outputs: Vec<Output>,
    /// Frames in a row that came out at a time at which none went in.
    strays: u32,
}

#[derive(Debug)]
struct Output {
    track: TrackId,
    timescale: u32,
    bitstream: Option<Bitstream>,
    newest: i64,
    /// Key frames of the source in a row that are none here.
    missed: u32,
}

impl Output {
    fn publish(
        &mut self,
        place: Place,
        keyframe: bool,
        data: Bytes,
        derived: &Derived,
        published: &mut Published,
    ) -> Result<(), Trouble> {
        self.meets(keyframe, &place)?;
        let Some(bitstream) = &mut self.bitstream else {
            return Ok(());
        };
        let data = bitstream.convert(data);
        if let Some(parameters) = bitstream.parameters() {
            published.configure(derived, self.track, parameters);
        }
        let sample = Sample {
            dts: place.dts,
            cts: place.cts,
            duration: place.duration,
            keyframe: keyframe && place.keyframe,
            data,
        };
        published.push(derived, self.track, sample);
        Ok(())
    }

    /// Takes note of a made frame; fails once players could not change to this rung.
    fn meets(&mut self, keyframe: bool, place: &Place) -> Result<(), Trouble> {
        if place.keyframe {
            self.missed = if keyframe { 0 } else { self.missed + 1 };
        }
        if self.missed < MISSED_MAX {
            return Ok(());
        }
        let reason = "its key frames do not stand where the source's do";
        Err(Trouble::Garbled(reason.to_owned()))
    }
}

impl Running {
    /// A child that makes these tracks of a source.
    pub fn new(generation: Generation, child: Child, source: &Parameters, tracks: &[TrackId]) -> Self {
        let output = |track: &TrackId| Output {
            track: *track,
            timescale: source.timescale(),
            bitstream: None,
            newest: i64::MIN,
            missed: 0,
        };
        // A full queue shows in what goes in after it.
        let _ = child.send(matroska::header(source));
        Self {
            generation,
            child,
            kind: source.kind(),
            timescale: source.timescale(),
            times: Times::default(),
            watch: Watch::new(tracks.len()),
            outputs: tracks.iter().map(output).collect(),
            strays: 0,
        }
    }

    /// The tracks that it makes.
    pub fn tracks(&self) -> impl Iterator<Item = TrackId> {
        self.outputs.iter().map(|output| output.track)
    }

    /// Puts a frame of the source in.
    ///
    /// # Errors
    /// If it does not keep up.
    pub fn push(&mut self, now: Duration, sample: &Sample) -> Result<(), Trouble> {
        if self.kind == Kind::Video {
            self.times.push(sample);
        }
        self.watch.handle_input(now, micros(sample.pts(), self.timescale));
        let frame = matroska::frame(self.timescale, sample);
        self.child.send(frame).map_err(|Full| Trouble::Full)
    }

    /// Publishes what came out of an output.
    ///
    /// # Errors
    /// If it is of no use.
    pub fn handle(
        &mut self,
        output: usize,
        event: Event,
        derived: &Derived,
        published: &mut Published,
    ) -> Result<(), Trouble> {
        match event {
            Event::Stream(stream) => self.begin(output, &stream),
            Event::Frame { pts, keyframe, data } => {
                let Some(out) = self.outputs.get_mut(output) else {
                    return Ok(());
                };
                let ticks = pts.saturating_sub(matroska::OFFSET_SECONDS * i64::from(out.timescale));
                out.newest = ticks;
                self.watch.handle_output(output, micros(ticks, out.timescale));
                match place(self.kind, &self.times, ticks) {
                    Some(place) => {
                        self.strays = 0;
                        out.publish(place, keyframe, data, derived, published)?;
                        self.forget();
                        Ok(())
                    }
                    None => self.strayed(output, ticks),
                }
            }
        }
    }

    /// Leaves out a frame that no frame of the source is at the time of.
    fn strayed(&mut self, output: usize, ticks: i64) -> Result<(), Trouble> {
        self.strays += 1;
        debug!(output, ticks, "a made frame has no frame that it was made from");
        if self.strays < STRAYS_MAX {
            return Ok(());
        }
        Err(Trouble::Garbled(
            "its frames do not stand where the source's do".to_owned(),
        ))
    }

    fn begin(&mut self, output: usize, stream: &Stream) -> Result<(), Trouble> {
        let Some(out) = self.outputs.get_mut(output) else {
            return Ok(());
        };
        out.timescale = stream.timescale;
        let expected = self.kind == Kind::Audio || stream.timescale == self.timescale;
        out.bitstream = Bitstream::new(stream).filter(|_| expected);
        if out.bitstream.is_some() {
            return Ok(());
        }
        let (fourcc, timescale) = (String::from_utf8_lossy(&stream.fourcc), stream.timescale);
        Err(Trouble::Garbled(format!("a codec {fourcc} at {timescale} Hz")))
    }

    /// The number of its process.
    pub fn process(&self) -> Option<u32> {
        self.child.process()
    }

    /// What is wrong with it now.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Trouble> {
        self.watch.handle_timeout(now)
    }

    /// Lets it give out what it still has. It must be kept until then.
    pub fn finish(&mut self) {
        self.child.finish();
    }

    fn forget(&mut self) {
        if let Some(oldest) = self.outputs.iter().map(|output| output.newest).min() {
            self.times.forget_before(oldest);
        }
    }
}

fn place(kind: Kind, times: &Times, ticks: i64) -> Option<Place> {
    match kind {
        Kind::Video => times.place(ticks),
        // An encoder of sound cuts its own frames.
        Kind::Audio => Some(Place {
            dts: ticks,
            cts: 0,
            keyframe: true,
            duration: None,
        }),
    }
}

/// Ticks as microseconds.
fn micros(ticks: i64, timescale: u32) -> i64 {
    let wide = i128::from(ticks) * 1_000_000 / i128::from(timescale.max(1));
    i64::try_from(wide).unwrap_or(0)
}
