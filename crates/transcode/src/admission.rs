//! How much encoding this server takes on.

use std::sync::{Arc, Mutex, PoisonError};

/// The processors that all children share, in thousandths of one.
#[derive(Debug)]
pub struct Budget {
    total: u32,
    used: Mutex<u32>,
}

/// A part of the budget. Dropping it gives it back.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    cost: u32,
}

impl Budget {
    /// A budget of `total` thousandths of a processor.
    pub fn new(total: u32) -> Arc<Self> {
        Arc::new(Self {
            total,
            used: Mutex::new(0),
        })
    }

    /// All there is.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// What is taken.
    pub fn used(&self) -> u32 {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what `base` and as many of `rungs` cost as fit; those from the front are left out first. Returns how many are left out,
    /// all of them if not even the last one fits.
    pub fn reserve(self: &Arc<Self>, base: u32, rungs: &[u32]) -> (Reservation, usize) {
        let mut reservation = Reservation {
            budget: Arc::clone(self),
            cost: 0,
        };
        let left_out = reservation.renew(base, rungs);
        (reservation, left_out)
    }
}

impl Reservation {
    /// The same as [`Budget::reserve`], in place of what this has; others may have made room since.
    pub fn renew(&mut self, base: u32, rungs: &[u32]) -> usize {
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(self.cost);
        let left = self.budget.total.saturating_sub(*used);
        let cost = |from: usize| {
            rungs
                .iter()
                .skip(from)
                .fold(base, |sum, cost| sum.saturating_add(*cost))
        };
        let from = (0..rungs.len()).find(|from| cost(*from) <= left).unwrap_or(rungs.len());
        self.cost = if from < rungs.len() { cost(from) } else { 0 };
        *used += self.cost;
        from
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_that_does_not_fit_loses_its_topmost_rungs() {
        let budget = Budget::new(1_000);
        let (_first, left_out) = budget.reserve(50, &[400, 150, 100]);
        assert_eq!((left_out, budget.used()), (0, 700));
        let (_second, left_out) = budget.reserve(50, &[400, 150, 100]);
        assert_eq!((left_out, budget.used()), (1, 1_000));
        let (_third, left_out) = budget.reserve(50, &[400, 150, 100]);
        assert_eq!(
            (left_out, budget.used()),
            (3, 1_000),
            "not even the decoder is paid for"
        );
    }

    #[test]
    fn what_found_no_room_finds_it_when_another_has_ended() {
        let budget = Budget::new(1_000);
        let (first, _) = budget.reserve(50, &[400, 150, 100]);
        let (mut second, left_out) = budget.reserve(50, &[400, 150, 100]);
        assert_eq!(left_out, 1);
        assert_eq!((second.renew(50, &[400, 150, 100]), budget.used()), (1, 1_000));
        drop(first);
        assert_eq!((second.renew(50, &[400, 150, 100]), budget.used()), (0, 700));
    }

    #[test]
    fn what_ends_makes_room() {
        let budget = Budget::new(500);
        let (first, _) = budget.reserve(50, &[400]);
        assert_eq!(budget.reserve(50, &[400]).1, 1);
        drop(first);
        assert_eq!(budget.reserve(50, &[400]).1, 0);
    }
}
