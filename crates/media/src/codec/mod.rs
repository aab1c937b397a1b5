//! Codec headers: from a configuration record to [`Parameters`](crate::Parameters), and what else a server must know of a bitstream.
