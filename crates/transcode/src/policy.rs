//! When a child is in trouble, and what is done about it: values that are told the time.

use std::collections::VecDeque;
use std::time::Duration;

/// Frames go in and none comes out for this long: it hangs.
const HUNG_AFTER: Duration = Duration::from_millis(1_600);
/// The first frame may take longer: programs are loaded, and the machine may be busy.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// So many frames went in before silence is a fault: a slow source with B-frames waits for several.
const PENDING_MIN: usize = 16;
/// Its newest frame is older than its input by so much: it is behind.
const BEHIND_MICROS: i64 = 1_500_000;
/// It stays behind for this long, and gains less than `GAIN_MICROS`: it will not catch up.
const BEHIND_FOR: Duration = Duration::from_millis(500);
const GAIN_MICROS: i64 = 100_000;
/// Troubles further apart have nothing to do with each other.
const MEMORY: Duration = Duration::from_secs(60);
/// When the last rung fails too, the next attempt is made after this, then after twice as long, and so on.
const REST_FIRST: Duration = Duration::from_secs(30);
const REST_MAX: Duration = Duration::from_secs(300);

/// After so long without trouble, a rung that was dropped is tried once more.
const CALM_FIRST: Duration = Duration::from_secs(300);
/// Each time that trouble is back at once, that takes twice as long, up to this.
const CALM_MAX: Duration = Duration::from_secs(3_600);
/// Trouble so soon after a rung was tried once more is that rung's.
const RELAPSE: Duration = Duration::from_secs(120);

/// What is wrong with a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is gone, or cannot be started; the text is its last word.
    Crashed(String),
    /// Frames go in and nothing comes out.
    Hung,
    /// It falls behind real time.
    Behind,
    /// Its input is full.
    Full,
    /// What comes out of it cannot be read.
    Garbled(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crashed(reason) => write!(f, "the encoder ended: {reason}"),
            Self::Hung => write!(f, "the encoder gave nothing out for two seconds"),
            Self::Behind | Self::Full => write!(f, "the encoder fell behind real time"),
            Self::Garbled(reason) => write!(f, "the encoder's output could not be read: {reason}"),
        }
    }
}

/// Watches one child. `now` is the time since any beginning.
#[derive(Debug)]
pub struct Watch {
    newest_input: i64,
    outputs: Vec<Output>,
    behind: Option<(Duration, i64)>,
}

#[derive(Debug, Default)]
struct Output {
    newest: Option<i64>,
    /// Frames that went in since the last one that came out, and when the first of them did.
    pending: usize,
    since: Option<Duration>,
}

impl Watch {
    /// A child with so many outputs.
    pub fn new(outputs: usize) -> Self {
        Self {
            newest_input: i64::MIN,
            outputs: (0..outputs).map(|_| Output::default()).collect(),
            behind: None,
        }
    }

    /// A frame of this time (microseconds) goes in.
    pub fn handle_input(&mut self, now: Duration, micros: i64) {
        self.newest_input = self.newest_input.max(micros);
        for output in &mut self.outputs {
            output.pending += 1;
            output.since.get_or_insert(now);
        }
    }

    /// A frame of this time came out of an output.
    pub fn handle_output(&mut self, output: usize, micros: i64) {
        if let Some(output) = self.outputs.get_mut(output) {
            output.newest = Some(micros);
            output.pending = 0;
            output.since = None;
        }
    }

    /// Judges the child.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Trouble> {
        if self.outputs.iter().any(|output| output.hangs(now)) {
            return Some(Trouble::Hung);
        }
        self.is_behind(now).then_some(Trouble::Behind)
    }

    fn is_behind(&mut self, now: Duration) -> bool {
        let Some(oldest) = self.outputs.iter().filter_map(|output| output.newest).min() else {
            return false;
        };
        let lag = self.newest_input - oldest;
        if lag <= BEHIND_MICROS {
            self.behind = None;
            return false;
        }
        let (since, then) = *self.behind.get_or_insert((now, lag));
        if now - since < BEHIND_FOR {
            return false;
        }
        let gains = then - lag >= GAIN_MICROS;
        self.behind = Some((now, lag));
        !gains
    }
}

