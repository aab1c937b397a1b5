use super::{Value, marker};

/// Appends `value` to `out`.
///
/// Names of properties and classes are cut at 65,535 bytes, which is all that their length field can say.
pub fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Number(number) => {
            out.push(marker::NUMBER);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(truth) => out.extend_from_slice(&[marker::BOOLEAN, u8::from(*truth)]),
        Value::String(text) => string(out, text),
        Value::Object(properties) => {
            out.push(marker::OBJECT);
            object_body(out, properties);
        }
        Value::Null => out.push(marker::NULL),
        Value::Undefined => out.push(marker::UNDEFINED),
        Value::Reference(number) => {
            out.push(marker::REFERENCE);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::EcmaArray(properties) => {
            out.push(marker::ECMA_ARRAY);
            count(out, properties.len());
            object_body(out, properties);
        }
        Value::StrictArray(values) => {
            out.push(marker::STRICT_ARRAY);
            count(out, values.len());
            values.iter().for_each(|value| write(out, value));
        }
        Value::Date { unix_ms, zone } => {
            out.push(marker::DATE);
            out.extend_from_slice(&unix_ms.to_be_bytes());
            out.extend_from_slice(&zone.to_be_bytes());
        }
        Value::Unsupported => out.push(marker::UNSUPPORTED),
        Value::Xml(text) => {
            out.push(marker::XML);
            long_text(out, text);
        }
        Value::Typed { class, properties } => {
            out.push(marker::TYPED_OBJECT);
            name(out, class);
            object_body(out, properties);
        }
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    if text.len() > usize::from(u16::MAX) {
        out.push(marker::LONG_STRING);
        long_text(out, text);
    } else {
        out.push(marker::STRING);
        name(out, text);
    }
}

fn object_body(out: &mut Vec<u8>, properties: &[(String, Value)]) {
    for (key, value) in properties {
        name(out, key);
        write(out, value);
    }
    out.extend_from_slice(&[0, 0, marker::OBJECT_END]);
}

fn name(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let text = text.get(..end).unwrap_or_default();
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn long_text(out: &mut Vec<u8>, text: &str) {
    count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn count(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}
