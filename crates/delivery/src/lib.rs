//! HTTP for viewers: HLS, Low-Latency HLS and DASH
