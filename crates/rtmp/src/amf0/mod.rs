//! Action Message Format 0: the values that commands and metadata are made of.

mod read;
mod value;
mod write;

pub use read::{Budget, Reader};
pub use value::{Properties, Value};
pub use write::write;

/// Why bytes are not AMF0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end inside a value.
    #[error("a value is cut off")]
    Truncated,
    /// A type that AMF0 does not have, or reserves.
    #[error("type marker is not known: {0:#04x}")]
    Marker(u8),
    /// Nested too deeply.
    #[error("values are nested more than {0} deep")]
    Depth(usize),
    /// Too many values.
    #[error("more than {0} values")]
    Count(usize),
    /// A value of another type was needed here.
    #[error("{0} is missing or of the wrong type")]
    Expected(&'static str),
}

mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0a;
    pub(super) const DATE: u8 = 0x0b;
    pub(super) const LONG_STRING: u8 = 0x0c;
    pub(super) const UNSUPPORTED: u8 = 0x0d;
    pub(super) const XML: u8 = 0x0f;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<(&'static str, Value, Vec<u8>)> {
        vec![
            ("number", Value::Number(1.0), b"\x00\x3f\xf0\0\0\0\0\0\0".to_vec()),
            ("boolean", Value::Boolean(true), b"\x01\x01".to_vec()),
            ("string", Value::from("live"), b"\x02\0\x04live".to_vec()),
            (
                "object",
                Value::Object(vec![("app".into(), Value::from("x"))]),
                b"\x03\0\x03app\x02\0\x01x\0\0\x09".to_vec(),
            ),
            ("null", Value::Null, b"\x05".to_vec()),
            ("undefined", Value::Undefined, b"\x06".to_vec()),
            ("reference", Value::Reference(258), b"\x07\x01\x02".to_vec()),
            (
                "ecma array",
                Value::EcmaArray(vec![("a".into(), Value::Null)]),
                b"\x08\0\0\0\x01\0\x01a\x05\0\0\x09".to_vec(),
            ),
            (
                "strict array",
                Value::StrictArray(vec![Value::Null, Value::Boolean(false)]),
                b"\x0a\0\0\0\x02\x05\x01\0".to_vec(),
            ),
            (
                "date",
                Value::Date {
                    unix_ms: 1.0,
                    zone: -60,
                },
                b"\x0b\x3f\xf0\0\0\0\0\0\0\xff\xc4".to_vec(),
            ),
            ("unsupported", Value::Unsupported, b"\x0d".to_vec()),
            ("xml", Value::Xml("<a/>".into()), b"\x0f\0\0\0\x04<a/>".to_vec()),
            (
                "typed object",
                Value::Typed {
                    class: "C".into(),
                    properties: vec![("k".into(), Value::Null)],
                },
                b"\x10\0\x01C\0\x01k\x05\0\0\x09".to_vec(),
            ),
        ]
    }

    #[test]
    fn every_type_has_its_form_on_the_wire() {
        for (name, value, bytes) in table() {
            let mut out = Vec::new();
            write(&mut out, &value);
            assert_eq!(out, bytes, "{name} written");
            assert_eq!(Reader::new(&bytes, Budget::default()).value(), Ok(value), "{name} read");
        }
    }

    #[test]
    fn a_value_cut_anywhere_is_an_error_and_never_a_panic() {
        for (name, _, bytes) in table() {
            for end in 0..bytes.len() {
                let cut = Reader::new(&bytes[..end], Budget::default()).value();
                let end_marker_missing = name == "ecma array" && cut.is_ok();
                assert!(
                    cut == Err(Error::Truncated) || end_marker_missing,
                    "{name} cut at {end}: {cut:?}"
                );
            }
        }
    }

    #[test]
    fn a_string_too_long_for_sixteen_bits_becomes_a_long_string() {
        let value = Value::String("x".repeat(70_000));
        let mut out = Vec::new();
        write(&mut out, &value);
        assert_eq!(out.first(), Some(&0x0c));
        assert_eq!(Reader::new(&out, Budget::default()).value(), Ok(value));
    }

    #[test]
    fn twenty_thousand_nested_objects_do_not_reach_the_stack() {
        let bytes = b"\x03\0\x01a".repeat(20_000);
        assert_eq!(Reader::new(&bytes, Budget::default()).value(), Err(Error::Depth(16)));
    }

    #[test]
    fn an_array_that_promises_two_thousand_million_values_reserves_none_of_them() {
        let bytes = b"\x0a\x7f\xff\xff\xff".repeat(3);
        assert_eq!(Reader::new(&bytes, Budget::default()).value(), Err(Error::Truncated));
        let mut bytes = b"\x0a\x7f\xff\xff\xff".to_vec();
        bytes.extend_from_slice(&[0x05; 10_000]);
        assert_eq!(Reader::new(&bytes, Budget::default()).value(), Err(Error::Count(4_096)));
    }

    #[test]
    fn an_array_whose_end_marker_is_left_out_is_read_to_the_end() {
        let bytes = b"\x08\0\0\0\x01\0\x05width\x00\x40\x94\0\0\0\0\0\0";
        let value = Reader::new(bytes, Budget::default()).value().unwrap();
        assert_eq!(value.property("width").and_then(Value::as_number), Some(1280.0));
    }

    #[test]
    fn an_amf3_value_is_refused_by_its_marker() {
        assert_eq!(
            Reader::new(b"\x11\x04\x01", Budget::default()).value(),
            Err(Error::Marker(0x11))
        );
    }
}
