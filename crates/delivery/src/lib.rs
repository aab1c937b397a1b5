//! HTTP for viewers: live playlists and media, the web app's files, and the server under them.
//!
//! [`live`] packages broadcasts and answers for them; [`web`] serves the app's pages and files; [`server`] takes connections, plain and TLS, HTTP/1.1 and HTTP/2, and hands requests to one router. [`tls`] is the store
//! of certificates.

pub mod live;
pub mod server;
pub mod tls;
pub mod web;
