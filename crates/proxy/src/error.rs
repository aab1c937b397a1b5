/// Why what a proxy says cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first version's line does not end, or is not one.
    #[error("a PROXY line that cannot be understood")]
    Line,
    /// A version that does not exist yet.
    #[error("version {0} of the PROXY protocol is unknown")]
    Version(u8),
    /// A command that does not exist yet.
    #[error("command {0} of the PROXY protocol is unknown")]
    Command(u8),
    /// A kind of address that has no place on a TCP connection.
    #[error("address family {0:#04x} of the PROXY protocol has no place here")]
    Family(u8),
    /// The addresses are longer than the header.
    #[error("a PROXY header of {0} bytes is too short for its addresses")]
    TooShort(usize),
    /// More than is read of a peer that has said nothing yet.
    #[error("a PROXY header of {len} bytes is over the limit of {max}")]
    TooLong {
        /// What the header says.
        len: usize,
        /// What is allowed.
        max: usize,
    },
}