impl Output {
    fn hangs(&self, now: Duration) -> bool {
        let Some(since) = self.since else { return false };
        let patience = if self.newest.is_some() {
            HUNG_AFTER
        } else {
            START_PATIENCE
        };
        self.pending >= PENDING_MIN && now.saturating_sub(since) >= patience
    }
}

/// What is done about a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another child, at the next key frame.
    Again,
    /// Another child, at the next key frame, without the topmost rung.
    Fewer,
    /// No child for so long; then one for the lowest rung.
    Rest(Duration),
}

/// Remembers a broadcast's troubles.
#[derive(Debug, Default)]
pub struct Troubles {
    recent: VecDeque<Duration>,
    rests: u32,
    /// The last trouble, or the last time that a rung was tried once more.
    last: Duration,
    /// When a rung was tried once more.
    forgiven: Option<Duration>,
    /// How often that went wrong.
    relapses: u32,
}

impl Troubles {
    /// Decides: a first trouble is bad luck, unless there is too much to do. After that the topmost rung goes, which costs most.
    pub fn judge(&mut self, now: Duration, trouble: &Trouble, rungs: usize) -> Step {
        self.last = now;
        if self.forgiven.take().is_some_and(|at| now - at < RELAPSE) {
            self.relapses += 1;
        }
        while self.recent.front().is_some_and(|at| now - *at > MEMORY) {
            self.recent.pop_front();
        }
        if self.recent.is_empty() {
            self.rests = 0;
        }
        self.recent.push_back(now);
        let too_much = matches!(trouble, Trouble::Behind | Trouble::Full);
        if self.recent.len() == 1 && !too_much {
            return Step::Again;
        }
        if rungs > 1 {
            return Step::Fewer;
        }
        let rest = REST_FIRST * 2_u32.pow(self.rests.min(5));
        self.rests += 1;
        // The rest is no time without trouble.
        let rest = rest.min(REST_MAX);
        self.recent.clear();
        self.recent.push_back(now + rest);
        Step::Rest(rest)
    }

