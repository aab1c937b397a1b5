//! Several tracks in one message (Enhanced RTMP v2, "Multitrack Streaming").

use bytes::Bytes;

use super::Error;
use crate::fields::Fields;

/// Tracks in one message.
pub const TRACKS_MAX: usize = 16;

/// How the tracks of a message are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One track.
    One,
    /// Several of the same codec.
    Many,
    /// Several, each with its codec.
    ManyCodecs,
}

impl Form {
    pub(super) fn from_wire(form: u8) -> Option<Self> {
        match form {
            0 => Some(Self::One),
            1 => Some(Self::Many),
            2 => Some(Self::ManyCodecs),
            _ => None,
        }
    }

    pub(super) fn to_wire(self) -> u8 {
        match self {
            Self::One => 0,
            Self::Many => 1,
            Self::ManyCodecs => 2,
        }
    }
}

/// One track's bytes.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) fourcc: [u8; 4],
    pub(super) track: u8,
    pub(super) data: Bytes,
}

/// The tracks that follow a message's head.
#[derive(Debug)]
pub(super) struct Tracks {
    form: Form,
    /// The codec of all of them, unless each says its own.
    shared: Option<[u8; 4]>,
    rest: Bytes,
    read: usize,
}

impl Tracks {
    pub(super) fn new(form: Form, shared: Option<[u8; 4]>, rest: Bytes) -> Self {
        Self {
            form,
            shared,
            rest,
            read: 0,
        }
    }

    /// The next track. A message has at least one; `cut` if it ends inside of it.
    pub(super) fn next(&mut self, cut: Error) -> Option<Result<Part, Error>> {
        if self.read > 0 && (self.form == Form::One || self.rest.is_empty()) {
            return None;
        }
        if self.read >= TRACKS_MAX {
            return Some(Err(Error::TooManyTracks));
        }
        self.read = self.read.saturating_add(1);
        Some(self.part().ok_or(cut))
    }

    fn part(&mut self) -> Option<Part> {
        let mut fields = Fields::new(&self.rest);
        let fourcc = match self.shared {
            Some(fourcc) => fourcc,
            None => fields.array()?,
        };
        let track = fields.u8()?;
        let len = match self.form {
            Form::One => fields.rest().len(),
            Form::Many | Form::ManyCodecs => fields.be24()? as usize,
        };
        let before = self.rest.len().checked_sub(fields.rest().len())?;
        fields.slice(len)?;
        let mut data = self.rest.split_off(before);
        self.rest = data.split_off(len);
        Some(Part { fourcc, track, data })
    }
}
