use super::{
    PACKET_LEN, Packet, Progress, VERSION, check_version,
    digest::{self, Side},
    fill, noise,
};
use crate::Error;

/// The server's side of the handshake.
#[derive(Debug)]
pub struct Server {
    seed: u64,
    received: Vec<u8>,
    replied: bool,
}

impl Server {
    /// A handshake whose random bytes come from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            received: Vec::new(),
            replied: false,
        }
    }

    /// Takes the handshake's next bytes off `input` and leaves what follows it.
    ///
    /// To be called again after a [`Progress::Reply`] while input is left.
    pub fn handle_input(&mut self, input: &mut &[u8]) -> Result<Progress, Error> {
        if self.replied {
            return Ok(self.second_packet(input));
        }
        if let (true, Some(first)) = (self.received.is_empty(), input.first()) {
            check_version(*first)?;
        }
        if !fill(&mut self.received, PACKET_LEN.saturating_add(1), input) {
            return Ok(Progress::Waiting);
        }
        self.replied = true;
        let received = std::mem::take(&mut self.received);
        let c1 = received
            .last_chunk::<PACKET_LEN>()
            .expect("fill waits for the whole packet");
        Ok(Progress::Reply(reply(c1, self.seed)))
    }

    // What C2 says is not looked at: clients fill it as they like.
    fn second_packet(&mut self, input: &mut &[u8]) -> Progress {
        if fill(&mut self.received, PACKET_LEN, input) {
            self.received = Vec::new();
            Progress::Done(Vec::new())
        } else {
            Progress::Waiting
        }
    }
}

/// S0, S1 and S2 for this C1.
fn reply(c1: &Packet, seed: u64) -> Vec<u8> {
    let mut s1: Packet = [0; PACKET_LEN];
    noise(seed, s1.get_mut(8..).unwrap_or_default());
    let mut s2 = *c1;
    if let Some((scheme, client_digest)) = digest::find(c1, Side::Client) {
        // A version that is not zero announces the digest.
        if let Some(version) = s1.get_mut(4..8) {
            version.copy_from_slice(&[5, 0, 1, 1]);
        }
        digest::imprint(&mut s1, scheme, Side::Server);
        noise(seed.wrapping_add(1), &mut s2);
        digest::sign(&mut s2, &client_digest, Side::Server);
    }
    [&[VERSION][..], &s1, &s2].concat()
}
