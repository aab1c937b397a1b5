use media::{Kind, TrackId};
use rtmp::flv::Unused;

/// Why a message, or a part of it, is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Tag(#[from] rtmp::flv::Error),
    #[error(transparent)]
    Unused(#[from] Unused),
    #[error(transparent)]
    Codec(#[from] media::Error),
    #[error("media came before its configuration")]
    NoConfig,
    #[error("tracks are numbered from 0 to {max}: this one is not used", max = TrackId::SENT_MAX - 1)]
    TooManyTracks,
}

impl Trouble {
    /// One word for each trouble of each kind of media.
    pub(super) fn label(&self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Unused(unused), _) => unused.label(),
            (Self::Tag(_), Kind::Video) => "video tag",
            (Self::Tag(_), Kind::Audio) => "audio tag",
            (Self::Codec(_), Kind::Video) => "video configuration",
            (Self::Codec(_), Kind::Audio) => "audio configuration",
            (Self::NoConfig, Kind::Video) => "video before configuration",
            (Self::NoConfig, Kind::Audio) => "audio before configuration",
            (Self::TooManyTracks, Kind::Video) => "video tracks",
            (Self::TooManyTracks, Kind::Audio) => "audio tracks",
        }
    }

    /// Whether nothing is missing without it.
    pub(super) fn is_harmless(&self) -> bool {
        matches!(self, Self::Unused(Unused::Metadata | Unused::Command))
    }
}