    /// Whether a rung that was dropped may be tried once more; if so, it is taken to be.
    pub fn are_over(&mut self, now: Duration) -> bool {
        let calm = CALM_MAX.min(CALM_FIRST * 2_u32.pow(self.relapses.min(4)));
        let over = now.saturating_sub(self.last) >= calm;
        if over {
            self.last = now;
            self.forgiven = Some(now);
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Feeds 30 frames a second from `from` to `until` (milliseconds); each comes out after `delay`. Returns the first trouble.
    fn run(watch: &mut Watch, from: u64, until: u64, out: impl Fn(u64) -> Option<u64>) -> Option<(u64, Trouble)> {
        for at in (from..until).step_by(33) {
            watch.handle_input(ms(at), at as i64 * 1_000);
            if let Some(media) = out(at) {
                watch.handle_output(0, media as i64 * 1_000);
            }
            if let Some(trouble) = watch.handle_timeout(ms(at)) {
                return Some((at, trouble));
            }
        }
        None
    }

    #[test]
    fn a_child_that_keeps_up_is_left_alone() {
        assert_eq!(
            run(&mut Watch::new(1), 0, 60_000, |at| Some(at.saturating_sub(100))),
            None
        );
    }

    #[test]
    fn one_that_hangs_is_noticed_within_two_seconds() {
        let mut watch = Watch::new(1);
        assert_eq!(run(&mut watch, 0, 3_300, Some), None);
        let (at, trouble) = run(&mut watch, 3_300, 9_000, |_| None).unwrap();
        assert_eq!(trouble, Trouble::Hung);
        assert!(at < 5_300, "{at}");
    }

    #[test]
    fn one_output_of_several_that_hangs_is_noticed() {
        let mut watch = Watch::new(2);
        let (_, trouble) = run(&mut watch, 0, 9_000, Some).unwrap();
        assert_eq!(trouble, Trouble::Hung);
    }

    #[test]
    fn one_that_falls_behind_is_noticed_within_two_seconds_of_being_behind() {
        let half_speed = |at: u64| Some(at / 2);
        let (at, trouble) = run(&mut Watch::new(1), 0, 20_000, half_speed).unwrap();
        assert_eq!(trouble, Trouble::Behind);
        assert!(at < 3_000 + 2_000, "{at}");
    }

    #[test]
    fn one_that_catches_up_after_a_burst_is_left_alone() {
        let mut watch = Watch::new(1);
        (0..240).for_each(|frame| watch.handle_input(ms(0), frame * 33_333));
        for step in 0..80_u64 {
            watch.handle_output(0, step as i64 * 100_000);
            assert_eq!(watch.handle_timeout(ms(step * 33)), None);
        }
    }

    #[test]
    fn a_slow_source_is_no_hanging_child() {
        let mut watch = Watch::new(1);
        // One frame a second, and the decoder keeps three.
        for second in 0..60_u64 {
            watch.handle_input(ms(second * 1_000), second as i64 * 1_000_000);
            if second >= 3 {
                watch.handle_output(0, (second as i64 - 1) * 1_000_000);
            }
            assert_eq!(watch.handle_timeout(ms(second * 1_000 + 500)), None);
        }
    }

    #[test]
    fn a_source_that_sends_nothing_is_no_hanging_child() {
        let mut watch = Watch::new(1);
        assert_eq!(run(&mut watch, 0, 3_000, Some), None);
        assert_eq!(watch.handle_timeout(ms(60_000)), None);
    }

    #[test]
    fn the_first_crash_is_bad_luck_and_further_ones_cost_the_topmost_rungs() {
        let mut troubles = Troubles::default();
        let crash = Trouble::Crashed("killed".into());
        assert_eq!(troubles.judge(ms(0), &crash, 3), Step::Again);
        assert_eq!(troubles.judge(ms(5_000), &crash, 3), Step::Fewer);
        assert_eq!(troubles.judge(ms(9_000), &crash, 2), Step::Fewer);
        assert_eq!(troubles.judge(ms(12_000), &crash, 1), Step::Rest(ms(30_000)));
        assert_eq!(troubles.judge(ms(50_000), &crash, 1), Step::Rest(ms(60_000)));
        assert_eq!(troubles.judge(ms(900_000), &crash, 1), Step::Again);
    }

    #[test]
    fn a_dropped_rung_is_tried_again_after_a_calm_that_grows_with_each_relapse() {
        let mut troubles = Troubles::default();
        let seconds = |seconds: u64| ms(seconds * 1_000);
        troubles.judge(seconds(100), &Trouble::Behind, 3);
        assert!(!troubles.are_over(seconds(399)));
        assert!(troubles.are_over(seconds(400)));
        assert!(!troubles.are_over(seconds(401)), "one rung at a time");
        troubles.judge(seconds(410), &Trouble::Behind, 3);
        assert!(!troubles.are_over(seconds(1_009)));
        assert!(troubles.are_over(seconds(1_010)), "twice as long");
        // Trouble long after has nothing to do with it.
        troubles.judge(seconds(5_000), &Trouble::Behind, 3);
        assert!(troubles.are_over(seconds(5_600)));
    }

    #[test]
    fn a_child_that_is_too_slow_would_be_too_slow_again() {
        let mut troubles = Troubles::default();
        assert_eq!(troubles.judge(ms(0), &Trouble::Behind, 3), Step::Fewer);
        assert_eq!(troubles.judge(ms(2_000), &Trouble::Full, 2), Step::Fewer);
    }
}
