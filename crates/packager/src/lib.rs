//! Samples in; CMAF parts, HLS playlists and DASH manifests out
