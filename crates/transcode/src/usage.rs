//! What children really take of the processors, as the kernel counts it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hub::BroadcastId;

/// How long is measured before it is told.
const WINDOW: Duration = Duration::from_secs(5);

/// What is known of all jobs.
#[derive(Debug, Default)]
pub struct Usage {
    jobs: Mutex<HashMap<BroadcastId, u32>>,
    troubles: AtomicU64,
}

impl Usage {
    /// What a broadcast's children took in the last seconds, in thousandths of a processor.
    pub fn of(&self, broadcast: &BroadcastId) -> Option<u32> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(broadcast).copied()
    }

    /// What all take.
    pub fn sum(&self) -> u32 {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.values().fold(0, |sum, job| sum.saturating_add(*job))
    }

    /// How often a child was in trouble, ever.
    pub fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Relaxed)
    }

    /// Takes note of what a broadcast's children take; `None` when it is over.
    pub fn set(&self, broadcast: &BroadcastId, thousandths: Option<u32>) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match thousandths {
            Some(thousandths) => drop(jobs.insert(broadcast.clone(), thousandths)),
            None => drop(jobs.remove(broadcast)),
        }
    }

    /// Counts a trouble.
    pub fn trouble(&self) {
        self.troubles.fetch_add(1, Ordering::Relaxed);
    }
}

/// Measures the children of one job.
#[derive(Debug, Default)]
pub struct Meter {
    /// When the window began, and what each child had taken until then.
    began: Option<(Duration, HashMap<u32, Duration>)>,
}

impl Meter {
    /// Looks at the processes of these numbers; `taken` tells what one has taken since it began. Tells thousandths of a processor
    /// whenever a window ends.
    pub fn read(
        &mut self,
        now: Duration,
        processes: impl Iterator<Item = u32>,
        taken: impl Fn(u32) -> Option<Duration>,
    ) -> Option<u32> {
        if self.began.as_ref().is_some_and(|(began, _)| now - *began < WINDOW) {
            return None;
        }
        let taken: HashMap<_, _> = processes.filter_map(|id| Some((id, taken(id)?))).collect();
        let measured = self.began.as_ref().map(|(began, before)| {
            let since =
                |(id, taken): (&u32, &Duration)| taken.saturating_sub(before.get(id).copied().unwrap_or_default());
            let sum: Duration = taken.iter().map(since).sum();
            (sum.as_secs_f64() * 1_000.0 / (now - *began).as_secs_f64()).round() as u32
        });
        self.began = Some((now, taken));
        measured
    }
}

/// What a process has taken of the processors since it began: `utime` and `stime` of `/proc/PID/stat`, proc(5).
pub fn taken(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let ticks = ticks(&stat)?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(ticks.saturating_mul(1_000) / per_second))
}

/// The sum of the 14th and the 15th field; the second is a name in parentheses, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_children_took_in_a_window_is_told_at_its_end() {
        let mut meter = Meter::default();
        let read =
            |meter: &mut Meter, now, taken: u64| meter.read(seconds(now), [7].into_iter(), |_| Some(seconds(taken)));
        assert_eq!(read(&mut meter, 0, 100), None, "what was before is not counted");
        assert_eq!(read(&mut meter, 4, 102), None);
        assert_eq!(read(&mut meter, 10, 105), Some(500));
        assert_eq!(read(&mut meter, 20, 105), Some(0));
    }

    #[test]
    fn a_new_child_counts_from_its_beginning_and_one_that_is_gone_does_not() {
        let mut meter = Meter::default();
        meter.read(seconds(0), [1].into_iter(), |_| Some(seconds(50)));
        let second = meter.read(seconds(10), [1, 2].into_iter(), |id| (id == 2).then_some(seconds(1)));
        assert_eq!(second, Some(100));
    }

    #[test]
    fn a_name_with_spaces_and_parentheses_is_passed_over() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 30 10 1 0 100";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("42 nonsense"), None);
        assert!(taken(std::process::id()).is_some());
        assert_eq!(taken(0), None);
    }

    #[test]
    fn a_job_that_is_over_takes_nothing() {
        let (usage, id) = (Usage::default(), BroadcastId::random());
        usage.set(&id, Some(700));
        assert_eq!((usage.of(&id), usage.sum()), (Some(700), 700));
        usage.set(&id, None);
        assert_eq!((usage.of(&id), usage.sum()), (None, 0));
    }
}
