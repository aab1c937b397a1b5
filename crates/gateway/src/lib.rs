//! Sockets of publishers and of sub-second viewers
