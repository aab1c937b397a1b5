//! Bits of a header, most significant first. Reading past the end is an error, never a panic.

use crate::Error;

/// Reads bits of the structure called `what`.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
    what: &'static str,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(data: &'a [u8], what: &'static str) -> Self {
        Self {
            data,
            position: 0,
            what,
        }
    }

    /// The next bit as a flag.
    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        let byte = self
            .data
            .get(self.position >> 3)
            .ok_or(Error::Truncated { what: self.what })?;
        let mask = 0x80_u8.wrapping_shr((self.position & 7) as u32);
        self.position = self.position.saturating_add(1);
        Ok(byte & mask != 0)
    }

    /// The next `count` bits as a number; `count` is at most 32.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Error> {
        debug_assert!(count <= 32, "a number of more than 32 bits");
        let mut value = 0_u32;
        for _ in 0..count {
            value = (value << 1) | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// The next `count` bits, at most 8, as a small number.
    pub(super) fn small(&mut self, count: u32) -> Result<u8, Error> {
        debug_assert!(count <= 8, "a small number of more than 8 bits");
        Ok(self.bits(count)? as u8)
    }

    /// Steps over `count` bits.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Error> {
        let position = self.position.saturating_add(count);
        if position > self.data.len().saturating_mul(8) {
            return Err(Error::Truncated { what: self.what });
        }
        self.position = position;
        Ok(())
    }

    /// Steps to the next whole byte.
    pub(super) fn align(&mut self) {
        self.position = self.position.saturating_add(7) & !7;
    }

    /// How many bits are left.
    pub(super) fn remaining(&self) -> usize {
        self.data.len().saturating_mul(8).saturating_sub(self.position)
    }

    /// An unsigned Exp-Golomb number, `ue(v)` of ISO/IEC 14496-10 §9.1.
    pub(super) fn unsigned(&mut self) -> Result<u32, Error> {
        let mut zeros = 0_u32;
        while !self.flag()? {
            zeros = zeros.saturating_add(1);
            if zeros > 31 {
                return Err(self.invalid());
            }
        }
        let base = 1_u32.wrapping_shl(zeros);
        Ok(base.wrapping_sub(1).saturating_add(self.bits(zeros)?))
    }

    /// An unsigned Exp-Golomb number that may not be over `max`.
    pub(super) fn unsigned_up_to(&mut self, max: u32) -> Result<u32, Error> {
        let value = self.unsigned()?;
        if value > max { Err(self.invalid()) } else { Ok(value) }
    }

    /// A signed Exp-Golomb number, `se(v)`.
    pub(super) fn signed(&mut self) -> Result<i64, Error> {
        let code = i64::from(self.unsigned()?);
        let magnitude = code.saturating_add(1) >> 1;
        Ok(if code & 1 == 1 {
            magnitude
        } else {
            magnitude.saturating_neg()
        })
    }

    fn invalid(&self) -> Error {
        Error::Invalid { what: self.what }
    }
}

/// Writes bits, most significant first.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    data: Vec<u8>,
    free: u32,
}

impl BitWriter {
    /// Appends the low `count` bits of `value`; `count` is at most 32.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        for shift in (0..count).rev() {
            if self.free == 0 {
                self.data.push(0);
                self.free = 8;
            }
            self.free = self.free.saturating_sub(1);
            let bit = (value.wrapping_shr(shift) & 1) as u8;
            if let Some(last) = self.data.last_mut() {
                *last |= bit.wrapping_shl(self.free);
            }
        }
    }

    /// Fills the last byte with zero bits.
    pub(super) fn align(&mut self) {
        self.free = 0;
    }

    /// What was written so far; the last byte may be half empty.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.data
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_are_read_as_the_standard_lists_them() {
        // §9.1, table 9-2: 1, 010, 011, 00100, 00101.
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut reader = BitReader::new(&bytes, "test");
        let read: Vec<u32> = (0..5).map(|_| reader.unsigned().unwrap()).collect();
        assert_eq!(read, [0, 1, 2, 3, 4]);

        let mut reader = BitReader::new(&bytes, "test");
        let read: Vec<i64> = (0..5).map(|_| reader.signed().unwrap()).collect();
        assert_eq!(read, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn an_exp_golomb_code_that_never_ends_is_refused() {
        assert!(BitReader::new(&[0; 64], "test").unsigned().is_err());
    }

    #[test]
    fn reading_past_the_end_is_an_error_and_nothing_else() {
        let mut reader = BitReader::new(&[0xff], "test");
        assert_eq!(reader.bits(8), Ok(255));
        assert_eq!(reader.flag(), Err(Error::Truncated { what: "test" }));
        assert_eq!(reader.skip(1), Err(Error::Truncated { what: "test" }));
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut writer = BitWriter::default();
        writer.put(5, 3);
        writer.put(0xabc, 12);
        writer.align();
        writer.put(1, 1);
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes, "test");
        assert_eq!((reader.bits(3), reader.bits(12)), (Ok(5), Ok(0xabc)));
        reader.align();
        assert_eq!(reader.flag(), Ok(true));
    }
}
