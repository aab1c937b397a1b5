//! The time of sending, inside the picture: an SEI message in each H.264 frame.
//!
//! It survives every container, since a server that does not transcode passes the frame on untouched. Sixteen hexadecimal digits
//! hold the microseconds, so that no start code can appear in them.

use memchr::memmem;

const MARK: &[u8; 16] = b"headwater-bench!";
const DIGITS: usize = 16;

/// Length of the whole NAL unit with its length field.
pub const LEN: usize = 4 + 3 + MARK.len() + DIGITS + 1;

/// A NAL unit in AVC's length-prefixed form: user data with the given time.
pub fn nal_unit(micros: u64) -> [u8; LEN] {
    let mut unit = [0; LEN];
    unit[..4].copy_from_slice(&(LEN as u32 - 4).to_be_bytes());
    // Type 6 is SEI, payload type 5 is user data unregistered.
    unit[4..7].copy_from_slice(&[6, 5, (MARK.len() + DIGITS) as u8]);
    unit[7..23].copy_from_slice(MARK);
    unit[23..39].copy_from_slice(format!("{micros:016x}").as_bytes());
    unit[39] = 0x80;
    unit
}

/// The last stamp in these bytes.
pub fn newest(bytes: &[u8]) -> Option<u64> {
    read(bytes, memmem::rfind(bytes, MARK)?)
}

/// The first stamp in these bytes.
pub fn first(bytes: &[u8]) -> Option<u64> {
    read(bytes, memmem::find(bytes, MARK)?)
}

fn read(bytes: &[u8], at: usize) -> Option<u64> {
    let digits = bytes.get(at + MARK.len()..at + MARK.len() + DIGITS)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back() {
        let bytes = [
            b"before".as_slice(),
            &nal_unit(1),
            b"between",
            &nal_unit(1_700_000_000_000_000),
            b"after",
        ]
        .concat();
        assert_eq!(first(&bytes), Some(1));
        assert_eq!(newest(&bytes), Some(1_700_000_000_000_000));
    }
}
