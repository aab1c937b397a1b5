//! What an operator adds to the encoders' arguments.

use crate::encoder::Encoder;

/// Options that were found to open nothing and to leave the frames where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnOptions {
    filters: Vec<String>,
}

impl OwnOptions {
    pub(crate) fn filters(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().map(String::as_str)
    }

    pub(crate) fn for_encoder(&self, _encoder: Encoder) -> Vec<String> {
        Vec::new()
    }
}
