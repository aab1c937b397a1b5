use bytes::Bytes;
use media::Kind;

use super::{Event, Phase, Session};
use crate::{Message, command, fields::Fields, flv::Metadata, message::kind};

impl Session {
    // Media of nobody who publishes is dropped: a publisher that was refused may still have some on its way.
    pub(super) fn handle_media(&mut self, message: Message) {
        if let (Phase::Publishing { .. }, Some(kind)) = (&self.phase, media_kind(message.kind)) {
            self.events.push_back(Event::Media {
                kind,
                timestamp: message.timestamp,
                tag: message.payload,
            });
        }
    }

    /// Takes FLV tags out of one message (§7.1.6). Their times are relative to the message's.
    pub(super) fn handle_aggregate(&mut self, message: &Message) {
        let mut rest = message.payload.clone();
        let mut first_time = None;
        while let Some(tag) = split_tag(&mut rest) {
            let base = *first_time.get_or_insert(tag.timestamp);
            let offset = tag.timestamp.wrapping_sub(base);
            self.handle_media(Message {
                timestamp: message.timestamp.wrapping_add(offset),
                ..tag
            });
        }
    }

    pub(super) fn handle_data(&mut self, message: &Message) {
        if !matches!(self.phase, Phase::Publishing { .. }) {
            return;
        }
        // Metadata is a hint: what cannot be read is as good as missing.
        let Ok(values) = command::read_values(message, self.wire.budget()) else {
            return;
        };
        if let Some(metadata) = Metadata::read(&values) {
            self.events.push_back(Event::Metadata(metadata));
        }
    }
}

fn media_kind(kind: u8) -> Option<Kind> {
    match kind {
        kind::AUDIO => Some(Kind::Audio),
        kind::VIDEO => Some(Kind::Video),
        _ => None,
    }
}

/// The next tag of an aggregate: eleven bytes of header, the body, four bytes of length that nobody needs.
fn split_tag(rest: &mut Bytes) -> Option<Message> {
    const TRAILER_LEN: usize = 4;
    let mut fields = Fields::new(rest);
    let kind = fields.u8()?;
    let len = fields.be24()? as usize;
    let low = fields.be24()?;
    let high = u32::from(fields.u8()?);
    fields.slice(3)?;
    let header_len = rest.len().checked_sub(fields.rest().len())?;
    fields.slice(len)?;
    let mut body = rest.split_off(header_len);
    let after = body.split_off(len);
    *rest = after.slice(TRAILER_LEN.min(after.len())..);
    Some(Message {
        kind,
        stream: 0,
        timestamp: (high << 24) | low,
        payload: body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_falls_apart_into_its_tags() {
        let mut rest =
            Bytes::from_static(b"\x08\0\0\x02\0\0\x0a\0\0\0\0ab\0\0\0\x0d\x09\0\0\x01\0\0\x14\x01\0\0\0c\0\0\0\x0c");
        let first = split_tag(&mut rest).unwrap();
        assert_eq!((first.kind, first.timestamp, &first.payload[..]), (8, 10, &b"ab"[..]));
        let second = split_tag(&mut rest).unwrap();
        assert_eq!(
            (second.kind, second.timestamp, &second.payload[..]),
            (9, 0x0100_0014, &b"c"[..])
        );
        assert_eq!(split_tag(&mut rest), None);
    }

    #[test]
    fn a_tag_that_promises_more_than_the_aggregate_has_is_dropped() {
        assert_eq!(
            split_tag(&mut Bytes::from_static(b"\x08\0\0\x09\0\0\0\0\0\0\0ab")),
            None
        );
    }
}
