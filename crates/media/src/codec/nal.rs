//! NAL units as MP4 and FLV carry them: each behind its length, with emulation prevention bytes inside.

use bytes::{BufMut, Bytes, BytesMut};

/// The NAL units of a sample; `length_size` is 1, 2 or 4. Ends early where a length does not fit.
pub(super) fn units(sample: &[u8], length_size: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = sample;
    std::iter::from_fn(move || {
        let (prefix, after) = rest
            .split_at_checked(length_size)
            .filter(|(prefix, _)| !prefix.is_empty())?;
        let length = prefix
            .iter()
            .fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
        let (unit, after) = after.split_at_checked(length)?;
        rest = after;
        Some(unit)
    })
}

/// The payload of a NAL unit behind its header of `header` bytes, without emulation prevention (§7.4.1.1), at most
/// `max` bytes of it.
pub(super) fn payload(unit: &[u8], header: usize, max: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(unit.len().min(max));
    let mut zeros = 0_u8;
    for &byte in unit.iter().skip(header).take(max) {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros.saturating_add(1) } else { 0 };
        payload.push(byte);
    }
    payload
}

/// `sample` without the NAL units that `unwanted` names. A slice where they stand at the front, as they nearly
/// always do; a copy otherwise.
pub(super) fn without(sample: Bytes, length_size: usize, unwanted: impl Fn(&[u8]) -> bool) -> Bytes {
    if !units(&sample, length_size).any(&unwanted) {
        return sample;
    }
    let mut leading = 0_usize;
    for unit in units(&sample, length_size).take_while(|unit| unwanted(unit)) {
        leading = leading.saturating_add(length_size).saturating_add(unit.len());
    }
    let sample = if leading < sample.len() {
        sample.slice(leading..)
    } else {
        return Bytes::new();
    };
    if units(&sample, length_size).any(&unwanted) {
        copy_without(&sample, length_size, unwanted)
    } else {
        sample
    }
}

fn copy_without(sample: &[u8], length_size: usize, unwanted: impl Fn(&[u8]) -> bool) -> Bytes {
    let mut kept = BytesMut::with_capacity(sample.len());
    for unit in units(sample, length_size).filter(|unit| !unwanted(unit)) {
        kept.put_uint(unit.len() as u64, length_size);
        kept.extend_from_slice(unit);
    }
    kept.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_does_not_fit_ends_the_sample() {
        let read: Vec<&[u8]> = units(&[0, 1, 7, 0, 9, 1, 2], 2).collect();
        assert_eq!(read, [&[7_u8][..]]);
    }

    #[test]
    fn a_length_of_no_bytes_finds_no_units() {
        assert_eq!(units(&[1, 7], 0).count(), 0);
    }

    #[test]
    fn emulation_prevention_is_removed() {
        assert_eq!(payload(&[0x67, 0, 0, 3, 0, 0, 3, 1, 3], 1, 100), [0, 0, 0, 0, 1, 3]);
    }

    #[test]
    fn unwanted_units_at_the_front_are_sliced_away_without_a_copy() {
        let sample = Bytes::from_static(&[0, 1, 7, 0, 1, 8, 0, 2, 5, 5]);
        let kept = without(sample.clone(), 2, |unit| matches!(unit, [7 | 8, ..]));
        assert_eq!(kept, [0, 2, 5, 5][..]);
        assert_eq!(kept.as_ptr(), sample.slice(6..).as_ptr());
    }

    #[test]
    fn unwanted_units_further_back_are_left_out_too() {
        let sample = Bytes::from_static(&[0, 1, 9, 0, 1, 7, 0, 2, 5, 5, 0, 1, 7]);
        let kept = without(sample, 2, |unit| matches!(unit, [7, ..]));
        assert_eq!(kept, [0, 1, 9, 0, 2, 5, 5][..]);
    }
}
