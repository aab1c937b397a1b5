//! What happens to live streams, written down: broadcasts, events in the words that their owner reads, and how sources did.
//!
//! One task follows the hub and never waits; another writes, several reports to a transaction. While the database is away events wait in
//! memory, within a bound, and the health of sources is given up first.

mod follow;
mod ladder;
mod minutes;
mod report;
mod resume;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use follow::code;
pub use follow::follow;
pub(crate) use minutes::Minutes;
pub(crate) use report::Reports;
pub(crate) use resume::close_lost;
pub use write::write;
