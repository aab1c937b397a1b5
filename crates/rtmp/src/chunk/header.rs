use super::EXTENDED;
use crate::fields::Fields;

/// How much of the previous header on its chunk stream a header repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Type 0: nothing; the time is absolute.
    Full { length: u32, kind: u8, stream: u32 },
    /// Type 1: the message stream.
    SameStream { length: u32, kind: u8 },
    /// Type 2: all but the time.
    SameLength,
    /// Type 3: everything.
    Continuation,
}

/// A chunk's header as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) chunk_stream: u32,
    pub(super) form: Form,
    /// The time or the difference of times; zero for a continuation.
    pub(super) time: u32,
    /// Whether the time stood behind the header.
    pub(super) extended: bool,
    /// Bytes of the header.
    pub(super) len: usize,
}

/// The longest header: three bytes of chunk stream, eleven of message, four of time.
pub(super) const LEN_MAX: usize = 18;

/// The header at the start of `bytes`; `None` when it is cut off.
///
/// `extended_before` tells the extended time of the last header on a chunk stream, if that had one.
pub(super) fn parse(bytes: &[u8], extended_before: impl Fn(u32) -> Option<u32>) -> Option<Header> {
    let mut fields = Fields::new(bytes);
    let (format, chunk_stream) = basic(&mut fields)?;
    let mut time = if format < 3 { fields.be24()? } else { 0 };
    let form = match format {
        0 => Form::Full {
            length: fields.be24()?,
            kind: fields.u8()?,
            stream: fields.le32()?,
        },
        1 => Form::SameStream {
            length: fields.be24()?,
            kind: fields.u8()?,
        },
        2 => Form::SameLength,
        _ => Form::Continuation,
    };
    let extended = if form == Form::Continuation {
        skip_repeated_time(&mut fields, extended_before(chunk_stream))?
    } else {
        time == EXTENDED
    };
    if extended && form != Form::Continuation {
        time = fields.be32()?;
    }
    let len = bytes.len().saturating_sub(fields.rest().len());
    Some(Header {
        chunk_stream,
        form,
        time,
        extended,
        len,
    })
}

/// The basic header (§5.3.1.1): the format and the chunk stream.
fn basic(fields: &mut Fields<'_>) -> Option<(u8, u32)> {
    let first = fields.u8()?;
    let chunk_stream = match first & 0x3f {
        0 => u32::from(fields.u8()?).saturating_add(64),
        1 => fields
            .array()
            .map(u16::from_le_bytes)
            .map(|id| u32::from(id).saturating_add(64))?,
        id => u32::from(id),
    };
    Some((first >> 6, chunk_stream))
}

// §5.3.1.3 repeats the extended timestamp on continuation chunks, yet some encoders leave it out:
// take it only if it equals the one of the first chunk. Comparing byte by byte decides as early as can be,
// so that a message whose last chunk is shorter than a timestamp does not wait for the next message.
fn skip_repeated_time(fields: &mut Fields<'_>, before: Option<u32>) -> Option<bool> {
    let Some(before) = before else {
        return Some(false);
    };
    let before = before.to_be_bytes();
    let same = fields
        .rest()
        .iter()
        .zip(before)
        .take_while(|(found, expected)| **found == *expected)
        .count();
    if same == before.len() {
        fields.be32()?;
        return Some(true);
    }
    (same < fields.rest().len()).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_type_has_its_form_on_the_wire() {
        let full = Form::Full {
            length: 5,
            kind: 9,
            stream: 1,
        };
        let table: [(&str, &[u8], Header); 8] = [
            (
                "type 0",
                b"\x04\0\0\x0a\0\0\x05\x09\x01\0\0\0",
                Header {
                    chunk_stream: 4,
                    form: full,
                    time: 10,
                    extended: false,
                    len: 12,
                },
            ),
            (
                "type 0 with extended time",
                b"\x04\xff\xff\xff\0\0\x05\x09\x01\0\0\0\x01\0\0\0",
                Header {
                    chunk_stream: 4,
                    form: full,
                    time: 1 << 24,
                    extended: true,
                    len: 16,
                },
            ),
            (
                "type 1",
                b"\x44\0\0\x0a\0\0\x05\x08",
                Header {
                    chunk_stream: 4,
                    form: Form::SameStream { length: 5, kind: 8 },
                    time: 10,
                    extended: false,
                    len: 8,
                },
            ),
            (
                "type 2",
                b"\x84\0\0\x0a",
                Header {
                    chunk_stream: 4,
                    form: Form::SameLength,
                    time: 10,
                    extended: false,
                    len: 4,
                },
            ),
            (
                "type 3",
                b"\xc4",
                Header {
                    chunk_stream: 4,
                    form: Form::Continuation,
                    time: 0,
                    extended: false,
                    len: 1,
                },
            ),
            (
                "two bytes of chunk stream",
                b"\xc0\xff",
                Header {
                    chunk_stream: 319,
                    form: Form::Continuation,
                    time: 0,
                    extended: false,
                    len: 2,
                },
            ),
            (
                "three bytes of chunk stream",
                b"\xc1\x01\x01",
                Header {
                    chunk_stream: 321,
                    form: Form::Continuation,
                    time: 0,
                    extended: false,
                    len: 3,
                },
            ),
            (
                "three bytes, the highest chunk stream",
                b"\xc1\xff\xff",
                Header {
                    chunk_stream: 65_599,
                    form: Form::Continuation,
                    time: 0,
                    extended: false,
                    len: 3,
                },
            ),
        ];
        for (name, bytes, header) in table {
            assert_eq!(parse(bytes, |_| None), Some(header), "{name}");
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end], |_| None), None, "{name} cut at {end}");
            }
        }
    }

    #[test]
    fn a_continuation_is_read_with_and_without_its_extended_time() {
        let before = |_| Some(0x0100_0002);
        let with = parse(b"\xc4\x01\0\0\x02rest", before).unwrap();
        assert_eq!((with.extended, with.len), (true, 5));
        let without = parse(b"\xc4payload", before).unwrap();
        assert_eq!((without.extended, without.len), (false, 1));
        assert_eq!(parse(b"\xc4\x01\0", before), None, "both are still possible");
        let decided = parse(b"\xc4\x01\0x", before).unwrap();
        assert_eq!((decided.extended, decided.len), (false, 1));
    }
}
