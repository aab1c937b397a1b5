//! Messages that carry several tracks at once.

use super::header::Shape;
use super::packet::Body;
use super::{Form, Packet, TRACKS_MAX, TagHeader};
use crate::fields::be24;

/// One message with all these packets, which are of one kind and for one time. `None` where a message cannot hold them: there are
/// none or too many, their kinds or times differ, or one of them is too large.
#[expect(private_bounds, reason = "nobody but this module makes bodies")]
pub fn write_several<B: Body>(packets: &[Packet<B>]) -> Option<Vec<u8>> {
    let first = packets.first()?;
    let shapes = packets.iter().map(|packet| packet.body.shape());
    let shapes: Vec<Shape> = shapes.collect::<Option<_>>()?;
    let head = *shapes.first()?;
    let alike = |shape: &Shape| (shape.first, shape.packet) == (head.first, head.packet);
    let same_time = packets.iter().all(|packet| packet.offset_ns == first.offset_ns);
    if packets.len() > TRACKS_MAX || !same_time || !shapes.iter().all(alike) {
        return None;
    }
    let same_codec = shapes.iter().all(|shape| shape.fourcc == head.fourcc);
    let form = if same_codec { Form::Many } else { Form::ManyCodecs };
    let mut header = TagHeader::default();
    head.begin_tracks(&mut header, first.offset_ns, form);
    let mut out = header.to_vec();
    for (packet, shape) in packets.iter().zip(&shapes) {
        write_part(&mut out, packet, shape, form)?;
    }
    Some(out)
}

fn write_part<B: Body>(out: &mut Vec<u8>, packet: &Packet<B>, shape: &Shape, form: Form) -> Option<()> {
    let data = packet.body.payload();
    let cts: &[u8] = shape.cts.as_ref().map_or(&[], |cts| cts);
    let len = u32::try_from(data.len().checked_add(cts.len())?).ok()?;
    if len >= 1 << 24 {
        return None;
    }
    if form == Form::ManyCodecs {
        out.extend_from_slice(shape.fourcc.as_bytes());
    }
    out.push(packet.track);
    out.extend_from_slice(&be24(len));
    out.extend_from_slice(cts);
    out.extend_from_slice(&data);
    Some(())
}
