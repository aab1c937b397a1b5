use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::server::Shared;

/// Counts connections that have not ended their handshake, by address: such a flood costs little, but not nothing.
#[derive(Debug, Default)]
pub(super) struct Admission {
    half_open: Mutex<HashMap<IpAddr, u32>>,
}

/// A place among the half-open connections of an address, given back when dropped.
#[derive(Debug)]
pub(super) struct HalfOpen {
    shared: Arc<Shared>,
    address: IpAddr,
}

impl HalfOpen {
    /// A place for a connection from `address`, unless it has as many as it may.
    pub(super) fn enter(shared: &Arc<Shared>, address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        let mut half_open = shared.admission.lock();
        let count = half_open.entry(address).or_default();
        if *count >= shared.options.half_open_per_address_max {
            return None;
        }
        *count += 1;
        shared.stats.half_open.add();
        Some(Self {
            shared: Arc::clone(shared),
            address,
        })
    }
}

impl Drop for HalfOpen {
    fn drop(&mut self) {
        self.shared.stats.half_open.remove();
        let mut half_open = self.shared.admission.lock();
        if let Some(count) = half_open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                half_open.remove(&self.address);
            }
        }
    }
}

impl Admission {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.half_open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
