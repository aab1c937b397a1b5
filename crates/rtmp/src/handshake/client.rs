use super::{
    PACKET_LEN, Packet, Progress, VERSION, check_version,
    digest::{self, Scheme, Side},
    fill, noise,
};
use crate::Error;

/// The client's side of the handshake.
#[derive(Debug)]
pub struct Client {
    seed: u64,
    received: Vec<u8>,
}

impl Client {
    /// A handshake without digests, and its first bytes.
    pub fn plain(seed: u64) -> (Self, Vec<u8>) {
        let mut c1: Packet = [0; PACKET_LEN];
        noise(seed, c1.get_mut(8..).unwrap_or_default());
        Self::start(seed, &c1)
    }

    /// A handshake with digests, as players of Adobe's servers need it, and its first bytes.
    pub fn with_digest(seed: u64) -> (Self, Vec<u8>) {
        let mut c1: Packet = [0; PACKET_LEN];
        noise(seed, c1.get_mut(8..).unwrap_or_default());
        if let Some(version) = c1.get_mut(4..8) {
            version.copy_from_slice(&[9, 0, 124, 2]);
        }
        digest::imprint(&mut c1, Scheme::Early, Side::Client);
        Self::start(seed, &c1)
    }

    fn start(seed: u64, c1: &Packet) -> (Self, Vec<u8>) {
        let client = Self {
            seed,
            received: Vec::new(),
        };
        (client, [&[VERSION][..], c1].concat())
    }

    /// Takes the handshake's next bytes off `input` and leaves what follows it.
    pub fn handle_input(&mut self, input: &mut &[u8]) -> Result<Progress, Error> {
        if let (true, Some(first)) = (self.received.is_empty(), input.first()) {
            check_version(*first)?;
        }
        let all = PACKET_LEN.saturating_mul(2).saturating_add(1);
        if !fill(&mut self.received, all, input) {
            return Ok(Progress::Waiting);
        }
        let received = std::mem::take(&mut self.received);
        let s1 = received
            .get(1..)
            .and_then(|packets| packets.first_chunk::<PACKET_LEN>());
        let s1 = s1.expect("fill waits for both packets");
        Ok(Progress::Done(self.answer(s1)))
    }

    /// C2: signed where the server knows digests, its own bytes otherwise.
    fn answer(&self, s1: &Packet) -> Vec<u8> {
        let mut c2 = *s1;
        if let Some((_, server_digest)) = digest::find(s1, Side::Server) {
            noise(self.seed.wrapping_add(1), &mut c2);
            digest::sign(&mut c2, &server_digest, Side::Client);
        }
        c2.to_vec()
    }
}
