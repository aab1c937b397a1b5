//! A child at work: what goes into it, and where what comes out of it is put.

use std::time::Duration;

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
    /// Frames that came out at a time at which none went in.
    strays: u64,
}

#[derive(Debug)]
struct Output {
    track: TrackId,
    timescale: u32,
    bitstream: Option<Bitstream>,
    newest: i64,
}

impl Running {
    /// A child that makes these tracks of a source.
    pub fn new(generation: Generation, child: Child, source: &Parameters, tracks: &[TrackId]) -> Self {
        let output = |track: &TrackId| Output {
            track: *track,
            timescale: source.timescale(),
            bitstream: None,
            newest: i64::MIN,
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
                let ticks = pts - matroska::OFFSET_SECONDS * i64::from(out.timescale);
                out.newest = ticks;
                self.watch.handle_output(output, micros(ticks, out.timescale));
                let Some(place) = place(self.kind, &self.times, ticks, keyframe) else {
                    self.strays += 1;
                    debug!(track = ?out.track, ticks, strays = self.strays, "a made frame has no frame that it was made from");
                    return Ok(());
                };
                let Some(bitstream) = &mut out.bitstream else {
                    return Ok(());
                };
                let data = bitstream.convert(data);
                if let Some(parameters) = bitstream.parameters() {
                    published.configure(derived, out.track, parameters);
                }
                let sample = Sample {
                    dts: place.dts,
                    cts: place.cts,
                    duration: None,
                    keyframe: keyframe && place.keyframe,
                    data,
                };
                published.push(derived, out.track, sample);
                self.forget();
                Ok(())
            }
        }
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

fn place(kind: Kind, times: &Times, ticks: i64, keyframe: bool) -> Option<Place> {
    match kind {
        Kind::Video => times.place(ticks),
        // An encoder of sound cuts its own frames; what lies before the beginning primes the decoder.
        Kind::Audio => (ticks >= 0).then_some(Place {
            dts: ticks,
            cts: 0,
            keyframe,
        }),
    }
}

/// Ticks as microseconds.
fn micros(ticks: i64, timescale: u32) -> i64 {
    let wide = i128::from(ticks) * 1_000_000 / i128::from(timescale.max(1));
    i64::try_from(wide).unwrap_or(0)
}
