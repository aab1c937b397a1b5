//! Mail: what is written, and how it leaves.

mod letter;
mod outbox;
mod smtp;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use letter::{Letter, Text};
pub use outbox::Outbox;
pub use smtp::{Server, send};
