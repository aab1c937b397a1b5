use bytes::Bytes;

use super::header::Shape;
use super::{Error, TagHeader, modifier, multitrack, packet_type};
use crate::fields::Fields;

/// One track's part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<B> {
    /// The track as its encoder numbers it. 0 is the main one, and what a message without numbers means.
    pub track: u8,
    /// What is to be added to the message's time, in nanoseconds; less than a millisecond.
    pub offset_ns: u32,
    /// What the part holds.
    pub body: B,
}

impl<B> Packet<B> {
    /// A packet of the main track, at the message's time.
    pub fn main(body: B) -> Self {
        Self {
            track: 0,
            offset_ns: 0,
            body,
        }
    }
}

/// What the whole of an enhanced message says of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Video's frame type; zero for audio.
    pub(super) frame: u8,
    /// What the parts are: one of [`packet_type`].
    pub(super) packet: u8,
    /// The time that a modifier adds.
    pub(super) offset_ns: u32,
}

/// What the messages of one kind of media hold.
pub(crate) trait Body: Sized {
    /// The packet type that says that several tracks follow.
    const MULTITRACK: u8;
    /// For errors.
    const CUT: Error;

    /// Whether a message with this head ends with it.
    fn without_parts(head: Head) -> Option<Self>;

    /// A message of a form that came later than this crate.
    fn of_unknown_form(form: u8) -> Self;

    /// Reads one track's part: what follows its codec and number.
    fn read_part(head: Head, fourcc: [u8; 4], part: Bytes) -> Result<Self, Error>;

    /// What stands before it as a packet of the main track; `None` if it is nothing that is written.
    fn plain_header(&self) -> Option<TagHeader>;

    /// What stands before it where it needs the enhanced form; `None` if it is nothing that is written.
    fn shape(&self) -> Option<Shape>;

    /// What stands behind that.
    fn payload(&self) -> Bytes;
}

#[expect(private_bounds, reason = "nobody but this module makes bodies")]
impl<B: Body> Packet<B> {
    /// What stands before the packet's own bytes in a message with it alone: the classic form where that says it all.
    /// `None` if it is nothing that is written.
    pub fn header(&self) -> Option<TagHeader> {
        if self.track == 0 && self.offset_ns == 0 {
            return self.body.plain_header();
        }
        Some(self.body.shape()?.alone(self))
    }

    /// The packet's own bytes: a configuration, a frame, nothing.
    pub fn payload(&self) -> Bytes {
        self.body.payload()
    }

    /// A message with this packet alone; copies it.
    pub fn write(&self) -> Option<Vec<u8>> {
        Some([&self.header()?[..], &self.payload()].concat())
    }
}

/// The packets of one message: one, or one for each track in it. After an error there are no more.
#[derive(Debug)]
pub struct Packets<B> {
    head: Head,
    rest: Rest<B>,
}

#[derive(Debug)]
enum Rest<B> {
    /// A packet that fills its message, or why there is none.
    Whole(Result<Packet<B>, Error>),
    /// Tracks that follow.
    Tracks(multitrack::Tracks),
    Nothing,
}

impl<B> Packets<B> {
    /// None at all.
    pub(super) fn none() -> Self {
        Self {
            head: Head {
                frame: 0,
                packet: 0,
                offset_ns: 0,
            },
            rest: Rest::Nothing,
        }
    }

    /// A message without an enhanced header.
    pub(super) fn classic(body: Result<B, Error>) -> Self {
        Self {
            rest: Rest::Whole(body.map(Packet::main)),
            ..Self::none()
        }
    }
}

#[expect(private_bounds, reason = "nobody but this module makes bodies")]
impl<B: Body> Packets<B> {
    /// An enhanced message whose first byte has been taken from `fields`, and that says that it is of this frame type and packet type.
    pub(super) fn enhanced(tag: &Bytes, mut fields: Fields<'_>, frame: u8, packet: u8) -> Self {
        let mut head = Head {
            frame,
            packet,
            offset_ns: 0,
        };
        let rest = match Self::begin(tag, &mut fields, &mut head) {
            Ok(rest) => rest,
            Err(error) => Rest::Whole(Err(error)),
        };
        Self { head, rest }
    }

    fn begin(tag: &Bytes, fields: &mut Fields<'_>, head: &mut Head) -> Result<Rest<B>, Error> {
        if head.packet == packet_type::MODIFIER {
            modifier::read(fields, head, B::CUT)?;
        }
        if let Some(body) = B::without_parts(*head) {
            return Ok(Rest::Whole(Ok(head.packet_of(0, body))));
        }
        if head.packet == B::MULTITRACK {
            return Self::begin_tracks(tag, fields, head);
        }
        let fourcc = fields.array().ok_or(B::CUT)?;
        let body = B::read_part(*head, fourcc, super::tail(tag, fields.rest().len()))?;
        Ok(Rest::Whole(Ok(head.packet_of(0, body))))
    }

    fn begin_tracks(tag: &Bytes, fields: &mut Fields<'_>, head: &mut Head) -> Result<Rest<B>, Error> {
        let byte = fields.u8().ok_or(B::CUT)?;
        head.packet = byte & 0x0f;
        if head.packet == B::MULTITRACK {
            return Err(Error::Nested);
        }
        let Some(form) = multitrack::Form::from_wire(byte >> 4) else {
            let body = B::of_unknown_form(byte >> 4);
            return Ok(Rest::Whole(Ok(head.packet_of(0, body))));
        };
        let shared = match form {
            multitrack::Form::ManyCodecs => None,
            multitrack::Form::One | multitrack::Form::Many => Some(fields.array().ok_or(B::CUT)?),
        };
        let rest = super::tail(tag, fields.rest().len());
        Ok(Rest::Tracks(multitrack::Tracks::new(form, shared, rest)))
    }

    fn next_track(&mut self) -> Option<Result<Packet<B>, Error>> {
        let Rest::Tracks(tracks) = &mut self.rest else {
            return None;
        };
        let packet = tracks.next(B::CUT)?.and_then(|part| {
            let body = B::read_part(self.head, part.fourcc, part.data)?;
            Ok(self.head.packet_of(part.track, body))
        });
        if packet.is_err() {
            self.rest = Rest::Nothing;
        }
        Some(packet)
    }
}

impl Head {
    fn packet_of<B>(self, track: u8, body: B) -> Packet<B> {
        Packet {
            track,
            offset_ns: self.offset_ns,
            body,
        }
    }
}

impl<B: Body> Iterator for Packets<B> {
    type Item = Result<Packet<B>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Rest::Tracks(_) = self.rest {
            return self.next_track();
        }
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Whole(packet) => Some(packet),
            Rest::Tracks(_) | Rest::Nothing => None,
        }
    }
}
