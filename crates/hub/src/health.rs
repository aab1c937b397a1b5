//! How a source does: measured once a second, and said in plain sentences where its settings hurt.

use std::time::Duration;

/// Key frames further apart than this delay joining and switching for everybody.
const KEYFRAMES_MICROS_MAX: i64 = 4_200_000;
/// Frame intervals that differ by more than this share are called irregular.
const IRREGULAR_PERCENT: i64 = 30;

/// How a source did in the last second.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Bits per second that came in, all tracks together.
    pub bitrate: u64,
    /// Video frames per second.
    pub frame_rate: f64,
    /// Time between the last two key frames; `None` before the second.
    pub keyframe_interval: Option<Duration>,
    /// How often the source's timestamps jumped since it connected.
    pub timestamp_jumps: u32,
    /// How much later than its best samples the newest came: what is waiting in the encoder or the network.
    pub backlog: Duration,
    /// What to change, if something hurts.
    pub advice: Vec<Advice>,
}

/// A setting of the source that hurts viewers. `Display` says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// Key frames are too far apart.
    #[error("key frames are too far apart: set the key-frame interval to 2 s")]
    KeyframesFarApart,
    /// B-frames are used.
    #[error("b-frames delay viewers who watch within a second: set b-frames to 0")]
    ReordersFrames,
    /// Frames do not come at a constant rate.
    #[error("the frame rate varies: set a constant frame rate in the encoder")]
    VariableFrameRate,
    /// Samples come late: the uplink cannot carry the bitrate.
    #[error("the connection cannot carry this bitrate: lower the bitrate, or use a wired connection")]
    SendBacklog,
    /// Timestamps jump.
    #[error("the encoder's timestamps jump: check its clock and its sources")]
    TimestampJumps,
}

/// Counts what the next [`Health`] is made of.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: u64,
    frames: u32,
    last_frame: Option<i64>,
    intervals: Option<(i64, i64)>,
    last_keyframe: Option<i64>,
    keyframe_interval: Option<i64>,
    reorders: bool,
    jumps: u32,
    jumps_reported: u32,
    least_delay: Option<i64>,
    delay: i64,
}

impl Meter {
    /// Counts the bytes of any sample, and how late it came: arrival minus media time, in microseconds.
    pub(crate) fn arrived(&mut self, bytes: usize, delay: i64) {
        self.bytes += bytes as u64;
        self.delay = delay;
        self.least_delay = Some(self.least_delay.map_or(delay, |least| least.min(delay)));
    }

    /// Counts a video frame at `micros` on the timeline.
    pub(crate) fn video(&mut self, micros: i64, reordered: bool, keyframe: bool) {
        self.frames += 1;
        self.reorders |= reordered;
        if let Some(last) = self.last_frame.replace(micros) {
            let step = micros - last;
            let (least, most) = self.intervals.unwrap_or((step, step));
            self.intervals = Some((least.min(step), most.max(step)));
        }
        if keyframe && let Some(last) = self.last_keyframe.replace(micros) {
            self.keyframe_interval = Some(micros - last);
        }
    }

    /// How often the source's clock has jumped in all.
    pub(crate) fn set_jumps(&mut self, jumps: u32) {
        self.jumps = jumps;
    }

    /// Microseconds between the last two key frames.
    pub(crate) fn keyframe_interval(&self) -> Option<i64> {
        self.keyframe_interval
    }

    /// What was counted in the last `span`; begins anew.
    pub(crate) fn harvest(&mut self, span: Duration) -> Health {
        let seconds = span.as_secs_f64().max(0.001);
        let backlog = self.delay - self.least_delay.unwrap_or(self.delay);
        let health = Health {
            bitrate: (self.bytes as f64 * 8.0 / seconds) as u64,
            frame_rate: f64::from(self.frames) / seconds,
            keyframe_interval: self.keyframe_interval.map(span_of),
            timestamp_jumps: self.jumps,
            backlog: span_of(backlog),
            advice: self.advice(backlog),
        };
        (self.bytes, self.frames, self.intervals) = (0, 0, None);
        self.jumps_reported = self.jumps;
        health
    }

    fn advice(&self, backlog: i64) -> Vec<Advice> {
        let far = self
            .keyframe_interval
            .is_some_and(|interval| interval > KEYFRAMES_MICROS_MAX);
        let irregular = |(least, most): (i64, i64)| (most - least) * 100 > most * IRREGULAR_PERCENT;
        let hurts = [
            (far, Advice::KeyframesFarApart),
            (self.reorders, Advice::ReordersFrames),
            (
                self.frames > 5 && self.intervals.is_some_and(irregular),
                Advice::VariableFrameRate,
            ),
            (backlog > 2_000_000, Advice::SendBacklog),
            (self.jumps > self.jumps_reported, Advice::TimestampJumps),
        ];
        hurts
            .into_iter()
            .filter_map(|(hurts, advice)| hurts.then_some(advice))
            .collect()
    }
}

fn span_of(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(frame_micros: impl Fn(i64) -> i64, keyframes: i64) -> Health {
        let mut meter = Meter::default();
        for frame in 0..30 {
            meter.arrived(10_000, 0);
            meter.video(frame_micros(frame), false, frame % keyframes == 0);
        }
        meter.harvest(Duration::from_secs(1))
    }

    #[test]
    fn a_good_source_needs_no_advice() {
        let health = second(|frame| frame * 33_333, 15);
        assert_eq!(health.bitrate, 2_400_000);
        assert_eq!(health.frame_rate, 30.0);
        assert_eq!(health.keyframe_interval, Some(Duration::from_micros(499_995)));
        assert_eq!(health.advice, []);
    }

    #[test]
    fn what_hurts_is_said() {
        assert_eq!(second(|frame| frame * 333_333, 15).advice, [Advice::KeyframesFarApart]);
        assert_eq!(
            second(|frame| frame * 33_333 + frame % 2 * 15_000, 15).advice,
            [Advice::VariableFrameRate]
        );
    }
}
