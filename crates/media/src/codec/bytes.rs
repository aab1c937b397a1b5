//! Whole bytes of a header. Reading past the end is an error, never a panic.

use crate::Error;

/// Reads bytes of the structure called `what`, big-endian unless the name says otherwise.
#[derive(Clone, Debug)]
pub(super) struct ByteReader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> ByteReader<'a> {
    pub(super) fn new(data: &'a [u8], what: &'static str) -> Self {
        Self { rest: data, what }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Error::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Error::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u16_le(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32_le(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Steps over `prefix` if it comes next.
    pub(super) fn skip_prefix(&mut self, prefix: &[u8]) {
        if let Some(rest) = self.rest.strip_prefix(prefix) {
            self.rest = rest;
        }
    }
}
