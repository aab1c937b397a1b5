//! Broadcasts: one timeline fed by sources that come and go, followed by any number
