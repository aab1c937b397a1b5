//! What playlists and media promise, over whole broadcasts.

mod choices;
mod cuts;
mod directives;
mod followers;
mod playlists;
mod promises;
mod timing;
