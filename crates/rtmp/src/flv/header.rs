use super::{Packet, modifier, multitrack::Form};

/// The few bytes that stand before the codec's own in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagHeader {
    bytes: [u8; Self::LEN_MAX],
    len: usize,
}

impl TagHeader {
    /// A modifier (6), the kinds of packet and of multitrack (2), a FourCC (4), a track (1) and a composition time (3).
    const LEN_MAX: usize = 16;

    pub(super) fn new(parts: &[&[u8]]) -> Self {
        let mut header = Self::default();
        parts.iter().for_each(|part| header.push(part));
        header
    }

    pub(super) fn push(&mut self, part: &[u8]) {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        let len = free.iter_mut().zip(part).map(|(place, byte)| *place = *byte).count();
        self.len = self.len.saturating_add(len);
    }
}

impl std::ops::Deref for TagHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What stands before one packet in its message, when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The upper bits of the message's first byte.
    pub(super) first: u8,
    /// What a message of several tracks is called.
    pub(super) multitrack: u8,
    /// The packet type.
    pub(super) packet: u8,
    /// The codec.
    pub(super) fourcc: &'static str,
    /// The composition time, where the codec has one here.
    pub(super) cts: Option<[u8; 3]>,
}

impl Shape {
    /// The header of a message with this packet alone.
    pub(super) fn alone<B>(&self, packet: &Packet<B>) -> TagHeader {
        let mut out = TagHeader::default();
        if packet.track == 0 {
            modifier::write(&mut out, packet.offset_ns, self.first, self.packet);
            out.push(self.fourcc.as_bytes());
        } else {
            self.begin_tracks(&mut out, packet.offset_ns, Form::One);
            out.push(&[packet.track]);
        }
        out.push(self.cts.as_ref().map_or(&[], |cts| cts));
        out
    }

    /// The beginning of a message with several tracks, up to the first of them.
    pub(super) fn begin_tracks(&self, out: &mut TagHeader, offset_ns: u32, form: Form) {
        modifier::write(out, offset_ns, self.first, self.multitrack);
        out.push(&[(form.to_wire() << 4) | self.packet]);
        if form != Form::ManyCodecs {
            out.push(self.fourcc.as_bytes());
        }
    }
}
