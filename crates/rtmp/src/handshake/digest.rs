use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{PACKET_LEN, Packet};

pub(super) const DIGEST_LEN: usize = 32;

/// The client's half of the key; the 32 bytes of [`COMMON`] follow it in a signature.
const CLIENT: &[u8] = b"Genuine Adobe Flash Player 001";
/// The server's half of the key.
const SERVER: &[u8] = b"Genuine Adobe Flash Media Server 001";
const COMMON: &[u8] = &[
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57, 0x6e, 0xec, 0x5d,
    0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

/// Who wrote a packet.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Client,
    Server,
}

/// Where in the packet the digest's offset stands. There are two schemes, and peers use either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Late,
    Early,
}

impl Side {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Client => CLIENT,
            Self::Server => SERVER,
        }
    }
}

/// The digest in `packet`, if it has a true one.
pub(super) fn find(packet: &Packet, side: Side) -> Option<(Scheme, [u8; DIGEST_LEN])> {
    [Scheme::Late, Scheme::Early].into_iter().find_map(|scheme| {
        let at = offset(packet, scheme);
        let found = *packet.get(at..)?.first_chunk::<DIGEST_LEN>()?;
        (found == packet_digest(packet, at, side)).then_some((scheme, found))
    })
}

/// Puts a digest into `packet` and returns it.
pub(super) fn imprint(packet: &mut Packet, scheme: Scheme, side: Side) -> [u8; DIGEST_LEN] {
    let at = offset(packet, scheme);
    let digest = packet_digest(packet, at, side);
    if let Some(place) = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = digest;
    }
    digest
}

/// Signs `packet`, the answer to a packet that carried `digest`, in its last 32 bytes.
pub(super) fn sign(packet: &mut Packet, digest: &[u8; DIGEST_LEN], side: Side) {
    let key = hmac(&[side.key(), COMMON].concat(), &[digest]);
    let (body, signature) = packet.split_at_mut(PACKET_LEN.saturating_sub(DIGEST_LEN));
    signature.copy_from_slice(&hmac(&key, &[body]));
}

fn offset(packet: &Packet, scheme: Scheme) -> usize {
    let base: usize = match scheme {
        Scheme::Late => 772,
        Scheme::Early => 8,
    };
    let place = packet.iter().skip(base).take(4);
    let sum = place.fold(0_usize, |sum, byte| sum.wrapping_add(usize::from(*byte)));
    (sum % 728).wrapping_add(base).wrapping_add(4)
}

fn packet_digest(packet: &Packet, at: usize, side: Side) -> [u8; DIGEST_LEN] {
    let before = packet.get(..at).unwrap_or_default();
    let after = packet.get(at.saturating_add(DIGEST_LEN)..).unwrap_or_default();
    hmac(side.key(), &[before, after])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::noise;

    #[test]
    fn a_digest_is_found_again_in_either_scheme() {
        for seed in 0..50 {
            for scheme in [Scheme::Late, Scheme::Early] {
                let mut packet = [0; PACKET_LEN];
                noise(seed, &mut packet);
                let digest = imprint(&mut packet, scheme, Side::Client);
                assert_eq!(find(&packet, Side::Client), Some((scheme, digest)));
                assert_eq!(find(&packet, Side::Server), None);
            }
        }
    }
}
