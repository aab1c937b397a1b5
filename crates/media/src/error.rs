/// Why codec parameters cannot be used. Always the encoder's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A configuration record or header ended before its fields did.
    #[error("{what} is cut off")]
    Truncated {
        /// The structure that was being read.
        what: &'static str,
    },
    /// A field has a value that the codec's specification forbids or that no player could use.
    #[error("{what} is not valid")]
    Invalid {
        /// The field or structure at fault.
        what: &'static str,
    },
}
