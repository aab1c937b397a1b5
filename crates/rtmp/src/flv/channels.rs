//! Which loudspeaker each channel is for: `MultichannelConfig` of Enhanced RTMP v2.

use media::{ChannelLayout, ChannelOrder};

use crate::fields::Fields;

const UNSPECIFIED: u8 = 0;
const NATIVE: u8 = 1;
const CUSTOM: u8 = 2;

/// Reads a layout; `Some(None)` for an order of the future, `None` if it is cut off.
pub(super) fn read(bytes: &[u8]) -> Option<Option<ChannelLayout>> {
    let mut fields = Fields::new(bytes);
    let order = fields.u8()?;
    let channels = fields.u8()?;
    let order = match order {
        UNSPECIFIED => ChannelOrder::Unspecified,
        NATIVE => ChannelOrder::Native(fields.be32()?),
        CUSTOM => ChannelOrder::Custom(fields.slice(usize::from(channels))?.to_vec()),
        _ => return Some(None),
    };
    Some(Some(ChannelLayout { channels, order }))
}

pub(super) fn write(layout: &ChannelLayout) -> Vec<u8> {
    let channels = layout.channels;
    match &layout.order {
        ChannelOrder::Unspecified => vec![UNSPECIFIED, channels],
        ChannelOrder::Native(loudspeakers) => [&[NATIVE, channels][..], &loudspeakers.to_be_bytes()].concat(),
        ChannelOrder::Custom(loudspeakers) => {
            let of_each = loudspeakers.iter().take(usize::from(channels));
            [CUSTOM, channels].iter().chain(of_each).copied().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_its_form_on_the_wire() {
        let layout = |channels, order| ChannelLayout { channels, order };
        let table: [(&str, ChannelLayout, &[u8]); 3] = [
            ("only a number", layout(2, ChannelOrder::Unspecified), b"\0\x02"),
            ("5.1", layout(6, ChannelOrder::Native(0x3f)), b"\x01\x06\0\0\0\x3f"),
            (
                "its own",
                layout(3, ChannelOrder::Custom(vec![1, 0, 255])),
                b"\x02\x03\x01\0\xff",
            ),
        ];
        for (name, layout, bytes) in table {
            assert_eq!(write(&layout), bytes, "{name} written");
            assert_eq!(read(bytes), Some(Some(layout)), "{name} read");
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), None, "{name} cut at {end}");
            }
        }
        assert_eq!(read(b"\x03\x02"), Some(None), "an order to come");
    }
}
