//! ModEx: what refines or extends the packet behind it (Enhanced RTMP v2, "Enhanced Video" and "Enhanced Audio").

use super::packet::Head;
use super::{Error, TagHeader, packet_type};
use crate::fields::{Fields, be24};

/// Modifiers before one packet. There is one kind today.
pub const MODIFIERS_MAX: usize = 8;

const TIMESTAMP_OFFSET_NANO: u8 = 0;
/// One millisecond: what RTMP's own timestamps say is never said again here.
const OFFSET_NS_END: u32 = 1_000_000;

/// Reads modifiers up to the packet that they are about; those of unknown kinds are passed over.
pub(super) fn read(fields: &mut Fields<'_>, head: &mut Head, cut: Error) -> Result<(), Error> {
    for _ in 0..MODIFIERS_MAX {
        if head.packet != packet_type::MODIFIER {
            return Ok(());
        }
        let len = length(fields).ok_or(cut)?;
        let data = fields.slice(len).ok_or(cut)?;
        let kinds = fields.u8().ok_or(cut)?;
        head.packet = kinds & 0x0f;
        if kinds >> 4 == TIMESTAMP_OFFSET_NANO {
            head.offset_ns = offset_ns(data).unwrap_or(head.offset_ns);
        }
    }
    if head.packet == packet_type::MODIFIER {
        return Err(Error::TooManyModifiers);
    }
    Ok(())
}

/// One byte for 1 to 255 bytes; where it says 256, two more bytes say the length instead.
fn length(fields: &mut Fields<'_>) -> Option<usize> {
    let short = usize::from(fields.u8()?).saturating_add(1);
    if short < 256 {
        return Some(short);
    }
    Some(usize::from(fields.be16()?).saturating_add(1))
}

/// An offset of a millisecond and more is no offset.
fn offset_ns(data: &[u8]) -> Option<u32> {
    let offset = Fields::new(data).be24()?;
    (offset < OFFSET_NS_END).then_some(offset)
}

/// Writes the modifier for an offset, if there is one, before `packet`; returns the packet type that the message begins with.
pub(super) fn write(out: &mut TagHeader, offset_ns: u32, first: u8, packet: u8) {
    if offset_ns == 0 {
        out.push(&[first | packet]);
        return;
    }
    const LEN_MINUS_ONE: u8 = 2;
    out.push(&[first | packet_type::MODIFIER, LEN_MINUS_ONE]);
    out.push(&be24(offset_ns.min(OFFSET_NS_END.saturating_sub(1))));
    out.push(&[(TIMESTAMP_OFFSET_NANO << 4) | packet]);
}
