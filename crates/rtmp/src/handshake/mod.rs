//! The first 3,073 bytes each way: plain (§5.2) and with Adobe's digests, as server and as client.

mod client;
mod digest;
mod server;

pub use client::Client;
pub use server::Server;

use crate::Error;

/// Bytes of C1, S1, C2 and S2.
pub(crate) const PACKET_LEN: usize = 1_536;

const VERSION: u8 = 3;

type Packet = [u8; PACKET_LEN];

/// What to do after a piece of the handshake came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Waiting,
    /// These bytes are to be sent, and more are needed.
    Reply(Vec<u8>),
    /// The handshake is complete, after sending these bytes.
    Done(Vec<u8>),
}

fn check_version(first: u8) -> Result<(), Error> {
    match first {
        VERSION => Ok(()),
        6 | 8 | 9 => Err(Error::Encrypted { version: first }),
        0x16 => Err(Error::NotRtmp {
            first,
            guess: "perhaps TLS: rtmps:// has a port of its own",
        }),
        b'G' | b'P' | b'H' | b'O' | b'D' => Err(Error::NotRtmp {
            first,
            guess: "perhaps HTTP: the web has a port of its own",
        }),
        _ => Err(Error::NotRtmp {
            first,
            guess: "perhaps noise",
        }),
    }
}

/// Moves bytes from `input` to `buffer` until it holds `len`; returns whether it does.
fn fill(buffer: &mut Vec<u8>, len: usize, input: &mut &[u8]) -> bool {
    let missing = len.saturating_sub(buffer.len());
    let (taken, rest) = input.split_at(missing.min(input.len()));
    buffer.extend_from_slice(taken);
    *input = rest;
    buffer.len() >= len
}

/// The handshake wants bytes that differ from one connection to the next; no secret hangs on them.
fn noise(seed: u64, packet: &mut [u8]) {
    let mut state = seed;
    for piece in packet.chunks_mut(8) {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        piece
            .iter_mut()
            .zip(word.to_le_bytes())
            .for_each(|(byte, random)| *byte = random);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs both sides against each other, every flight cut into pieces of `piece` bytes.
    fn shake(mut client: Client, hello: Vec<u8>, piece: usize) -> (bool, bool) {
        let mut server = Server::new(7);
        let (mut to_server, mut to_client) = (hello, Vec::new());
        let (mut server_done, mut client_done) = (false, false);
        for _ in 0..4 {
            for bytes in std::mem::take(&mut to_server).chunks(piece) {
                let mut input = bytes;
                match server.handle_input(&mut input).unwrap() {
                    Progress::Waiting => {}
                    Progress::Reply(reply) => to_client.extend(reply),
                    Progress::Done(_) => server_done = true,
                }
            }
            for bytes in std::mem::take(&mut to_client).chunks(piece) {
                let mut input = bytes;
                match client.handle_input(&mut input).unwrap() {
                    Progress::Waiting => {}
                    Progress::Reply(reply) => to_server.extend(reply),
                    Progress::Done(reply) => {
                        to_server.extend(reply);
                        client_done = true;
                    }
                }
            }
        }
        (server_done, client_done)
    }

    #[test]
    fn plain_and_digest_handshakes_complete_however_they_are_split() {
        for piece in [1, 2, 1536, 1537, 4000] {
            let (client, hello) = Client::plain(1);
            assert_eq!(shake(client, hello, piece), (true, true), "plain in pieces of {piece}");
            let (client, hello) = Client::with_digest(1);
            assert_eq!(shake(client, hello, piece), (true, true), "digest in pieces of {piece}");
        }
    }

    #[test]
    fn a_plain_client_gets_its_own_bytes_back() {
        let (_, hello) = Client::plain(99);
        let Progress::Reply(reply) = Server::new(7).handle_input(&mut &hello[..]).unwrap() else {
            panic!("a reply is due");
        };
        assert_eq!(reply.len(), 1 + 2 * PACKET_LEN);
        assert_eq!(reply[1 + PACKET_LEN..], hello[1..]);
    }

    #[test]
    fn other_protocols_are_known_by_their_first_byte() {
        for (name, first, label) in [
            ("HTTP", b'G', "not_rtmp"),
            ("TLS", 0x16, "not_rtmp"),
            ("noise", 0xa5, "not_rtmp"),
            ("RTMPE", 6, "rtmpe"),
            ("RTMPE with Blowfish", 9, "rtmpe"),
        ] {
            let error = Server::new(7).handle_input(&mut &[first][..]).unwrap_err();
            assert_eq!(error.label(), label, "{name}");
        }
    }

    #[test]
    fn rtmpe_is_refused_with_the_way_out() {
        let error = Server::new(7).handle_input(&mut &[6][..]).unwrap_err();
        assert!(error.to_string().contains("use RTMPS"), "{error}");
    }

    #[test]
    fn bytes_after_the_handshake_are_left_for_the_chunk_stream() {
        let mut server = Server::new(7);
        let (_, mut bytes) = Client::plain(1);
        bytes.extend([0; PACKET_LEN]);
        bytes.extend(b"chunks");
        let mut input = &bytes[..];
        assert!(matches!(server.handle_input(&mut input), Ok(Progress::Reply(_))));
        assert!(matches!(server.handle_input(&mut input), Ok(Progress::Done(_))));
        assert_eq!(input, b"chunks");
    }
}
