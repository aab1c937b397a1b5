/// Counts received bytes and says when the peer is owed an Acknowledgement (§5.4.3).
///
/// The field on the wire is 32 bits and long streams pass it, so the count wraps.
#[derive(Clone, Copy, Debug)]
pub struct AckWindow {
    received: u32,
    acked: u32,
    size: u32,
}

impl AckWindow {
    /// A smaller window would have us answer nearly every packet.
    const SIZE_MIN: u32 = 4_096;

    /// A window of `size` bytes.
    pub fn new(size: u32) -> Self {
        Self {
            received: 0,
            acked: 0,
            size: size.max(Self::SIZE_MIN),
        }
    }

    /// The peer announced another window.
    pub fn resize(&mut self, size: u32) {
        self.size = size.max(Self::SIZE_MIN);
    }

    /// Adds `len` received bytes; returns the sequence number to acknowledge, if one is due.
    pub fn receive(&mut self, len: usize) -> Option<u32> {
        // Only the low 32 bits are counted on the wire.
        self.received = self.received.wrapping_add(len as u32);
        if self.received.wrapping_sub(self.acked) < self.size {
            return None;
        }
        self.acked = self.received;
        Some(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_counting_past_four_gigabytes() {
        let mut window = AckWindow::new(5_000);
        window.receive(u32::MAX as usize);
        assert_eq!(window.receive(5_000), Some(4_999));
        assert_eq!(window.receive(4_999), None);
        assert_eq!(window.receive(1), Some(9_999));
    }

    #[test]
    fn a_tiny_window_does_not_make_every_byte_an_answer() {
        let mut window = AckWindow::new(1);
        assert_eq!(window.receive(4_095), None);
        assert_eq!(window.receive(1), Some(4_096));
    }
}
