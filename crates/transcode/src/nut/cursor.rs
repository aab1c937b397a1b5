use super::Error;

/// Why a value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// More bytes may make it whole.
    Short,
    /// No more bytes will.
    Fault(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

/// A place in bytes that may not be all there yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How much was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// How much is left.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::Short)?;
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(len).ok_or(Stop::Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(Stop::Short)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Stop> {
        let bytes = self.take(8)?;
        Ok(bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    }

    /// `v`: seven bits a byte, the high bit says that more follow.
    pub(super) fn number(&mut self) -> Result<u64, Stop> {
        let mut value = 0_u64;
        for _ in 0..10 {
            let byte = self.byte()?;
            value = (value << 7) | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::Invalid("a number of more than 64 bits").into())
    }

    /// `s`: a number whose lowest bit is its sign.
    pub(super) fn signed(&mut self) -> Result<i64, Stop> {
        let value = self.number()?.saturating_add(1);
        let half = i64::try_from(value >> 1).unwrap_or(i64::MAX);
        Ok(if value & 1 == 1 { half.saturating_neg() } else { half })
    }

    /// `vb`: bytes behind their count.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], Stop> {
        let len = self.number()?;
        self.take(usize::try_from(len).map_err(|_| Stop::Short)?)
    }
}
