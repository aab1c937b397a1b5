/// Which loudspeaker each channel of an audio track is for, where its container says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelLayout {
    /// How many there are.
    pub channels: u8,
    /// What they are for.
    pub order: ChannelOrder,
}

/// What the channels of a layout are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Nobody knows.
    Unspecified,
    /// One bit for each loudspeaker there is, in the order of the channels: bit 0 is front left, as in SMPTE ST 2036-2.
    Native(u32),
    /// A loudspeaker's number for each channel: those of the bits above, 254 for none, 255 for one that nobody knows.
    Custom(Vec<u8>),
}
